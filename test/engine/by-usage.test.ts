import type Stripe from 'stripe'
import { describe, expect, test, vi } from 'vitest'
import { makePlan } from '../../src/engine/plan/make-plan.ts'
import { verify } from '../../src/engine/verify/verify.ts'
import { apply } from '../../src/engine/apply/apply.ts'
import { dieAt, planAndApply } from './rig.ts'
import { billsOf, member, story, successorOf, violationsOf, type Story } from './stories/world.ts'

/*
 * A subscription that is billed by usage changes accounts at the end of its period: the old account
 * bills the usage until then, the target everything from there on.
 */

vi.setConfig({ testTimeout: 90_000 })

const clock = { clock: '2026-01-15T08:00:00Z', now: '2026-02-20T00:00:00Z' }
const boundary = '2026-03-15T08:00:00Z'
const carry = 'policies: { metered: carry }\n'

interface Shop {
  readonly usage: string
  readonly base: string
}

async function shop(client: Stripe): Promise<Shop> {
  const product = (await client.products.create({ name: 'Storage' })).id
  const meter = await client.billing.meters.create({
    display_name: 'Storage',
    event_name: 'storage',
    default_aggregation: { formula: 'sum' },
  })
  const price = async (unit_amount: number, more: Partial<Stripe.PriceCreateParams.Recurring>): Promise<string> =>
    (await client.prices.create({ product, currency: 'usd', unit_amount, recurring: { interval: 'month', ...more } }))
      .id
  return { usage: await price(5, { usage_type: 'metered', meter: meter.id }), base: await price(2_000, {}) }
}

const customers = new Map<string, string>()

/** One member with usage alone, and one who pays a base price as well. */
async function twoMembers(
  { us }: { readonly us: Stripe },
  more: Partial<Stripe.SubscriptionCreateParams> = {},
): Promise<readonly string[]> {
  const { usage, base } = await shop(us)
  const ids: string[] = []
  for (const items of [[{ price: usage }], [{ price: base }, { price: usage }]]) {
    const customer = await member(us)
    const { id } = await us.subscriptions.create({ customer, items, ...more })
    customers.set(id, customer)
    ids.push(id)
  }
  return ids
}

async function record(client: Stripe, subscription: string, value: number): Promise<void> {
  const payload = { stripe_customer_id: customers.get(subscription) ?? '', value: String(value) }
  await client.billing.meterEvents.create({ event_name: 'storage', payload })
}

/** What the school's software does: it records usage where the boundary says. */
async function use(world: Story, subscription: string, account: 'us' | 'target', value: number): Promise<void> {
  await record(world.unmoved, subscription, value)
  await record(world[account], subscription, value)
}

describe.each(['classic', 'flexible'] as const)('%s billing mode', (type) => {
  test('the old account bills the usage until the boundary and ends; the target bills from there on', async () => {
    let ids: readonly string[] = []
    await using world = await story({ ...clock, policies: carry }, async (past) => {
      ids = await twoMembers(past, { billing_mode: { type } })
    })
    for (const id of ids) await use(world, id, 'us', 40)
    const { plan, result } = await planAndApply(world.stage('target'))
    expect(plan.blocked).toEqual([])
    expect(result.changes.filter(({ outcome }) => outcome !== 'done')).toEqual([])
    expect(await violationsOf(world.stage('target'))).toEqual([])
    expect((await makePlan(world.stage('target'))).changes).toEqual([])
    await world.advance('2026-03-10T00:00:00Z')
    for (const id of ids) await use(world, id, 'us', 7)
    await world.advance('2026-03-16T00:00:00Z')
    for (const id of ids) await use(world, id, 'target', 11)
    for (const id of ids) {
      const old = await world.us.subscriptions.retrieve(id)
      expect([old.status, old.ended_at]).toEqual(['canceled', Date.parse(boundary) / 1_000])
      expect((await successorOf(world, id)).status).toBe('active')
    }
    expect(await violationsOf(world.stage('target'))).toEqual([])
    expect((await makePlan(world.stage('settled'))).changes).toEqual([])
    await world.advance('2026-08-20T00:00:00Z')
    expect(world.differences()).toEqual([])
    const [alone = '', both = ''] = ids
    expect(billsOf(world, alone)).toEqual(['us 2026-03-15T09:00:00Z 235', 'target 2026-04-15T09:00:00Z 55'])
    expect(billsOf(world, both).slice(0, 3)).toEqual([
      'us 2026-03-15T09:00:00Z 235',
      'target 2026-03-15T09:00:00Z 2000',
      'target 2026-04-15T09:00:00Z 2055',
    ])
  })

  test('until the boundary a revert takes back both, and the old account bills on', async () => {
    let ids: readonly string[] = []
    await using world = await story({ ...clock, policies: carry }, async (past) => {
      ids = await twoMembers(past, { billing_mode: { type } })
    })
    for (const id of ids) await use(world, id, 'us', 40)
    await planAndApply(world.stage('target'))
    await world.advance('2026-03-10T00:00:00Z')
    const { result } = await planAndApply(world.stage('source'))
    expect(result.changes.map(({ action, outcome }) => [action, outcome])).toEqual(ids.map(() => ['revert', 'done']))
    for (const id of ids) {
      const old = await world.us.subscriptions.retrieve(id)
      expect([old.status, old.cancel_at_period_end, old.pause_collection]).toEqual(['active', false, null])
    }
    expect((await verify(world.stage('source'))).violations).toEqual([])
    for (const id of ids) await use(world, id, 'us', 3)
    await world.advance('2026-08-20T00:00:00Z')
    expect(world.differences()).toEqual([])
  })
})

async function moved(
  policies = carry,
): Promise<{ readonly world: Story; readonly id: string; readonly ids: readonly string[] }> {
  let ids: readonly string[] = []
  const world = await story({ ...clock, policies }, async (past) => {
    ids = await twoMembers(past)
  })
  for (const id of ids) await use(world, id, 'us', 40)
  await planAndApply(world.stage('target'))
  await world.advance('2026-03-10T00:00:00Z')
  return { world, ids, id: ids[1] ?? '' }
}

describe('what happens in the old account until the boundary', () => {
  test('a person renews the old subscription in the portal: verify names it, and apply lets it end again', async () => {
    const { world, id } = await moved()
    await using _ = world
    await world.us.subscriptions.update(id, { cancel_at_period_end: false })
    expect(await violationsOf(world.stage('target'))).toEqual([`double_payer us/${id}`, `hold_missing us/${id}`])
    const { result } = await planAndApply(world.stage('target'))
    expect(result.recovered.length).toBe(1)
    expect(await violationsOf(world.stage('target'))).toEqual([])
    await world.advance('2026-06-20T00:00:00Z')
    expect(world.differences()).toEqual([])
  })

  test('a person renews the old subscription after a change in the target: the end is set again, and the change stays', async () => {
    const { world, id } = await moved()
    await using _ = world
    const { id: successor, items } = await successorOf(world, id)
    const base = items.data.find(({ price }) => price.recurring?.usage_type === 'licensed')
    const seats = { items: [{ id: base?.id ?? '', quantity: 2 }], proration_behavior: 'none' as const }
    await world.target.subscriptions.update(successor, seats)
    await world.us.subscriptions.update(id, { cancel_at_period_end: false })
    await planAndApply(world.stage('target'))
    expect((await world.us.subscriptions.retrieve(id)).cancel_at_period_end).toBe(true)
    expect((await world.target.subscriptions.retrieve(successor)).status).toBe('active')
    expect(await violationsOf(world.stage('target'))).toEqual([`terms_differ us/${id}`])
  })

  test('a member cancels at once through an old door: a cancel, not the intended end', async () => {
    const { world, id } = await moved()
    await using _ = world
    await world.us.subscriptions.cancel(id)
    expect(await violationsOf(world.stage('target'))).toEqual([`cancelled_in_source us/${id}`])
  })

  test('an earlier end through an old door is a cancel as well', async () => {
    const { world, id } = await moved()
    await using _ = world
    await world.us.subscriptions.update(id, { cancel_at: Date.parse('2026-03-12T00:00:00Z') / 1_000 })
    expect(await violationsOf(world.stage('target'))).toContain(`hold_missing us/${id}`)
  })

  test('the new subscription is cancelled: the old one is settled, and its usage is billed with the cancel', async () => {
    const { world, id } = await moved()
    await using _ = world
    await world.target.subscriptions.cancel((await successorOf(world, id)).id)
    await planAndApply(world.stage('target'))
    expect((await world.us.subscriptions.retrieve(id)).status).toBe('canceled')
    expect(billsOf(world, id).map((bill) => bill.replace(/T\S+/, ''))).toEqual(['us 2026-03-10 200'])
  })

  test('a settle bills no usage where its invoice would also charge an item added meanwhile, and says so', async () => {
    const { world, id } = await moved()
    await using _ = world
    const item = await world.us.invoiceItems.create({ customer: customers.get(id) ?? '', amount: 900, currency: 'usd' })
    await world.target.subscriptions.cancel((await successorOf(world, id)).id)
    const { plan } = await planAndApply(world.stage('target'))
    expect(plan.changes.flatMap(({ because }) => because).join('; ')).toContain(item.id)
    expect((await world.us.subscriptions.retrieve(id)).status).toBe('canceled')
    expect(billsOf(world, id)).toEqual([])
  })
})

test('a move that stops before the end is set, and goes on after the boundary, holds the usage back and names it', async () => {
  let ids: readonly string[] = []
  await using world = await story({ ...clock, policies: carry }, async (past) => {
    ids = await twoMembers(past)
  })
  const [id = ''] = ids
  for (const one of ids) await use(world, one, 'us', 40)
  await planAndApply(world.stage('source'))
  const only = world.stage(({ subscription }) => (subscription === id ? 'target' : 'source'))
  const plan = await makePlan(only)
  const keep = plan.changes.flatMap(({ steps }) => steps).findIndex((step) => step.id === 'keep')
  expect(await dieAt(only, { request: keep, side: 'before' }, (living) => apply(living, plan))).toBe(true)
  expect((await world.us.subscriptions.retrieve(id)).pause_collection?.behavior).toBe('keep_as_draft')
  await world.advance('2026-03-16T00:00:00Z')
  await planAndApply(only)
  const old = await world.us.subscriptions.retrieve(id)
  expect([old.status, old.cancel_at_period_end, old.pause_collection?.behavior]).toEqual(['active', false, 'void'])
  const { violations } = await verify(only)
  expect(violations.filter(({ code }) => code === 'money_on_held_source')).toMatchObject([
    { subscriber: `us/${id}`, detail: expect.stringContaining('2.00 usd') },
  ])
})

test('usage in the account that does not bill it is named', async () => {
  const { world, id } = await moved()
  await using _ = world
  await record(world.target, id, 5)
  await world.advance('2026-03-10T01:00:00Z')
  expect((await verify(world.stage('target'))).violations).toMatchObject([
    {
      code: 'usage_misplaced',
      subscriber: `us/${id}`,
      detail: expect.stringMatching(/^5 units before .* are in the target/),
    },
  ])
  await world.advance('2026-03-16T00:00:00Z')
  await record(world.us, id, 9)
  await world.advance('2026-03-16T01:00:00Z')
  const [first] = (await verify(world.stage('target'))).violations
  expect(first?.detail).toMatch(/; 9 units since .* are in us, where nothing bills them any more$/)
  await world.advance('2026-05-01T00:00:00Z')
  expect(await violationsOf(world.stage('target'))).toEqual([])
})

describe('what cannot be divided at the boundary stays, and says what was looked at', () => {
  const cases: Readonly<Record<string, (us: Stripe, id: string) => Promise<unknown>>> = {
    'its collection is paused': (us, id) => us.subscriptions.update(id, { pause_collection: { behavior: 'void' } }),
    'a schedule manages the subscription': async (us, id) => {
      const { id: schedule, phases } = await us.subscriptionSchedules.create({ from_subscription: id })
      const { items } = await us.subscriptions.retrieve(id)
      const start_date = phases[0]?.start_date ?? 0
      const phase = { items: items.data.map(({ price }) => ({ price: price.id })), start_date }
      return us.subscriptionSchedules.update(schedule, {
        phases: [{ ...phase, end_date: Date.parse('2026-09-15T08:00:00Z') / 1_000 }],
      })
    },
    'it has an end of its own (2026-08-15T08:00:00Z)': (us, id) =>
      us.subscriptions.update(id, {
        cancel_at: Date.parse('2026-08-15T08:00:00Z') / 1_000,
        proration_behavior: 'none',
      }),
    'its customer has a balance, which the last invoice would use': (us, id) =>
      us.customers.createBalanceTransaction(customers.get(id) ?? '', { amount: -500, currency: 'usd' }),
    'it has a discount of an amount or for one invoice, which would reduce the last invoice and the first one of the target':
      async (us, id) => {
        const coupon = await us.coupons.create({ amount_off: 100, currency: 'usd', duration: 'forever' })
        return us.subscriptions.update(id, { discounts: [{ coupon: coupon.id }] })
      },
    'another subscription of the customer bills the same usage': async (us, id) => {
      const { items } = await us.subscriptions.retrieve(id)
      const price = items.data.at(-1)?.price.id ?? ''
      return us.subscriptions.create({ customer: customers.get(id) ?? '', items: [{ price }] })
    },
    'its billing threshold bills usage within the period': (us, id) =>
      us.subscriptions.update(id, { billing_thresholds: { amount_gte: 5_000 } }),
  }
  const policies =
    'policies: { metered: carry, schedules: carry, collection_paused: carry, customer_balance: carry, past_due: carry }\n'
  test.each(Object.entries(cases))('%s', async (why, make) => {
    let ids: readonly string[] = []
    await using world = await story({ ...clock, policies }, async (past) => {
      ids = await twoMembers(past)
      await make(past.us, ids[0] ?? '')
    })
    const { blocked } = await makePlan(world.stage('target'))
    const found = blocked.filter(({ address }) => address.endsWith(ids[0] ?? '?'))
    expect(found).toMatchObject([
      {
        code: 'metered_price',
        message: expect.stringContaining(`is billed by usage, and ${why}`),
        fix: expect.stringContaining('leave'),
      },
    ])
    expect(blocked.some(({ address }) => address.endsWith(ids[1] ?? '?'))).toBe(false)
  })
})

test('without the policy nobody is moved, and the message names both decisions', async () => {
  await using world = await story(clock, async (past) => twoMembers(past))
  const { blocked, changes } = await makePlan(world.stage('target'))
  expect(changes.filter(({ action }) => action === 'move')).toEqual([])
  expect(blocked.map(({ code }) => code)).toEqual(['metered_price', 'metered_price'])
  expect(blocked[0]?.fix).toContain('metered: carry')
  expect(blocked[0]?.fix).toContain('leave: { metered_price: REASON }')
})

test('a trial and a discount in percent are carried along', async () => {
  let ids: readonly string[] = []
  await using world = await story({ ...clock, policies: carry }, async (past) => {
    const coupon = await past.us.coupons.create({ percent_off: 10, duration: 'forever' })
    const discounts = [{ coupon: coupon.id }]
    ids = await twoMembers(past, { discounts, trial_end: Date.parse('2026-03-20T10:00:00Z') / 1_000 })
  })
  const { plan, result } = await planAndApply(world.stage('target'))
  expect(plan.blocked).toEqual([])
  expect(result.changes.filter(({ outcome }) => outcome !== 'done')).toEqual([])
  await world.advance('2026-03-21T00:00:00Z')
  for (const id of ids) await use(world, id, 'target', 30)
  await world.advance('2026-07-01T00:00:00Z')
  expect(await violationsOf(world.stage('target'))).toEqual([])
  expect(world.differences()).toEqual([])
})
