import { describe, expect, test, vi } from 'vitest'
import type Stripe from 'stripe'
import type { Catalog } from '../../src/catalog/types.ts'
import type { Context } from '../../src/engine/context.ts'
import type { OverrideCode } from '../../src/catalog/override-codes.ts'
import type { StripeObject } from '../../src/core/json.ts'
import { idOf } from '../../src/core/reference.ts'
import { readProrated } from '../../src/engine/read/billed.ts'
import type { StripeAccount } from '../../src/engine/ports.ts'
import { doctor } from '../../src/engine/doctor/doctor.ts'
import { makePlan } from '../../src/engine/plan/make-plan.ts'
import { survey } from '../../src/engine/plan/survey.ts'
import { paidElsewhere } from '../../src/plan/paid-elsewhere.ts'
import { verify, type Violation } from '../../src/engine/verify/verify.ts'
import { type Member, type Members, members } from './members.ts'
import { planAndApply } from './rig.ts'

/*
 * Promise 1, nobody pays twice: in flexible billing mode, Stripe credits only what the subscription
 * itself has debited. A change with a proration in a period that the other account was paid for is
 * named with the amount that the member is owed.
 */

vi.setConfig({ testTimeout: 60_000 })

const now = '2026-10-05T12:00:00Z'
const since = '2026-09-20T09:15:00Z'

type Behavior = NonNullable<Stripe.SubscriptionUpdateParams['proration_behavior']>

async function seats(client: Stripe, id: string, quantity: number, behavior: Behavior = 'always_invoice') {
  const [item] = (await client.subscriptions.retrieve(id)).items.data
  await client.subscriptions.update(id, {
    items: [{ id: item?.id ?? '', quantity }],
    proration_behavior: behavior,
  })
}

async function moved(member: Partial<Member> = {}): Promise<{ school: Members; old: string; successor: string }> {
  const school = await members([{ since, ...member }], now)
  await planAndApply(school.stage('target'))
  const [successor] = (await school.target.subscriptions.list({})).data
  return { school, old: school.subscriptions[0] ?? '', successor: successor?.id ?? '' }
}

async function named(context: Context, ...override: OverrideCode[]): Promise<readonly Violation[]> {
  const subscribers = context.catalog.subscribers.map((one) => ({ ...one, override }))
  const { violations } = await verify({ ...context, catalog: { ...context.catalog, subscribers } })
  return violations.filter(({ code }) => code === 'proration_uncredited')
}

/** The credit that the old account gives when nobody was moved. */
async function creditWithoutMove(quantity: number): Promise<number> {
  const { us, subscriptions } = await members([{ since }], now)
  await seats(us, subscriptions[0] ?? '', quantity)
  const [invoice] = (await us.invoices.list({ subscription: subscriptions[0] ?? '' })).data
  return Math.min(...(invoice?.lines.data ?? []).map(({ amount }) => amount))
}

describe('a change in a period that the other account was paid for', () => {
  test.each(['always_invoice', 'create_prorations'] as const)(
    'is named with the credit that is owed (%s), until it is given',
    async (behavior) => {
      const { school, successor } = await moved()
      await using here = school
      const { target } = here
      expect(await named(here.stage('target'))).toEqual([])
      await seats(target, successor, 2, behavior)
      const amount = await creditWithoutMove(2)
      const [found, ...more] = await named(here.stage('target'))
      const owed = `${(-amount / 100).toFixed(2)} usd of it are owed to the member`
      expect([found?.detail, more]).toEqual([expect.stringContaining(owed), []])
      expect(await named(here.stage('target'), 'proration_uncredited')).toEqual([])
      // The renewal hides the invoice of the change, and the member is still owed.
      await here.advance('2026-10-22T00:00:00Z')
      expect((await named(here.stage('target')))[0]?.detail).toContain(owed)
      const customer = idOf((await target.subscriptions.retrieve(successor)).customer)
      const description = `time paid in the old account, ${successor}`
      await target.customers.createBalanceTransaction(customer, { amount: amount + 100, currency: 'usd', description })
      expect((await named(here.stage('target')))[0]?.detail).toContain('so 1.00 usd of it')
      await target.customers.createBalanceTransaction(customer, { amount: -100, currency: 'usd', description })
      expect(await named(here.stage('target'))).toEqual([])
    },
  )

  test('is named only for what the member has not got back, in either account', async () => {
    const { school, old, successor } = await moved()
    await using here = school
    const { us, target } = here
    await seats(target, successor, 2)
    const owed = async (): Promise<readonly number[]> =>
      (await named(here.stage('target'))).map(({ detail }) => Number(/so ([\d.]+) usd of it/.exec(detail)?.[1]))
    const [all = 0] = await owed()
    const [paid] = (await us.invoices.list({ subscription: old, status: 'paid' })).data
    const [charge] = (await us.charges.list({ customer: idOf(paid?.customer ?? '') })).data
    // A paid invoice stays paid after a refund, and the list does not show it.
    await us.refunds.create({ charge: charge?.id ?? '', amount: 2_450 })
    expect(await owed()).toEqual([expect.closeTo(all / 2, 1)])
    const [change] = (await target.invoices.list({ subscription: successor, status: 'paid' })).data
    const [second] = (await target.charges.list({ customer: idOf(change?.customer ?? '') })).data
    await target.refunds.create({ charge: second?.id ?? '', amount: 500 })
    expect(await owed()).toEqual([expect.closeTo(all / 2 - 5, 1)])
    await us.refunds.create({ charge: charge?.id ?? '', amount: 2_450 })
    expect(await owed()).toEqual([])
  })

  test('costs no requests where the catalog gave its own price another amount', async () => {
    const { school, successor } = await moved()
    await using here = school
    await here.advance('2026-10-25T00:00:00Z')
    const price = (amount: number): Catalog['resources'] =>
      here
        .at('target')
        .resources.map((one) =>
          one.address === 'price.monthly'
            ? { ...one, value: { ...one.value, unit_amount: amount, on_change: 'at_renewal' } }
            : one,
        )
    const context = here.stage('target')
    const raised = { ...context, catalog: { ...context.catalog, resources: price(5_900) } }
    expect((await planAndApply(raised)).result.ok).toBe(true)
    expect((await here.target.subscriptions.retrieve(successor)).items.data[0]?.price.unit_amount).toBe(5_900)
    here.rig.read.length = 0
    expect(await named(raised)).toEqual([])
    expect(here.rig.read.filter((one) => one.includes('/v1/invoices sub_'))).toEqual([])
  })

  test('is named after a revert, for the period that the target was paid for', async () => {
    const { school, old } = await moved()
    await using here = school
    await here.advance('2026-10-25T00:00:00Z')
    expect((await planAndApply(here.stage('source'))).result.ok).toBe(true)
    await here.advance('2026-10-28T00:00:00Z')
    await seats(here.us, old, 3)
    const [found] = await named(here.stage('source'))
    expect(found?.detail).toMatch(/had paid in the target until 2026-11-20.* so 36\.\d\d usd of it are owed/)
  })

  test('is no change from before the move, in a period that its own account billed', async () => {
    const school = await members([{ since }], now)
    await using here = school
    const old = here.subscriptions[0] ?? ''
    for (const quantity of [2, 1]) await seats(here.us, old, quantity)
    await planAndApply(here.stage('target'))
    await here.advance('2026-10-25T00:00:00Z')
    expect((await planAndApply(here.stage('source'))).result.ok).toBe(true)
    await here.advance('2026-10-28T00:00:00Z')
    await seats(here.us, old, 3, 'none')
    expect(await named(here.stage('source'))).toEqual([])
  })

  test('needs nothing in classic mode, without a proration, or in a period that the target billed', async () => {
    const classic = await moved({ create: { billing_mode: { type: 'classic' } } })
    await seats(classic.school.target, classic.successor, 2)
    expect(await named(classic.school.stage('target'))).toEqual([])
    await classic.school[Symbol.asyncDispose]()
    const { school, successor } = await moved()
    await using here = school
    await seats(here.target, successor, 2, 'none')
    expect(await named(here.stage('target'))).toEqual([])
    await here.advance('2026-10-28T00:00:00Z')
    await seats(here.target, successor, 5)
    expect(await named(here.stage('target'))).toEqual([])
  })
})

test('many suspects cost one list of the account, not one list each', async () => {
  const invoice = (id: string, subscription: string, proration: boolean): StripeObject => ({
    object: 'invoice',
    id,
    status: 'paid',
    parent: { subscription_details: { subscription } },
    lines: { has_more: false, data: [{ parent: { subscription_item_details: { proration } } }] },
  })
  const read: unknown[] = []
  const account = {
    async *list(path: string, params: unknown) {
      read.push([path, params])
      yield* [invoice('in_1', 'sub_7', true), invoice('in_2', 'sub_7', false), invoice('in_3', 'sub_other', true)]
    },
  }
  const since = new Map(Array.from({ length: 150 }, (_, index) => [`sub_${index}`, 1_000 + index]))
  const found = await readProrated(account as unknown as StripeAccount, since)
  expect([...found].map(([id, invoices]) => [id, ...invoices.map((one) => one.id)])).toEqual([['sub_7', 'in_1']])
  expect(read).toEqual([['/v1/invoices', { created: { gte: 1_000 } }]])
})

test('a plan says once for all members what they have paid, and until when; verify says it where a portal is open', async () => {
  await using school = await members(
    [{ since }, { since }, { since, create: { billing_mode: { type: 'classic' } } }, { since }, { since }],
    now,
  )
  const [, , , changed = '', free = ''] = school.subscriptions
  // The newest invoice is the credit of a change, or was given back by a credit note.
  for (const quantity of [2, 1]) await seats(school.us, changed, quantity)
  const [paid] = (await school.us.invoices.list({ subscription: free })).data
  await school.us.creditNotes.create({ invoice: paid?.id ?? '', amount: 4_900, refund_amount: 4_900 })
  const { notices = [] } = await makePlan(school.stage('target', 'policies: { customer_balance: carry }'))
  expect(notices.filter(({ code }) => code === 'paid_in_old_account')).toMatchObject([
    { subscriber: 'us', at: '2026-10-20T09:15:00Z', amount: 14_700, currency: 'usd' },
  ])
  await planAndApply(school.stage('target'))
  expect((await verify(school.stage('target'))).notices).toEqual([])
  // A portal that no file declares.
  const portals = async (stage: 'source' | 'settled'): Promise<readonly string[]> =>
    (await doctor(school.stage(stage), { localNow: school.rig.sandbox.clock() })).findings
      .filter(({ check }) => check === 'portal_prorates')
      .map(({ status, message }) => `${status} ${message}`)
  expect(await portals('source')).toEqual(['ok no portal changes subscriptions with a proration'])
  const features = {
    subscription_cancel: { enabled: true, mode: 'immediately', proration_behavior: 'create_prorations' },
  }
  const { id } = await school.target.billingPortal.configurations.create({ features } as never)
  expect(await portals('source')).toEqual([expect.stringContaining(`warning portal ${id} changes or ends`)])
  expect(await portals('settled')).toEqual([])
  const portal = (behavior: string): Map<string, never[]> => {
    const update = { enabled: true, proration_behavior: behavior }
    return new Map([
      ['portal_configuration', [{ id: 'bpc_1', active: true, features: { subscription_update: update } } as never]],
    ])
  }
  const named = async (behavior: string): Promise<readonly string[]> => {
    const context = school.stage('target')
    const { live } = await survey(context)
    return paidElsewhere(context.catalog, { ...live, resources: portal(behavior) }, new Set()).map(
      ({ message }) => message,
    )
  }
  expect(await named('create_prorations')).toEqual([expect.stringContaining('in the portal bpc_1')])
  expect(await named('none')).toEqual([])
  await school.advance('2026-10-22T00:00:00Z')
  expect(await named('create_prorations')).toEqual([])
})
