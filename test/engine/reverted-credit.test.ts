import { Chalk } from 'chalk'
import { expect, test, vi } from 'vitest'
import { planText } from '../../src/cli/render/plan-text.ts'
import { makePlan } from '../../src/engine/plan/make-plan.ts'
import { verify } from '../../src/engine/verify/verify.ts'
import { type Members, members } from './members.ts'
import { boundaries, dieAt, elsewhere, planAndApply, told } from './rig.ts'

vi.setConfig({ testTimeout: 120_000 })

const now = '2026-10-05T12:00:00Z'
// The renewal after the move is on 2026-10-20 at 09:15; its invoice is a draft for an hour.
const one = [{ since: '2026-09-20T09:15:00Z' }] as const
const carry = 'policies: { customer_balance: carry }'

/** Moved with this balance, until the renewal in the target is a draft; a credit is negative. */
async function withBalance(balance: number): Promise<Members> {
  const school = await members(one, now)
  const [old] = (await school.us.subscriptions.list({})).data
  await school.us.customers.update(old?.customer as string, { balance })
  await planAndApply(school.stage('target', carry))
  await school.advance('2026-10-20T09:45:00Z')
  return school
}

/** The balances, and the charges of all accounts since the move. */
async function outcome({ us, target }: Members) {
  const balance = async (client: typeof us): Promise<number> => {
    const [customer] = (await client.customers.list({})).data
    return customer?.balance ?? 0
  }
  const charges = await Promise.all([us, target].map(async (client) => (await client.charges.list({})).data))
  const since = charges.flat().filter(({ paid, created }) => paid && created > Date.parse(now) / 1_000)
  return {
    us: await balance(us),
    target: await balance(target),
    charged: since.toSorted((a, b) => a.created - b.created).map(({ amount }) => amount),
  }
}

test.each([
  ['covers the renewal and more', -7_000, { us: 0, target: 0, charged: [2_800] }],
  ['covers the renewal exactly', -4_900, { us: 0, target: 0, charged: [4_900] }],
  ['covers a part of the renewal', -3_000, { us: 0, target: 0, charged: [1_900, 4_900] }],
  ['leaves less than Stripe charges', -4_880, { us: 0, target: 0, charged: [4_920] }],
  ['is owed', 1_000, { us: 0, target: 0, charged: [5_900, 4_900] }],
] as const)(
  'promise 6: the draft renewal is reverted and the balance %s: all of it comes back',
  async (_, given, end) => {
    await using school = await withBalance(given)
    const { result } = await planAndApply(school.stage('source', carry))
    expect(result).toMatchObject({ ok: true, remaining: [] })
    expect((await outcome(school)).target).toBe(0)
    expect((await verify(school.stage('source', carry))).violations).toEqual([])
    await school.advance('2026-11-21T00:00:00Z')
    expect(await outcome(school)).toEqual(end)
  },
)

test('promise 4: the plan of such a revert shows the credit that will be left', async () => {
  await using school = await withBalance(-7_000)
  const plan = await makePlan(school.stage('source', carry))
  const steps = plan.changes.flatMap((change) => change.steps)
  expect(steps.find(({ id }) => id === 'money-balance-in')?.params['amount']).toBe(-2_100)
  expect(planText(plan, new Chalk({ level: 0 }))).toContain(
    'a credit of 21.00 usd, the renewal of 2026-10-20 paid from the credit in the target: 49.00 usd',
  )
})

test('crash anywhere while a draft is reverted that its credit pays: the rest of the credit comes back once', async () => {
  const revert = async (work: (school: Members) => Promise<void>) => {
    await using school = await withBalance(-4_880)
    const before = school.rig.sent.length
    await work(school)
    const requests = school.rig.sent.length - before
    await school.advance('2026-11-21T00:00:00Z')
    return { requests, end: await outcome(school) }
  }
  const clean = await revert(async (school) => void (await planAndApply(school.stage('source', carry))))
  for (const boundary of boundaries(clean.requests).filter(({ side }) => side === 'after')) {
    const killed = await revert(async (school) => {
      const context = school.stage('source', carry)
      await dieAt(context, boundary, planAndApply)
      const other = await elsewhere(context)
      for (const _ of [1, 2]) await planAndApply(other)
    })
    expect({ at: told(boundary), ...killed.end }).toEqual({ at: told(boundary), ...clean.end })
  }
})
