import { expect, test, vi } from 'vitest'
import { apply } from '../../src/engine/apply/apply.ts'
import { makePlan } from '../../src/engine/plan/make-plan.ts'
import { verify } from '../../src/engine/verify/verify.ts'
import { members, type Members } from './members.ts'
import { boundaries, dieAt, elsewhere, planAndApply, told } from './rig.ts'

vi.setConfig({ testTimeout: 60_000 })

const now = '2026-10-05T12:00:00Z'
const one = [{ since: '2026-09-20T09:15:00Z' }] as const

/** Moved, reverted and moved again; then a person edits the metadata of the new subscription. */
async function movedAgain(edit: Record<string, string>): Promise<Members> {
  const school = await members(one, now)
  for (const stage of ['target', 'source', 'target'] as const) await planAndApply(school.stage(stage))
  const [successor] = (await school.target.subscriptions.list({})).data
  await school.target.subscriptions.update(successor?.id ?? '', { metadata: edit })
  return school
}

async function chargesOnce(school: Members, checkout: 'the same store' | 'an empty store'): Promise<void> {
  const context = school.stage('target')
  const used = checkout === 'the same store' ? context : await elsewhere(context)
  // Stripe forgets a key after a day, so no key can show any more that the creation was executed.
  await school.advance('2026-10-12T12:00:00Z')
  for (let round = 0; round < 2; round++) await apply(used, await makePlan(used))
  await school.advance('2026-11-25T00:00:00Z')
  const charged = await Promise.all(
    [school.us, school.target].map(async (client) => (await client.charges.list({})).data.map(({ amount }) => amount)),
  )
  expect({ us: charged[0], target: charged[1] }).toEqual({ us: [4900], target: [4900, 4900] })
}

for (const [what, edit] of [
  ['one mark', { crossbill_from: '' }],
  ['every mark', { crossbill_from: '', crossbill_project: '', crossbill_holds: '', crossbill_payment: '' }],
] as const)
  for (const checkout of ['the same store', 'an empty store'] as const)
    test(`promise 1: moved again, and a person removes ${what} of the new subscription; with ${checkout}, the hold stays`, async () => {
      await using school = await movedAgain(edit)
      await chargesOnce(school, checkout)
      const { violations } = await verify(school.stage('target'))
      expect(violations.map(({ code }) => code)).toContain('held_without_successor')
    })

async function moved(): Promise<Members> {
  const school = await members(one, now)
  await planAndApply(school.stage('target'))
  const [successor] = (await school.target.subscriptions.list({})).data
  await school.target.subscriptions.update(successor?.id ?? '', { metadata: { crossbill_from: '' } })
  return school
}

const codesOf = async (school: Members): Promise<readonly string[]> =>
  (await verify(school.stage('target'))).violations.map(({ code }) => code)

test('promise 1: a person removes the mark and the hold: the hold is not given up, and what bills twice is named', async () => {
  await using school = await moved()
  await school.us.subscriptions.update(school.subscriptions[0] ?? '', { pause_collection: '' })
  const context = await elsewhere(school.stage('target'))
  await planAndApply(context)
  const old = await school.us.subscriptions.retrieve(school.subscriptions[0] ?? '')
  expect(old.metadata['crossbill_hold']).toContain('since')
  expect(await codesOf(school)).toContain('unmarked_successor')
})

test('promise 12: a subscription without a mark that bills the same beside the old one is named, and nothing is moved', async () => {
  await using school = await moved()
  const [old = ''] = school.subscriptions
  await school.us.subscriptions.update(old, { pause_collection: '', metadata: { crossbill_hold: '' } })
  const context = await elsewhere(school.stage('target'))
  expect((await makePlan(context)).blocked).toMatchObject([{ code: 'unmarked_successor' }])
  expect(await codesOf(school)).toEqual(['unmarked_successor'])
  // As the fix says: with its mark back, recovery restores the hold.
  const [successor] = (await school.target.subscriptions.list({})).data
  await school.target.subscriptions.update(successor?.id ?? '', { metadata: { crossbill_from: `us/${old}` } })
  await planAndApply(context)
  expect(await codesOf(school)).toEqual([])
})

test('promise 6: with its mark back but without its number, the new subscription can still be reverted', async () => {
  await using school = await movedAgain({ crossbill_holds: '' })
  const { result } = await planAndApply(school.stage('source'))
  expect(result).toMatchObject({ ok: true, remaining: [] })
  expect((await school.us.subscriptions.retrieve(school.subscriptions[0] ?? '')).pause_collection).toBeNull()
})

test.each(['target', 'source'] as const)(
  'promise 1: a run stopped in the middle, a person removes the mark, and a run with the same store and stage %s resumes',
  async (stage) => {
    await using clean = await members(one, now)
    const before = clean.rig.sent.length
    await planAndApply(clean.stage('target'))
    let tried = 0
    for (const boundary of boundaries(clean.rig.sent.length - before).filter(({ side }) => side === 'after')) {
      await using school = await members(one, now)
      if (!(await dieAt(school.stage('target'), boundary, planAndApply))) continue
      const [successor] = (await school.target.subscriptions.list({})).data
      if (successor === undefined) continue
      tried += 1
      await school.target.subscriptions.update(successor.id, { metadata: { crossbill_from: '' } })
      // Stripe forgets a key after a day, so no key shows any more that the creation was executed.
      await school.advance('2026-10-07T12:00:00Z')
      for (let round = 0; round < 2; round++) {
        const { result } = await planAndApply(school.stage(stage))
        expect({ at: told(boundary), ok: result.ok }).toEqual({ at: told(boundary), ok: false })
      }
      const [old] = (await school.us.subscriptions.list({})).data
      const living = (await school.target.subscriptions.list({})).data.length
      expect({ at: told(boundary), living, held: old?.pause_collection !== null }).toEqual({
        at: told(boundary),
        living: 1,
        held: true,
      })
      expect(await codesOf(school)).toContain('unmarked_successor')
      // As the fix says: with its mark back, recovery finishes.
      await school.target.subscriptions.update(successor.id, {
        metadata: { crossbill_from: `us/${school.subscriptions[0]}` },
      })
      await planAndApply(school.stage(stage))
      await planAndApply(school.stage(stage))
      expect((await verify(school.stage(stage))).violations).toEqual([])
    }
    expect(tried).toBeGreaterThan(0)
  },
)

test('promise 1: with every mark gone, no other reason advises what would start a second payer', async () => {
  await using school = await moved()
  await school.us.subscriptions.update(school.subscriptions[0] ?? '', {
    metadata: { crossbill_hold: '', crossbill_holds: '' },
  })
  const { blocked } = await makePlan(await elsewhere(school.stage('target')))
  expect(blocked.map(({ code }) => code)).toEqual(['unmarked_successor'])
})
