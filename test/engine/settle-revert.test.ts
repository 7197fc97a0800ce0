import { expect, test, vi } from 'vitest'
import type { Context } from '../../src/engine/context.ts'
import { apply } from '../../src/engine/apply/apply.ts'
import { makePlan } from '../../src/engine/plan/make-plan.ts'
import { verify } from '../../src/engine/verify/verify.ts'
import { billsOf, type Member, type Members, members, payersPerPeriod } from './members.ts'
import { boundaries, dieAt, planAndApply, told } from './rig.ts'

// Many worlds in sequence: slow on a busy machine, but never waiting.
vi.setConfig({ testTimeout: 90_000 })

const people: readonly Member[] = [
  { since: '2026-09-20T09:15:00Z', coupon: 'welcome' },
  { since: '2026-08-31T10:00:00Z' },
]
const now = '2026-10-05T12:00:00Z'
const later = '2027-02-01T00:00:00Z'

async function unmoved(some: readonly Member[] = people): Promise<readonly (readonly string[])[]> {
  await using school = await members(some, now)
  await school.advance(later)
  return billsOf(await school.charges())
}

async function moved(some: readonly Member[] = people): Promise<Members> {
  const school = await members(some, now)
  const { result } = await planAndApply(school.stage('target'))
  if (!result.ok) throw new Error(JSON.stringify(result))
  return school
}

test('settling waits until a payment in the target proved the move, then cancels the old subscription', async () => {
  await using school = await moved()
  const early = await makePlan(school.stage('settled'))
  expect(early.deferred.map(({ code }) => code)).toEqual(['renewal_unproven', 'renewal_unproven'])
  await school.advance('2026-11-05T00:00:00Z')
  const { plan, result } = await planAndApply(school.stage('settled'))
  expect(plan.summary).toMatchObject({ settle: 2 })
  expect(result).toMatchObject({ ok: true, remaining: [] })
  const [first] = school.subscriptions
  const old = await school.us.subscriptions.retrieve(first ?? '')
  expect(old).toMatchObject({ status: 'canceled' })
  expect(old.cancellation_details?.comment).toMatch(/^crossbill settled, continues as sub_/)
  expect(await verify(school.stage('settled'))).toMatchObject({ violations: [] })
  expect((await makePlan(school.stage('settled'))).changes).toEqual([])
  await school.advance(later)
  expect(billsOf(await school.charges())).toEqual(await unmoved())
})

test.each([
  ['before its renewals', '2026-10-06T00:00:00Z'],
  ['after some of them', '2026-10-25T00:00:00Z'],
  ['after all of them', '2026-11-05T00:00:00Z'],
])('undo: a wave reverted %s is billed in the old account as if nothing had happened', async (_, when) => {
  await using school = await moved()
  await school.advance(when)
  const { plan, result } = await planAndApply(school.stage('source'))
  expect([plan.blocked, plan.deferred]).toEqual([[], []])
  expect(plan.summary).toMatchObject({ revert: 2 })
  expect(result.changes.filter((one) => one.outcome !== 'done')).toEqual([])
  expect(result).toMatchObject({ ok: true, remaining: [] })
  expect(await verify(school.stage('source'))).toMatchObject({ violations: [] })
  await school.advance(later)
  expect(billsOf(await school.charges())).toEqual(await unmoved())
})

test('undo, then move again: the same charges', async () => {
  await using school = await moved()
  await planAndApply(school.stage('source'))
  const { result } = await planAndApply(school.stage('target'))
  expect(result).toMatchObject({ ok: true, remaining: [] })
  await school.advance(later)
  expect(billsOf(await school.charges())).toEqual(await unmoved())
})

test.each(['paused', 'gone on'] as const)(
  'undo: a member who has %s in the target has the same state in the old account',
  async (what) => {
    const pause_collection = what === 'paused' ? ({ behavior: 'void' } as const) : ('' as const)
    const carry = 'policies: { collection_paused: carry, uncharged_period: invoice }'
    await using school = await members([{ since: '2026-09-20T09:15:00Z' }], now)
    const [old = ''] = school.subscriptions
    if (what === 'gone on') await school.us.subscriptions.update(old, { pause_collection: { behavior: 'void' } })
    await planAndApply(school.stage('target', carry))
    await school.advance('2026-10-25T00:00:00Z')
    const [successor] = (await school.target.subscriptions.list({})).data
    await school.target.subscriptions.update(successor?.id ?? '', { pause_collection })
    const { plan, result } = await planAndApply(school.stage('source', carry))
    expect([plan.blocked, result.changes.map(({ outcome }) => outcome)]).toEqual([[], ['done']])
    const restored = await school.us.subscriptions.retrieve(old)
    expect(restored.pause_collection?.behavior ?? null).toBe(what === 'paused' ? 'void' : null)
    await school.advance('2026-11-25T00:00:00Z')
    // No account bills the period that was paused on either side; the others are billed once.
    const charges = (await school.charges())[0] ?? []
    expect(charges.map((one) => one.slice(0, one.indexOf('T')))).toEqual(
      what === 'paused' ? ['us 2026-09-20', 'target 2026-10-20'] : ['us 2026-09-20', 'us 2026-11-20'],
    )
  },
)

const works: readonly [string, 'source' | 'settled', string][] = [
  ['revert', 'source', '2026-10-06T00:00:00Z'],
  ['revert after a renewal', 'source', '2026-10-25T00:00:00Z'],
  ['settle', 'settled', '2026-10-25T00:00:00Z'],
]

test.each(works)(
  'crash anywhere, run again: a %s killed at every boundary ends as a clean run does',
  async (_, stage, when) => {
    const clean = await one(stage, when, async (context) => void (await planAndApply(context)))
    expect(clean.requests).toBeGreaterThan(0)
    for (const boundary of boundaries(clean.requests)) {
      const killed = await one(stage, when, async (context) => {
        const plan = await makePlan(context)
        await dieAt(context, boundary, (living) => apply(living, plan))
        await apply(context, plan)
      })
      expect({ at: told(boundary), ...killed.end }).toEqual({ at: told(boundary), ...clean.end })
      const again = await one(stage, when, async (context) => {
        await dieAt(context, boundary, planAndApply)
        await planAndApply(context)
        await planAndApply(context)
      })
      expect({ at: told(boundary), ...again.end }).toEqual({ at: told(boundary), ...clean.end })
    }
  },
)

/** One moved member, some work, and the state at the end. */
async function one(stage: 'source' | 'settled', when: string, work: (context: Context) => Promise<void>) {
  await using school = await moved(people.slice(0, 1))
  await school.advance(when)
  const before = school.rig.sent.length
  await work(school.stage(stage))
  const requests = school.rig.sent.length - before
  const old: string[] = []
  for await (const subscription of school.us.subscriptions.list({ status: 'all' }))
    old.push(
      `${subscription.status} ${subscription.pause_collection?.behavior} ${subscription.metadata['crossbill_hold']}`,
    )
  const live: string[] = []
  for await (const subscription of school.target.subscriptions.list({})) live.push(subscription.status)
  const { violations } = await verify(school.stage(stage))
  const open = await school.rig.context.store.journalOpen()
  return { requests, end: { old, live, violations, open, payers: await payersPerPeriod(school) } }
}
