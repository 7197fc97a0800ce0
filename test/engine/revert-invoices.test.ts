import { expect, test, vi } from 'vitest'
import { apply } from '../../src/engine/apply/apply.ts'
import type { Context } from '../../src/engine/context.ts'
import { makePlan } from '../../src/engine/plan/make-plan.ts'
import { verify } from '../../src/engine/verify/verify.ts'
import { billsOf, type Members, members } from './members.ts'
import { boundaries, dieAt, elsewhere, planAndApply, told } from './rig.ts'

// Many worlds in sequence: slow on a busy machine, but never waiting.
vi.setConfig({ testTimeout: 90_000 })

const now = '2026-10-05T12:00:00Z'
const later = '2027-01-10T00:00:00Z'
// The renewal after the move is on 2026-10-20 at 09:15; its invoice is a draft for an hour.
const one = [{ since: '2026-09-20T09:15:00Z' }] as const

async function moved(act?: (school: Members, successor: string) => Promise<unknown>, until?: string): Promise<Members> {
  const school = await members(one, now)
  await planAndApply(school.stage('target'))
  const [successor] = (await school.target.subscriptions.list({})).data
  await act?.(school, successor?.id ?? '')
  if (until !== undefined) await school.advance(until)
  return school
}

/** An act of the member or their bank, by the sandbox's own control. */
async function act({ rig }: Members, body: object): Promise<void> {
  const response = await rig.sandbox.fetch('https://sandbox/_sandbox/act', {
    method: 'POST',
    body: JSON.stringify(body),
  })
  if (!response.ok) throw new Error(await response.text())
}

const billed = 'policies: { uncharged_period: invoice }'

async function setBack(school: Members, policies = billed) {
  const { plan, result } = await planAndApply(school.stage('source', policies))
  const { violations } = await verify(school.stage('source', policies))
  return { plan, result, violations }
}

async function unmoved(): Promise<readonly (readonly string[])[]> {
  await using school = await members(one, now)
  await school.advance(later)
  return billsOf(await school.charges())
}

/** The days of the charges, in any account. */
function days(bills: readonly (readonly string[])[]): readonly string[] {
  return bills.flat().map((bill) => bill.slice(0, 10))
}

test('the target’s invoice is a draft: it is stopped and voided, and the old account bills the period once', async () => {
  await using school = await moved(undefined, '2026-10-20T09:45:00Z')
  const { result, violations } = await setBack(school)
  expect(result).toMatchObject({ ok: true, remaining: [] })
  expect(violations).toEqual([])
  await school.advance(later)
  expect(days(billsOf(await school.charges()))).toEqual(days(await unmoved()))
})

test('the target’s invoice is open after a decline: it is voided before the old subscription is released', async () => {
  const decline = (school: Members, subscription: string) =>
    act(school, { act: 'decline_card', account: 'target', subscription })
  await using school = await moved(decline, '2026-10-21T12:00:00Z')
  const { result, violations } = await setBack(school)
  expect(result).toMatchObject({ ok: true, remaining: [] })
  expect(violations).toEqual([])
  expect((await school.target.invoices.list({ status: 'open' })).data).toEqual([])
  await school.advance(later)
  const charged = days(billsOf(await school.charges()))
  expect(charged).toHaveLength(days(await unmoved()).length)
  expect((await school.charges()).flat().every((charge) => charge.startsWith('us '))).toBe(true)
})

test('promise 2: the old subscription names its card, and the customer has none: the period is paid from that card', async () => {
  await using school = await members([{ ...one[0], cardOn: 'subscription' }], now)
  await planAndApply(school.stage('target'))
  await school.advance('2026-10-20T09:45:00Z')
  const { result } = await setBack(school)
  expect(result).toMatchObject({ ok: true, remaining: [] })
  await school.advance('2026-10-20T13:00:00Z')
  expect((await school.us.invoices.list({ status: 'open' })).data).toEqual([])
  expect(days(billsOf(await school.charges()))).toEqual(['2026-09-20', '2026-10-20'])
})

test('promise 12: the payment of the period that was billed afterwards failed: verify names the invoice', async () => {
  await using school = await moved(undefined, '2026-10-20T09:45:00Z')
  const [subscription = ''] = school.subscriptions
  await act(school, { act: 'decline_card', account: 'us', subscription })
  await setBack(school)
  await school.advance('2026-10-20T13:00:00Z')
  const { violations } = await verify(school.stage('source', billed))
  expect(violations.map(({ code, subscriber }) => `${code} ${subscriber}`)).toEqual([`period_unpaid ${school.keys[0]}`])
})

test('a period that neither side charged is left, if the project says so', async () => {
  await using school = await moved(undefined, '2026-10-20T09:45:00Z')
  const { result, violations } = await setBack(school, 'policies: { uncharged_period: leave }')
  expect([result.ok, violations]).toEqual([true, []])
  await school.advance(later)
  const expected = days(await unmoved()).filter((day) => day !== '2026-10-20')
  expect(days(billsOf(await school.charges()))).toEqual(expected)
})

test('the target’s payment is in progress: its end is unknown, so nothing is reverted', async () => {
  const slow = (school: Members, subscription: string) =>
    act(school, { act: 'slow_payments', account: 'target', subscription, days: 4 })
  await using school = await moved(slow, '2026-10-21T12:00:00Z')
  const early = await setBack(school)
  expect(early.plan.deferred).toMatchObject([{ code: 'payment_in_flight' }])
  expect(early.result.changes).toEqual([])
  expect(early.violations).toEqual([])
  await school.advance('2026-10-26T12:00:00Z')
  const { result } = await setBack(school)
  expect(result).toMatchObject({ ok: true, remaining: [] })
  await school.advance(later)
  expect(days(billsOf(await school.charges()))).toHaveLength(days(await unmoved()).length)
})

test('the target’s payment was refunded: the project decides whether the period is billed again', async () => {
  const refunded = async (): Promise<Members> => {
    const school = await moved(undefined, '2026-10-21T12:00:00Z')
    const [charge] = (await school.target.charges.list({})).data
    await school.target.refunds.create({ charge: charge?.id ?? '' })
    return school
  }
  await using asked = await refunded()
  const stopped = await setBack(asked)
  expect(stopped.plan.blocked).toMatchObject([{ code: 'refunded_in_target' }])
  expect(stopped.result.changes).toEqual([])
  await using left = await refunded()
  const context = left.stage('source')
  const subscribers = context.catalog.subscribers.map((each) => ({
    ...each,
    override: ['leave_refunded_period'] as const,
  }))
  const { result } = await planAndApply({
    ...context,
    catalog: { ...context.catalog, subscribers, digest: 'overridden' },
  })
  expect(result).toMatchObject({ ok: true, remaining: [] })
  await left.advance(later)
  expect(days(billsOf(await left.charges()))).toEqual(days(await unmoved()))
})

/** Reverted after a refund that is to be billed again. */
async function billedAgain(refund: { amount?: number }) {
  const school = await moved(undefined, '2026-10-21T12:00:00Z')
  const [charge] = (await school.target.charges.list({})).data
  await school.target.refunds.create({ charge: charge?.id ?? '', ...refund })
  const context = school.stage('source', billed)
  const subscribers = context.catalog.subscribers.map((each) => ({
    ...each,
    override: ['bill_refunded_period'] as const,
  }))
  const catalog = { ...context.catalog, subscribers, digest: 'overridden' }
  const { plan, result } = await planAndApply({ ...context, catalog })
  return { school, plan, result }
}

test('the target’s payment was refunded completely and is billed again: once, by the old account', async () => {
  const { school, result } = await billedAgain({})
  await using _ = school
  expect(result).toMatchObject({ ok: true, remaining: [] })
  await school.advance(later)
  const expected = ['2026-09-20', '2026-10-20', '2026-10-21', '2026-11-20', '2026-12-20']
  expect(days(billsOf(await school.charges()))).toEqual(expected)
})

test('the target’s payment was refunded in part: a second bill would charge the rest twice, so it is refused', async () => {
  const { school, plan, result } = await billedAgain({ amount: 1_000 })
  await using _ = school
  expect(plan.blocked).toMatchObject([{ code: 'refunded_in_target' }])
  expect(result.changes).toEqual([])
})

test('the subscriber changed the new subscription: a revert would lose that change, so it is refused', async () => {
  await using school = await moved((world, subscription) =>
    act(world, { act: 'change_quantity', account: 'target', subscription, quantity: 2 }),
  )
  expect((await makePlan(school.stage('source'))).blocked).toMatchObject([{ code: 'changed_since_move' }])
})

test('the renewal is near: no subscriber is reverted within the guard window', async () => {
  await using school = await moved(undefined, '2026-10-19T12:00:00Z')
  expect((await makePlan(school.stage('source'))).deferred).toMatchObject([{ code: 'renews_soon' }])
})

test('invoices are read one by one only for a subscriber whom the plan reverts', async () => {
  await using school = await moved()
  const { rig } = school
  const lists = async (work: () => Promise<unknown>): Promise<number> => {
    rig.read.length = 0
    await work()
    return rig.read.filter((one) => one.startsWith('target /v1/invoices sub_')).length
  }
  expect(await lists(async () => verify(school.stage('target')))).toBe(0)
  expect(await lists(async () => makePlan(school.stage('source')))).toBe(1)
  await school.advance('2026-10-19T12:00:00Z')
  // The renewal is near: nobody is reverted today.
  expect(await lists(async () => makePlan(school.stage('source')))).toBe(0)
})

test('crash anywhere while a declined renewal is reverted and its period billed: one charge, nothing left open', async () => {
  const clean = await declinedSetBack(async (context) => void (await planAndApply(context)))
  expect(clean.requests).toBeGreaterThan(5)
  for (const boundary of boundaries(clean.requests)) {
    const killed = await declinedSetBack(async (context) => {
      const plan = await makePlan(context)
      await dieAt(context, boundary, (living) => apply(living, plan))
      await apply(context, plan)
    })
    expect({ at: told(boundary), ...killed.end }).toEqual({ at: told(boundary), ...clean.end })
  }
}, 60_000)

test('promise 8: the same, and another checkout with an empty store goes on: the released period is billed once', async () => {
  const clean = await declinedSetBack(async (context) => void (await planAndApply(context)))
  for (const boundary of boundaries(clean.requests).filter(({ side }) => side === 'after')) {
    const killed = await declinedSetBack(async (context) => {
      await dieAt(context, boundary, planAndApply)
      const other = await elsewhere(context)
      await planAndApply(other)
      await planAndApply(other)
      return other
    })
    expect({ at: told(boundary), ...killed.end }).toEqual({ at: told(boundary), ...clean.end })
  }
}, 60_000)

async function declinedSetBack(work: (context: Context) => Promise<Context | void>) {
  const decline = (school: Members, subscription: string) =>
    act(school, { act: 'decline_card', account: 'target', subscription })
  await using school = await moved(decline, '2026-10-21T12:00:00Z')
  const before = school.rig.sent.length
  const last = await work(school.stage('source', billed))
  const requests = school.rig.sent.length - before
  await school.advance('2026-10-24T00:00:00Z')
  const { violations } = await verify(school.stage('source', billed))
  const invoices = (await school.us.invoices.list({})).data.map(({ status, total }) => `${status} ${total}`)
  const bills = days(billsOf(await school.charges()))
  return {
    requests,
    end: { violations, invoices, bills, open: await (last ?? school.rig.context).store.journalOpen() },
  }
}
