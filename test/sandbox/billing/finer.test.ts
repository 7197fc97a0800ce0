// Details: usage, pending items, notices, saved methods, codes with conditions, lost tax locations,
// searches.
import type Stripe from 'stripe'
import { describe, expect, test } from 'vitest'
import { refusal } from '../client.ts'
import { at, iso, school } from './school.ts'

describe('metered prices (docs.stripe.com/billing/subscriptions/usage-based)', () => {
  const metered = async () => {
    const world = await school()
    const { stripe, product } = world
    const meter = await stripe.billing.meters.create({
      display_name: 'Calls',
      event_name: 'calls',
      default_aggregation: { formula: 'sum' },
    })
    const { id } = await stripe.prices.create({
      product,
      currency: 'usd',
      unit_amount: 10,
      recurring: { interval: 'month', usage_type: 'metered', meter: meter.id },
    })
    const use = (value: number) =>
      stripe.billing.meterEvents.create({
        event_name: 'calls',
        payload: { stripe_customer_id: world.customer, value: String(value) },
      })
    return { ...world, metered: id, use }
  }

  test('bill usage at the end of the period, beside prices billed in advance', async () => {
    const { stripe, customer, monthly, metered: price, use, until, ledger } = await metered()
    const made = await stripe.subscriptions.create({ customer, items: [{ price: monthly }, { price }] })
    expect(made.items.data[1]?.quantity).toBeUndefined()
    await until('2027-01-20T00:00:00Z')
    await use(30)
    await until('2027-02-05T00:00:00Z')
    await use(12)
    await until('2027-02-11T00:00:00Z')
    expect(ledger().map((charge) => charge.amount)).toEqual([4900, 4900 + 420])
    const [invoice] = (await stripe.invoices.list({ subscription: made.id })).data
    expect(invoice?.lines.data.map((line) => [line.amount, line.quantity, iso(line.period.start)])).toEqual([
      [4900, 1, '2027-02-10T12:00:00Z'],
      [420, 42, '2027-01-10T12:00:00Z'],
    ])
  })

  test('and once more at the end of the subscription', async () => {
    const { stripe, customer, metered: price, use, until, ledger } = await metered()
    await stripe.subscriptions.create({ customer, items: [{ price }], cancel_at_period_end: true })
    await until('2027-01-20T00:00:00Z')
    await use(100)
    await until('2027-03-20T00:00:00Z')
    expect(ledger().map((charge) => charge.amount)).toEqual([1000])
  })

  test('a quantity is refused', async () => {
    const { stripe, customer, metered: price } = await metered()
    expect((await refusal(stripe.subscriptions.create({ customer, items: [{ price, quantity: 2 }] }))).param).toBe(
      'items[0][quantity]',
    )
  })
})

test('pending_invoice_item_interval bills pending items between renewals (API reference)', async () => {
  const { stripe, customer, price, until, ledger } = await school()
  const yearly = await price({ recurring: { interval: 'year' }, unit_amount: 49_000 })
  const made = await stripe.subscriptions.create({
    customer,
    items: [{ price: yearly }],
    pending_invoice_item_interval: { interval: 'month' },
  })
  expect(iso(made.next_pending_invoice_item_invoice)).toBe('2027-02-10T12:00:00Z')
  await until('2027-03-01T00:00:00Z')
  await stripe.invoiceItems.create({ customer, amount: 700, currency: 'usd' })
  await until('2027-05-01T00:00:00Z')
  expect(ledger().map((charge) => [charge.at, charge.amount])).toEqual([
    ['2027-01-10T12:00:00Z', 49_000],
    ['2027-03-10T13:00:00Z', 700],
  ])
  const [invoice] = (await stripe.invoices.list({ customer, limit: 1 })).data
  expect(invoice?.billing_reason).toBe('automatic_pending_invoice_item_invoice')
})

test('an event announces the end of a trial three days before; never for an anchor ahead (docs trials)', async () => {
  const { stripe, customer, monthly, until } = await school()
  await stripe.subscriptions.create({ customer, items: [{ price: monthly }], trial_end: at('2027-01-30T00:00:00Z') })
  await stripe.subscriptions.create({
    customer,
    items: [{ price: monthly }],
    billing_cycle_anchor: at('2027-01-30T00:00:00Z'),
    proration_behavior: 'none',
  })
  await until('2027-01-30T00:00:00Z')
  const { data } = await stripe.events.list({ type: 'customer.subscription.trial_will_end' })
  expect(data.map((event) => iso(event.created))).toEqual(['2027-01-27T00:00:00Z'])
})

test('save_default_payment_method on_subscription keeps the card that paid (SDK PaymentSettings)', async () => {
  const { stripe, customer, monthly } = await school()
  const create = (save: 'off' | 'on_subscription') =>
    stripe.subscriptions.create({
      customer,
      items: [{ price: monthly }],
      payment_settings: { save_default_payment_method: save },
    })
  expect((await create('off')).default_payment_method).toBeNull()
  expect((await create('on_subscription')).default_payment_method).toMatch(/^pm_/)
})

test('an active subscription whose customer has no known location any more continues without tax, with the reason (SDK AutomaticTax.disabled_reason)', async () => {
  const { stripe, customer, monthly, until, ledger } = await school()
  await stripe.customers.update(customer, { address: { country: 'DE' } })
  const { id } = await stripe.subscriptions.create({
    customer,
    items: [{ price: monthly }],
    automatic_tax: { enabled: true },
  })
  await stripe.customers.update(customer, { address: '' })
  await until('2027-02-11T00:00:00Z')
  expect((await stripe.subscriptions.retrieve(id)).automatic_tax).toMatchObject({
    enabled: false,
    disabled_reason: 'requires_location_inputs',
  })
  expect(ledger().map((charge) => charge.amount)).toEqual([4900 + 931, 4900])
})

describe('promotion codes with conditions: apply the coupon instead (docs coupons)', () => {
  test('for first purchases only: refused for a customer who has paid; the coupon itself is not', async () => {
    const { stripe, customer, monthly, coupon } = await school()
    const half = await coupon({ percent_off: 50, duration: 'forever' })
    const code = await stripe.promotionCodes.create({
      promotion: { type: 'coupon', coupon: half },
      restrictions: { first_time_transaction: true },
    })
    const create = (given: Stripe.SubscriptionCreateParams.Discount) =>
      stripe.subscriptions.create({ customer, items: [{ price: monthly }], discounts: [given] })
    expect((await create({ promotion_code: code.id })).status).toBe('active')
    expect((await refusal(create({ promotion_code: code.id }))).param).toBe('discounts[0][promotion_code]')
    expect((await create({ coupon: half })).status).toBe('active')
  })

  test('with a minimum amount, refused below it', async () => {
    const { stripe, customer, monthly, coupon } = await school()
    const code = await stripe.promotionCodes.create({
      promotion: { type: 'coupon', coupon: await coupon({ percent_off: 50, duration: 'forever' }) },
      restrictions: { minimum_amount: 5000, minimum_amount_currency: 'usd' },
    })
    const create = (quantity: number) =>
      stripe.subscriptions.create({
        customer,
        items: [{ price: monthly, quantity }],
        discounts: [{ promotion_code: code.id }],
      })
    expect((await refusal(create(1))).status).toBe(400)
    expect((await create(2)).status).toBe('active')
  })
})

test('cancel_at inside a paid period credits the rest only with prorations', async () => {
  const { stripe, customer, monthly, until } = await school()
  const create = async () => (await stripe.subscriptions.create({ customer, items: [{ price: monthly }] })).id
  const [one, two] = [await create(), await create()]
  await stripe.subscriptions.update(one, { cancel_at: at('2027-01-20T12:00:00Z'), proration_behavior: 'none' })
  expect((await stripe.invoiceItems.list({ customer, pending: true })).data).toEqual([])
  await stripe.subscriptions.update(two, { cancel_at: at('2027-01-20T12:00:00Z') })
  expect((await stripe.invoiceItems.list({ customer, pending: true })).data.map((item) => item.amount)).toEqual([
    -Math.round((4900 * 21) / 31),
  ])
  await until('2027-01-20T14:00:00Z')
  expect(((await stripe.customers.retrieve(customer)) as Stripe.Customer).balance).toBe(-Math.round((4900 * 21) / 31))
})

test('search is delayed: a new object is found a minute later (docs.stripe.com/search)', async () => {
  const { stripe, customer, monthly, until } = await school()
  const { id } = await stripe.subscriptions.create({
    customer,
    items: [{ price: monthly }],
    metadata: { crossbill_from: 'us/sub_1' },
  })
  const search = async () =>
    (await stripe.subscriptions.search({ query: "metadata['crossbill_from']:'us/sub_1'" })).data.map((row) => row.id)
  expect(await search()).toEqual([])
  await until('2027-01-10T12:01:00Z')
  expect(await search()).toEqual([id])
})

test('a subscription list shows no canceled ones, and those of deleted customers only with status canceled (SDK)', async () => {
  const { stripe, customer, monthly } = await school()
  const { id } = await stripe.subscriptions.create({ customer, items: [{ price: monthly }] })
  await stripe.customers.del(customer)
  const ids = async (params: Stripe.SubscriptionListParams) =>
    (await stripe.subscriptions.list(params)).data.map((row) => row.id)
  expect([await ids({}), await ids({ status: 'all' }), await ids({ status: 'canceled' })]).toEqual([[], [], [id]])
})

test('different seeds give different worlds, the same seed the same ids and amounts', async () => {
  const play = async (seed: number) => {
    const { stripe, customer, monthly, until, ledger } = await school({ seed })
    const { id } = await stripe.subscriptions.create({ customer, items: [{ price: monthly }] })
    await until('2027-06-01T00:00:00Z')
    return JSON.stringify([id, ledger()])
  }
  expect(await play(7)).toBe(await play(7))
  expect(await play(7)).not.toBe(await play(8))
})
