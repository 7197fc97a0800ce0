// Discounts in billing (docs.stripe.com/billing/subscriptions/coupons). Each case names its source.
import type Stripe from 'stripe'
import { describe, expect, test } from 'vitest'
import { customers } from '../../../src/sandbox/stripe/customer-row.ts'
import { discounts } from '../../../src/sandbox/stripe/discounts.ts'
import { refusal } from '../client.ts'
import { at, iso, school, type School } from './school.ts'

const amounts = (world: School) => world.ledger().map((charge) => charge.amount)

/** A discount of the customer, as the Dashboard creates it. */
function discountOfCustomer(world: School, coupon: string): string {
  const account = world.sandbox.world.account('us')
  const row = account.table(discounts).put({
    id: account.newId('di'),
    created: world.sandbox.clock(),
    coupon,
    promotion_code: null,
    customer: world.customer,
    subscription: null,
    subscription_item: null,
    invoice: null,
    invoice_item: null,
    start: world.sandbox.clock(),
    end: null,
  })
  const customer = account.table(customers).get(world.customer)
  if (customer !== undefined) account.table(customers).put({ ...customer, discount: row.id })
  return row.id
}

describe('which discounts apply', () => {
  test('those of an item apply before those of the subscription, in the given order', async () => {
    const world = await school()
    const { stripe, customer, monthly, coupon } = world
    const half = await coupon({ percent_off: 50, duration: 'forever' })
    const tenOff = await coupon({ amount_off: 1000, currency: 'usd', duration: 'forever' })
    const tenth = await coupon({ percent_off: 10, duration: 'forever' })
    const made = await stripe.subscriptions.create({
      customer,
      items: [{ price: monthly, discounts: [{ coupon: half }] }],
      discounts: [{ coupon: tenOff }, { coupon: tenth }],
      expand: ['latest_invoice', 'discounts', 'discounts.source.coupon', 'items.data.discounts'],
    })
    // 4900 - 2450 = 2450; - 1000 = 1450; - 145 = 1305
    expect(made.latest_invoice).toMatchObject({ subtotal: 2450, total: 1305, amount_due: 1305 })
    expect((made.latest_invoice as Stripe.Invoice).total_discount_amounts?.map((one) => one.amount)).toEqual([
      2450, 1000, 145,
    ])
    expect(made.discounts).toMatchObject([
      { object: 'discount', source: { coupon: { id: tenOff } }, subscription: made.id },
      { source: { coupon: { id: tenth } } },
    ])
    expect(made.items.data[0]?.discounts).toMatchObject([
      { source: { coupon: half }, subscription_item: made.items.data[0]?.id },
    ])
  })

  test('more than 20 and the same coupon twice, even by its promotion code, are refused', async () => {
    const { stripe, customer, monthly, coupon } = await school()
    const one = await coupon({ percent_off: 5, duration: 'forever' })
    const code = await stripe.promotionCodes.create({ promotion: { type: 'coupon', coupon: one }, code: 'FIVE' })
    const create = (given: Stripe.SubscriptionCreateParams.Discount[]) =>
      refusal(stripe.subscriptions.create({ customer, items: [{ price: monthly }], discounts: given }))
    expect((await create([{ coupon: one }, { promotion_code: code.id }])).status).toBe(400)
    expect((await create(Array.from({ length: 21 }, () => ({ coupon: one })))).status).toBe(400)
  })

  test('omitted on creation, the customer’s own discount applies to the invoices (SDK SubscriptionCreateParams)', async () => {
    const world = await school()
    const { stripe, customer, monthly, coupon, until } = world
    discountOfCustomer(world, await coupon({ percent_off: 20, duration: 'forever' }))
    const made = await stripe.subscriptions.create({ customer, items: [{ price: monthly }] })
    expect(made.discounts).toEqual([])
    await until('2027-02-11T00:00:00Z')
    expect(amounts(world)).toEqual([3920, 3920])
  })

  test('a discount of the subscription replaces the customer’s', async () => {
    const world = await school()
    const { stripe, customer, monthly, coupon } = world
    discountOfCustomer(world, await coupon({ percent_off: 20, duration: 'forever' }))
    await stripe.subscriptions.create({
      customer,
      items: [{ price: monthly }],
      discounts: [{ coupon: await coupon({ percent_off: 50, duration: 'forever' }) }],
    })
    expect(amounts(world)).toEqual([2450])
  })

  test('a customer-level once applies only to the customer’s earliest invoice', async () => {
    const world = await school()
    const { stripe, customer, monthly, coupon, until } = world
    discountOfCustomer(world, await coupon({ percent_off: 20, duration: 'once' }))
    await stripe.subscriptions.create({ customer, items: [{ price: monthly }] })
    await stripe.subscriptions.create({ customer, items: [{ price: monthly }] })
    await until('2027-02-11T00:00:00Z')
    expect(amounts(world)).toEqual([3920, 4900, 4900, 4900])
    expect((await stripe.customers.retrieve(customer)) as Stripe.Customer).toMatchObject({ discount: null })
  })

  test('an amount off in another currency is ignored; with a matching currency option it applies', async () => {
    const world = await school()
    const { stripe, customer, price, coupon } = world
    const euros = await price({ currency: 'eur' })
    const off = await coupon({ amount_off: 500, currency: 'usd', duration: 'forever' })
    const both = await coupon({
      amount_off: 600,
      currency: 'usd',
      currency_options: { eur: { amount_off: 700 } },
      duration: 'forever',
    })
    await stripe.subscriptions.create({
      customer,
      items: [{ price: euros }],
      discounts: [{ coupon: off }, { coupon: both }],
    })
    expect(amounts(world)).toEqual([4200])
  })

  test('a coupon for some products does not change other lines', async () => {
    const world = await school()
    const { stripe, customer, monthly, price, coupon } = world
    const other = await stripe.products.create({ name: 'Diploma' })
    const diploma = await price({ product: other.id, unit_amount: 10_000 })
    const off = await coupon({ percent_off: 50, duration: 'forever', applies_to: { products: [other.id] } })
    await stripe.subscriptions.create({
      customer,
      items: [{ price: monthly }, { price: diploma }],
      discounts: [{ coupon: off }],
    })
    expect(amounts(world)).toEqual([9900])
  })

  test('an expired or used-up coupon is coupon_expired; running discounts survive the deletion of their coupon', async () => {
    const world = await school()
    const { stripe, customer, monthly, coupon, until } = world
    const few = await coupon({ percent_off: 50, duration: 'forever', max_redemptions: 1 })
    const soon = await coupon({ percent_off: 50, duration: 'forever', redeem_by: at('2027-01-11T00:00:00Z') })
    const create = (given: string) =>
      stripe.subscriptions.create({ customer, items: [{ price: monthly }], discounts: [{ coupon: given }] })
    await create(few)
    expect(await refusal(create(few))).toMatchObject({ status: 400, code: 'coupon_expired' })
    await until('2027-01-11T00:00:01Z')
    expect((await refusal(create(soon))).code).toBe('coupon_expired')
    await stripe.coupons.del(few)
    await until('2027-02-11T00:00:00Z')
    expect(amounts(world)).toEqual([2450, 2450])
  })
})

describe('how long they last', () => {
  test('repeating counts calendar months from its start, not invoices: a weekly price gets every invoice within them', async () => {
    const world = await school()
    const { stripe, customer, price, coupon, until } = world
    const weekly = await price({ recurring: { interval: 'week' }, unit_amount: 1000 })
    const made = await stripe.subscriptions.create({
      customer,
      items: [{ price: weekly }],
      discounts: [{ coupon: await coupon({ percent_off: 50, duration: 'repeating', duration_in_months: 1 }) }],
      expand: ['discounts'],
    })
    expect((made.discounts as Stripe.Discount[]).map((one) => [iso(one.start), iso(one.end)])).toEqual([
      ['2027-01-10T12:00:00Z', '2027-02-10T12:00:00Z'],
    ])
    await until('2027-02-22T00:00:00Z')
    // 10, 17, 24, 31 January and 7 February are within the duration, 14 and 21 February are not.
    expect(amounts(world)).toEqual([500, 500, 500, 500, 500, 1000, 1000])
    expect((await stripe.subscriptions.retrieve(made.id)).discounts).toEqual([])
  })

  test('a yearly price that renews within them is discounted for the whole year', async () => {
    const world = await school()
    const { stripe, customer, price, coupon, until } = world
    const yearly = await price({ recurring: { interval: 'year' }, unit_amount: 49_000 })
    await stripe.subscriptions.create({
      customer,
      items: [{ price: yearly }],
      discounts: [{ coupon: await coupon({ percent_off: 50, duration: 'repeating', duration_in_months: 3 }) }],
    })
    await until('2028-01-11T00:00:00Z')
    expect(amounts(world)).toEqual([24_500, 49_000])
  })

  test('three months of a monthly price are three invoices', async () => {
    const world = await school()
    const { stripe, customer, monthly, coupon, until } = world
    await stripe.subscriptions.create({
      customer,
      items: [{ price: monthly }],
      discounts: [{ coupon: await coupon({ percent_off: 50, duration: 'repeating', duration_in_months: 3 }) }],
    })
    await until('2027-05-11T00:00:00Z')
    expect(amounts(world)).toEqual([2450, 2450, 2450, 4900, 4900])
  })

  test('once is used up by an immediate first invoice (stripe-go #944)', async () => {
    const world = await school()
    const { stripe, customer, monthly, coupon, until } = world
    const made = await stripe.subscriptions.create({
      customer,
      items: [{ price: monthly }],
      discounts: [{ coupon: await coupon({ percent_off: 50, duration: 'once' }) }],
    })
    expect(made.discounts).toEqual([])
    await until('2027-02-11T00:00:00Z')
    expect(amounts(world)).toEqual([2450, 4900])
  })

  test('once with anchor and none survives to the first renewal', async () => {
    const world = await school()
    const { stripe, customer, monthly, coupon, until } = world
    await stripe.subscriptions.create({
      customer,
      items: [{ price: monthly }],
      discounts: [{ coupon: await coupon({ percent_off: 50, duration: 'once' }) }],
      billing_cycle_anchor: at('2027-01-20T00:00:00Z'),
      proration_behavior: 'none',
    })
    await until('2027-03-01T00:00:00Z')
    expect(amounts(world)).toEqual([2450, 4900])
  })

  test('unsure in Stripe, both readings: whether the zero invoice of a trial uses up a once', async () => {
    for (const [consumes, expected] of [
      [false, 2450],
      [true, 4900],
    ] as const) {
      const world = await school()
      world.sandbox.world.unsure.zero_invoice_consumes_once = consumes
      const { stripe, customer, monthly, coupon, until } = world
      await stripe.subscriptions.create({
        customer,
        items: [{ price: monthly }],
        trial_period_days: 7,
        discounts: [{ coupon: await coupon({ percent_off: 50, duration: 'once' }) }],
      })
      await until('2027-01-20T00:00:00Z')
      expect(amounts(world)).toEqual([expected])
    }
  })

  const backdated = async (backdate: string, months: number, unsure = true) => {
    const world = await school()
    world.sandbox.world.unsure.discount_starts_backdated = unsure
    const { stripe, customer, monthly, coupon, until } = world
    await stripe.subscriptions.create({
      customer,
      items: [{ price: monthly }],
      discounts: [{ coupon: await coupon({ percent_off: 50, duration: 'repeating', duration_in_months: months }) }],
      backdate_start_date: at(backdate),
      billing_cycle_anchor: at('2027-01-25T00:00:00Z'),
      proration_behavior: 'none',
    })
    await until('2027-05-01T00:00:00Z')
    return amounts(world)
  }

  test('the duration begins at the backdated start: a three-month coupon backdated two months gives exactly one discounted invoice (Ghost e2e)', async () => {
    expect(await backdated('2026-11-25T00:00:00Z', 3)).toEqual([2450, 4900, 4900, 4900])
  })

  test('trap: a coupon of the remaining months with backdating ends at once', async () => {
    expect(await backdated('2026-11-25T00:00:00Z', 1)).toEqual([4900, 4900, 4900, 4900])
  })

  test('unsure, the other reading: the duration begins at creation', async () => {
    expect(await backdated('2026-11-25T00:00:00Z', 3, false)).toEqual([2450, 2450, 2450, 4900])
  })
})

describe('updates and discounts', () => {
  const waiting = async () => {
    const world = await school()
    const { stripe, customer, monthly, coupon } = world
    const made = await stripe.subscriptions.create({
      customer,
      items: [{ price: monthly }],
      discounts: [{ coupon: await coupon({ percent_off: 50, duration: 'repeating', duration_in_months: 2 }) }],
      billing_cycle_anchor: at('2027-01-25T00:00:00Z'),
      proration_behavior: 'none',
    })
    return { ...world, made }
  }

  test('with a future anchor and none, any update removes the coupon (migration toolkit page) unless the discount is sent again, which keeps its dates', async () => {
    const { stripe, made, until } = await waiting()
    await until('2027-01-12T00:00:00Z')
    const [discount] = made.discounts
    const kept = await stripe.subscriptions.update(made.id, {
      metadata: { note: 'x' },
      discounts: [{ discount: discount as string }],
      expand: ['discounts'],
    })
    expect(kept.discounts).toMatchObject([{ id: discount, end: at('2027-03-10T12:00:00Z') }])
    expect((await stripe.subscriptions.update(made.id, { metadata: { note: 'y' } })).discounts).toEqual([])
  })

  test('unsure, the other reading: the update keeps it', async () => {
    const { stripe, made, sandbox } = await waiting()
    sandbox.world.unsure.discounts_unset_before_anchor = false
    expect((await stripe.subscriptions.update(made.id, { metadata: { note: 'y' } })).discounts).toEqual(made.discounts)
  })

  test('otherwise an update without discounts keeps them, an array replaces them, an empty string clears them (SDK SubscriptionUpdateParams)', async () => {
    const { stripe, customer, monthly, coupon } = await school()
    const one = await coupon({ percent_off: 50, duration: 'forever' })
    const two = await coupon({ percent_off: 10, duration: 'forever' })
    const { id, discounts: before } = await stripe.subscriptions.create({
      customer,
      items: [{ price: monthly }],
      discounts: [{ coupon: one }],
    })
    expect((await stripe.subscriptions.update(id, { metadata: { a: 'b' } })).discounts).toEqual(before)
    const replaced = await stripe.subscriptions.update(id, { discounts: [{ coupon: two }], expand: ['discounts'] })
    expect(replaced.discounts).toMatchObject([{ source: { coupon: two } }])
    expect((await stripe.subscriptions.update(id, { discounts: '' })).discounts).toEqual([])
  })

  test('deleteDiscount removes the first one', async () => {
    const { stripe, customer, monthly, coupon } = await school()
    const one = await coupon({ percent_off: 50, duration: 'forever' })
    const { id } = await stripe.subscriptions.create({
      customer,
      items: [{ price: monthly }],
      discounts: [{ coupon: one }],
    })
    expect(await stripe.subscriptions.deleteDiscount(id)).toMatchObject({
      object: 'discount',
      deleted: true,
      source: { coupon: one },
    })
    expect((await stripe.subscriptions.retrieve(id)).discounts).toEqual([])
  })

  test('every discount that a subscription gains or loses is an event: also one that was used up, ended, removed or replaced', async () => {
    const { stripe, customer, monthly, coupon, until } = await school()
    const once = await coupon({ percent_off: 50, duration: 'once' })
    const month = await coupon({ percent_off: 10, duration: 'repeating', duration_in_months: 1 })
    const forever = await coupon({ percent_off: 5, duration: 'forever' })
    const { id } = await stripe.subscriptions.create({
      customer,
      items: [{ price: monthly, discounts: [{ coupon: month }] }],
      discounts: [{ coupon: once }, { coupon: forever }],
    })
    const told = async (type: string) =>
      (await stripe.events.list({ type, limit: 100 })).data
        .toReversed()
        .map(({ data, created }) => [(data.object as Stripe.Discount).source.coupon, iso(created).slice(0, 10)])
    expect(await told('customer.discount.created')).toEqual([
      [once, '2027-01-10'],
      [forever, '2027-01-10'],
      [month, '2027-01-10'],
    ])
    expect(await told('customer.discount.deleted')).toEqual([[once, '2027-01-10']])
    // Stripe keeps events for thirty days.
    await until('2027-02-11T00:00:00Z')
    await stripe.subscriptions.update(id, { discounts: [{ coupon: once }] })
    expect(await told('customer.discount.created')).toEqual([[once, '2027-02-11']])
    expect(await told('customer.discount.deleted')).toEqual([
      [month, '2027-02-10'],
      [forever, '2027-02-11'],
    ])
  })
})
