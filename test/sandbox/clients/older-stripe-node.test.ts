import OlderStripe from 'stripe-22'
import Stripe from 'stripe'
import { expect, test } from 'vitest'
import { createSandbox } from '../../../src/sandbox/sandbox.ts'
import { serveSandbox } from '../../../src/sandbox/server.ts'

test('an older major version of the Node library works, and each answer says that its version differs', async () => {
  expect(OlderStripe.API_VERSION).not.toBe(Stripe.API_VERSION)
  const server = await serveSandbox(createSandbox(), { port: 0 })
  try {
    const { hostname, port } = new URL(server.url)
    const stripe = new OlderStripe('sk_test_sandbox_us', { host: hostname, port, protocol: 'http' })
    const product = await stripe.products.create({ name: 'Membership' })
    expect(product.lastResponse.headers['crossbill-sandbox-warning']).toContain(OlderStripe.API_VERSION)
    const price = await stripe.prices.create({
      product: product.id,
      currency: 'usd',
      unit_amount: 4_900,
      recurring: { interval: 'month' },
    })
    const clock = await stripe.testHelpers.testClocks.create({
      frozen_time: Date.parse('2027-01-31T10:00:00Z') / 1_000,
    })
    const customer = await stripe.customers.create({
      payment_method: 'pm_card_visa',
      invoice_settings: { default_payment_method: 'pm_card_visa' },
      test_clock: clock.id,
    })
    const { id } = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id }] })
    await stripe.testHelpers.testClocks.advance(clock.id, { frozen_time: Date.parse('2027-03-01T00:00:00Z') / 1_000 })
    const totals: number[] = []
    for await (const invoice of stripe.invoices.list({ subscription: id, limit: 1 })) totals.push(invoice.total)
    expect(totals).toEqual([4_900, 4_900])
    await expect(stripe.subscriptions.retrieve('sub_none')).rejects.toMatchObject({ code: 'resource_missing' })
  } finally {
    await server.close()
  }
}, 60_000)
