import type Stripe from 'stripe'
import { describe, expect, test } from 'vitest'
import { createSandbox } from '../../src/sandbox/sandbox.ts'
import { clientOf, refusal } from './client.ts'

async function shop() {
  const sandbox = createSandbox()
  const stripe = clientOf(sandbox)
  const product = await stripe.products.create({ id: 'p', name: 'P' })
  const price = await stripe.prices.create({
    product: 'p',
    currency: 'usd',
    unit_amount: 900,
    recurring: { interval: 'month' },
  })
  const clock = (to: string) =>
    sandbox.fetch('http://sandbox/_sandbox/clock', { method: 'POST', body: JSON.stringify({ to }) })
  return { sandbox, stripe, product, price, clock }
}

describe('the portal', () => {
  test('features are disabled by default, and an update keeps what it does not name', async () => {
    const { stripe, price } = await shop()
    const made = await stripe.billingPortal.configurations.create({
      features: {
        subscription_cancel: { enabled: true, mode: 'at_period_end' },
        subscription_update: {
          enabled: true,
          default_allowed_updates: ['price'],
          products: [{ product: 'p', prices: [price.id] }],
        },
      },
    })
    expect([
      made.is_default,
      made.features.invoice_history.enabled,
      made.features.subscription_update.products,
    ]).toEqual([true, false, undefined])
    const updated = await stripe.billingPortal.configurations.update(made.id, {
      features: { subscription_cancel: { enabled: false } },
      expand: ['features.subscription_update.products'],
    })
    expect(updated.features.subscription_cancel).toMatchObject({ enabled: false, mode: 'at_period_end' })
    expect(updated.features.subscription_update.products).toEqual([
      { product: 'p', prices: [price.id], adjustable_quantity: { enabled: false, maximum: null, minimum: 1 } },
    ])
    expect(await refusal(stripe.billingPortal.configurations.update(made.id, { active: false }))).toMatchObject({
      param: 'active',
    })
  })

  test('the update of subscriptions needs products to choose from', async () => {
    const { stripe } = await shop()
    const features = { subscription_update: { enabled: true, default_allowed_updates: ['price' as const] } }
    expect(await refusal(stripe.billingPortal.configurations.create({ features }))).toMatchObject({
      code: 'parameter_missing',
      param: 'features[subscription_update][products]',
    })
  })
})

describe('payment links and Checkout', () => {
  test('a link sells until it is deactivated', async () => {
    const { stripe, price } = await shop()
    const link = await stripe.paymentLinks.create({
      line_items: [{ price: price.id, quantity: 2 }],
      expand: ['line_items'],
    })
    expect(link.line_items?.data[0]).toMatchObject({ amount_total: 1800, quantity: 2, price: { id: price.id } })
    await stripe.paymentLinks.update(link.id, { active: false })
    expect((await stripe.paymentLinks.list({ active: true })).data).toEqual([])
  })

  test('an open session expires on request, or after a day', async () => {
    const { stripe, price, clock } = await shop()
    const params: Stripe.Checkout.SessionCreateParams = {
      mode: 'subscription',
      success_url: 'https://a.test',
      line_items: [{ price: price.id, quantity: 1 }],
    }
    const [a, b] = [await stripe.checkout.sessions.create(params), await stripe.checkout.sessions.create(params)]
    expect((await stripe.checkout.sessions.list({ status: 'open' })).data.map(({ id }) => id)).toEqual([b.id, a.id])
    expect((await stripe.checkout.sessions.expire(a.id)).status).toBe('expired')
    expect((await refusal(stripe.checkout.sessions.expire(a.id))).message).toMatch(/Only Checkout Sessions/)
    await clock('2026-12-02T12:00:00Z')
    expect((await stripe.checkout.sessions.list({ status: 'open' })).data).toEqual([])
    expect((await refusal(stripe.checkout.sessions.create({ ...params, mode: 'payment' }))).message).toMatch(
      /`payment` mode/,
    )
  })
})

test('features: one active per lookup key; archiving is final and removes it from products', async () => {
  const { stripe } = await shop()
  const feature = await stripe.entitlements.features.create({ lookup_key: 'library', name: 'Library' })
  const link = await stripe.products.createFeature('p', { entitlement_feature: feature.id })
  expect((await stripe.products.listFeatures('p')).data).toEqual([expect.objectContaining({ id: link.id })])
  expect(await refusal(stripe.entitlements.features.create({ lookup_key: 'library', name: 'L' }))).toMatchObject({
    param: 'lookup_key',
  })
  await stripe.entitlements.features.update(feature.id, { active: false })
  expect((await stripe.products.listFeatures('p')).data).toEqual([])
  expect(await refusal(stripe.entitlements.features.update(feature.id, { active: true }))).toMatchObject({
    status: 400,
  })
  expect((await stripe.entitlements.features.list()).data).toEqual([])
  expect((await stripe.entitlements.features.list({ archived: true })).data).toHaveLength(1)
})

test('meters add up usage within Stripe’s limits', async () => {
  const { sandbox, stripe } = await shop()
  const customer = await stripe.customers.create()
  const meter = await stripe.billing.meters.create({
    display_name: 'Calls',
    event_name: 'calls',
    default_aggregation: { formula: 'sum' },
  })
  const event = (value: string, timestamp = sandbox.clock() - 60, identifier = `e${value}`) =>
    stripe.billing.meterEvents.create({
      event_name: 'calls',
      identifier,
      timestamp,
      payload: { stripe_customer_id: customer.id, value },
    })
  await event('3')
  await event('4')
  expect(await refusal(event('4'))).toMatchObject({ code: 'resource_already_exists' })
  expect(await refusal(event('5', sandbox.clock() - 36 * 86_400))).toMatchObject({ code: 'timestamp_invalid' })
  const summary = await stripe.billing.meters.listEventSummaries(meter.id, {
    customer: customer.id,
    start_time: sandbox.clock() - 3_600,
    end_time: sandbox.clock(),
  })
  expect(summary.data[0]?.aggregated_value).toBe(7)
  expect((await stripe.billing.meters.deactivate(meter.id)).status).toBe('inactive')
  expect(await refusal(event('6'))).toMatchObject({ code: 'resource_missing' })
})

test('shipping rates and restrictions show their currency options when expanded', async () => {
  const { stripe } = await shop()
  const rate = await stripe.shippingRates.create({
    display_name: 'Post',
    fixed_amount: { amount: 500, currency: 'usd', currency_options: { eur: { amount: 450 } } },
  })
  expect(rate.fixed_amount?.currency_options).toBeUndefined()
  const read = await stripe.shippingRates.retrieve(rate.id, { expand: ['fixed_amount.currency_options'] })
  expect(read.fixed_amount?.currency_options).toEqual({
    usd: { amount: 500, tax_behavior: 'unspecified' },
    eur: { amount: 450, tax_behavior: 'unspecified' },
  } satisfies Stripe.ShippingRate.FixedAmount['currency_options'])
})
