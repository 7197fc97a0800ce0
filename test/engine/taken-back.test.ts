import { expect, test, vi } from 'vitest'
import type { OverrideCode } from '../../src/catalog/override-codes.ts'
import type { Context } from '../../src/engine/context.ts'
import { apply } from '../../src/engine/apply/apply.ts'
import { makePlan } from '../../src/engine/plan/make-plan.ts'
import { verify } from '../../src/engine/verify/verify.ts'
import { billsOf, type Members, members } from './members.ts'
import { dieAt, elsewhere, planAndApply } from './rig.ts'

vi.setConfig({ testTimeout: 60_000 })

/*
 * What happened in the target decides whether a revert is possible: the plan says what the run
 * would refuse, and the run looks again.
 */

const now = '2026-10-05T12:00:00Z'
const renewed = '2026-10-21T12:00:00Z'
const later = '2026-12-01T00:00:00Z'
// The renewal after the move is on 2026-10-20 at 09:15; its invoice is a draft for an hour.
const one = [{ since: '2026-09-20T09:15:00Z' }] as const
const billed = 'policies: { uncharged_period: invoice }'

async function moved(until?: string): Promise<Members> {
  const school = await members(one, now)
  await planAndApply(school.stage('target'))
  if (until !== undefined) await school.advance(until)
  return school
}

async function act({ rig }: Members, body: object): Promise<void> {
  const response = await rig.sandbox.fetch('https://sandbox/_sandbox/act', {
    method: 'POST',
    body: JSON.stringify(body),
  })
  if (!response.ok) throw new Error(await response.text())
}

async function successorOf({ target }: Members): Promise<string> {
  return (await target.subscriptions.list({})).data[0]?.id ?? ''
}

/** The renewal in the target was declined, so its invoice is open. */
async function declined(): Promise<Members> {
  const school = await moved()
  await act(school, { act: 'decline_card', account: 'target', subscription: await successorOf(school) })
  await school.advance(renewed)
  return school
}

async function newest({ target }: Members): Promise<string> {
  return (await target.invoices.list({})).data[0]?.id ?? ''
}

/** The entry says `source`, and this under `override`. */
function back(school: Members, override: readonly OverrideCode[] = [], policies = billed): Context {
  const context = school.stage('source', policies)
  const subscribers = context.catalog.subscribers.map((each) => ({ ...each, override }))
  return { ...context, catalog: { ...context.catalog, subscribers, digest: `${policies} ${override.join()}` } }
}

/** What the plan does with the one member: the code of a block or of a wait, or the action. */
async function planned(context: Context): Promise<readonly string[]> {
  const { changes, blocked, deferred } = await makePlan(await elsewhere(context))
  return [...blocked, ...deferred].map(({ code }) => code).concat(changes.map(({ action }) => action))
}

function days(bills: readonly (readonly string[])[]): readonly string[] {
  return bills.flat().map((bill) => bill.slice(0, 10))
}

const waives: Readonly<Record<string, (school: Members) => Promise<unknown>>> = {
  voided: async (school) => school.target.invoices.voidInvoice(await newest(school)),
  'marked uncollectible': async (school) => school.target.invoices.markUncollectible(await newest(school)),
}

test.each(Object.keys(waives))(
  'promise 1: an invoice that a person %s in the target is billed by no revert without a word of the entry',
  async (how) => {
    await using school = await declined()
    await waives[how]?.(school)
    const { plan, result } = await planAndApply(back(school))
    expect(plan.blocked).toMatchObject([
      { code: 'waived_in_target', message: expect.stringContaining(await newest(school)) },
    ])
    expect(result.ok).toBe(true)
    const left = await planAndApply(back(school, ['leave_waived_period']))
    expect(left.plan.changes).toMatchObject([{ action: 'revert', expect: { periods: [{ outcome: 'waived' }] } }])
    expect(left.result).toMatchObject({ ok: true, changes: [{ periods: [{ outcome: 'left', amount: 4_900 }] }] })
    await school.advance(later)
    expect(days(billsOf(await school.charges()))).toEqual(['2026-09-20', '2026-11-20'])
  },
)

test.each([billed, 'policies: { uncharged_period: leave }'])(
  'a waived period is billed by the old account where the entry says so (%s), and the plan shows it',
  async (policies) => {
    await using school = await declined()
    await waives['voided']?.(school)
    const context = back(school, ['bill_waived_period'], policies)
    const { plan, result } = await planAndApply(context)
    expect(plan.changes).toMatchObject([{ expect: { periods: [{ outcome: 'billed', amount: 4_900 }] } }])
    expect(result).toMatchObject({ ok: true, changes: [{ periods: [{ outcome: 'billed', amount: 4_900 }] }] })
    await school.advance(later)
    expect(days(billsOf(await school.charges()))).toEqual(['2026-09-20', '2026-10-21', '2026-11-20'])
  },
)

test('a period is not billed again while the member can still pay its uncollectible invoice', async () => {
  await using school = await declined()
  await waives['marked uncollectible']?.(school)
  const context = back(school, ['bill_waived_period'])
  const { plan } = await planAndApply(context)
  expect(plan.blocked).toMatchObject([
    { code: 'waived_in_target', fix: expect.stringContaining('Void it in the target') },
  ])
  await school.target.invoices.voidInvoice(await newest(school))
  expect((await planAndApply(context)).result).toMatchObject({ ok: true, changes: [{ action: 'revert' }] })
  await school.advance(later)
  expect(days(billsOf(await school.charges()))).toEqual(['2026-09-20', '2026-10-21', '2026-11-20'])
})

test('a period waived before a later renewal was paid is asked about as well', async () => {
  await using school = await declined()
  await waives['voided']?.(school)
  const subscription = await successorOf(school)
  await act(school, { act: 'accept_card', account: 'target', subscription })
  await school.advance('2026-11-22T00:00:00Z')
  expect(await planned(back(school))).toEqual(['waived_in_target'])
  await planAndApply(back(school, ['leave_waived_period']))
  await school.advance('2026-12-01T00:00:00Z')
  expect(days(billsOf(await school.charges()))).toEqual(['2026-09-20', '2026-11-20'])
})

test('where no period is billed afterwards, nobody has to decide about a waived one', async () => {
  await using school = await declined()
  await waives['voided']?.(school)
  const { result } = await planAndApply(back(school, [], 'policies: { uncharged_period: leave }'))
  expect(result).toMatchObject({ ok: true, remaining: [], changes: [{ action: 'revert', outcome: 'done' }] })
  await school.advance(later)
  expect(days(billsOf(await school.charges()))).toEqual(['2026-09-20', '2026-11-20'])
})

/** The same context; `act` happens once, when the run of `apply` looks at the new subscription. */
function meanwhile(context: Context, successor: string, happens: () => Promise<unknown>): Context {
  const { target } = context.accounts
  let waits = true
  const send: typeof target.send = async (request) => {
    const isLook = request.method === 'GET' && request.path === `/v1/subscriptions/${successor}`
    if (isLook && waits) {
      waits = false
      await happens()
    }
    return target.send(request)
  }
  return { ...context, accounts: { ...context.accounts, target: { ...target, send } } }
}

test('an invoice that was voided after the plan stops the run before it changes anything', async () => {
  await using school = await declined()
  const context = back(school)
  const plan = await makePlan(context)
  expect(plan.changes).toMatchObject([{ action: 'revert' }])
  const voids = async () => waives['voided']?.(school)
  const result = await apply(meanwhile(context, await successorOf(school), voids), plan)
  expect(result.changes).toMatchObject([{ outcome: 'skipped', code: 'waived_in_target' }])
  expect((await school.us.subscriptions.retrieve(school.subscriptions[0] ?? '')).pause_collection).not.toBeNull()
})

test('a payment that was refunded after the plan stops the run as well', async () => {
  await using school = await moved(renewed)
  const context = back(school)
  const plan = await makePlan(context)
  const charge = (await school.target.charges.list({})).data[0]?.id ?? ''
  const refunds = async () => school.target.refunds.create({ charge })
  const result = await apply(meanwhile(context, await successorOf(school), refunds), plan)
  expect(result.changes).toMatchObject([{ outcome: 'skipped', code: 'refunded_in_target' }])
})

test('killed after every request, an invoice that the revert voided itself is not taken for a waived one', async () => {
  for (const request of [0, 1, 2, 3]) {
    await using school = await declined()
    const context = back(school)
    await dieAt(context, { request, side: 'after' }, planAndApply)
    const { result } = await planAndApply(await elsewhere(context))
    expect({ request, ok: result.ok }).toEqual({ request, ok: true })
    await school.advance(later)
    const [, second] = days(billsOf(await school.charges()))
    expect({ request, second }).toEqual({ request, second: '2026-10-21' })
  }
})

/** Whatever the run refuses, the plan of a checkout without a store has already said. */
const refused: Readonly<Record<string, (school: Members) => Promise<unknown>>> = {
  payment_in_flight: async (school) => {
    await act(school, {
      act: 'slow_payments',
      account: 'target',
      subscription: await successorOf(school),
      days: 4,
    })
    await school.advance(renewed)
  },
  refunded_in_target: async (school) => {
    await school.advance(renewed)
    await school.target.refunds.create({ charge: (await school.target.charges.list({})).data[0]?.id ?? '' })
  },
  disputed_in_target: async (school) => {
    await school.advance(renewed)
    await act(school, { act: 'dispute', account: 'target', subscription: await successorOf(school) })
  },
}

test.each(Object.keys(refused))('the plan of a revert says %s before the run does', async (code) => {
  await using school = await moved()
  await refused[code]?.(school)
  expect(await planned(back(school))).toEqual([code])
  const { result } = await planAndApply(back(school))
  expect(result).toMatchObject({ ok: true, changes: [] })
  expect((await verify(back(school))).violations).toEqual([])
})

/** A workshop on an invoice of its own, which then is the newest of the subscription. */
async function workshop({ target }: Members, subscription: string): Promise<string> {
  const { customer } = await target.subscriptions.retrieve(subscription)
  const whose = { customer: customer as string, subscription }
  await target.invoiceItems.create({ ...whose, amount: 2_000, currency: 'usd' })
  const { id } = await target.invoices.create({ ...whose, auto_advance: false })
  await target.invoices.finalizeInvoice(id, { auto_advance: false })
  await target.invoices.pay(id, { paid_out_of_band: true })
  return id
}

test('the refund of the renewal decides about a revert although a later invoice is the newest', async () => {
  await using school = await moved(renewed)
  const { target } = school
  const [charge] = (await target.charges.list({})).data
  await target.refunds.create({ charge: charge?.id ?? '' })
  const id = await workshop(school, await successorOf(school))
  expect(await newest(school)).toBe(id)
  expect((await planAndApply(back(school))).plan.blocked).toMatchObject([{ code: 'refunded_in_target' }])
  expect(await planned(back(school, ['leave_refunded_period']))).toEqual(['revert'])
})
