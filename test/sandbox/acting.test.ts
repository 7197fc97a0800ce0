import Stripe from 'stripe'
import { expect, test } from 'vitest'
import { instant } from '../../src/core/instant.ts'
import type { JsonObject } from '../../src/core/json.ts'
import { createSandbox } from '../../src/sandbox/sandbox.ts'
import { charges } from '../../src/sandbox/stripe/billing/rows.ts'

async function open(mode: 'classic' | 'flexible' = 'classic', own = false) {
  const sandbox = createSandbox()
  const stripe = new Stripe('sk_test_sandbox_us', { httpClient: Stripe.createFetchHttpClient(sandbox.fetch) })
  const product = await stripe.products.create({ name: 'Membership' })
  const [price, dearer] = await Promise.all(
    [4_900, 9_900].map((unit_amount) =>
      stripe.prices.create({ product: product.id, currency: 'usd', unit_amount, recurring: { interval: 'month' } }),
    ),
  )
  const customer = await stripe.customers.create({ email: 'a@example.com' })
  const method = await stripe.paymentMethods.attach('pm_card_visa', { customer: customer.id })
  if (!own) await stripe.customers.update(customer.id, { invoice_settings: { default_payment_method: method.id } })
  const subscription = await stripe.subscriptions.create({
    customer: customer.id,
    items: [{ price: price?.id ?? '' }],
    billing_mode: { type: mode },
    ...(own ? { default_payment_method: method.id } : {}),
  })
  const act = async (order: JsonObject) => {
    const body = JSON.stringify({ account: 'us', subscription: subscription.id, ...order })
    const response = await sandbox.fetch('http://x/_sandbox/act', { method: 'POST', body })
    return { status: response.status, body: (await response.json()) as JsonObject }
  }
  const months = (count: number) => sandbox.world.advance(instant(sandbox.clock() + count * 31 * 86_400 + 7_200))
  const ledger = () => [...sandbox.world.account('us').table(charges).all()].map((row) => `${row.amount} ${row.status}`)
  return { stripe, subscription, customer, dearer: dearer?.id ?? '', act, months, ledger }
}

test.each([
  ['classic', { cancel_at_period_end: true }],
  ['flexible', { cancel_at_period_end: false, cancel_at: expect.any(Number) as number }],
] as const)('a cancel in the portal of a %s subscription, and its withdrawal', async (mode, shows) => {
  const { stripe, subscription, act, months, ledger } = await open(mode)
  expect((await act({ act: 'cancel' })).status).toBe(200)
  expect(await stripe.subscriptions.retrieve(subscription.id)).toMatchObject(shows)
  await act({ act: 'keep' })
  await months(1)
  expect(ledger()).toEqual(['4900 succeeded', '4900 succeeded'])
  await act({ act: 'cancel' })
  await months(2)
  expect(ledger()).toHaveLength(2)
  expect((await stripe.subscriptions.retrieve(subscription.id)).status).toBe('canceled')
})

test('an immediate cancel', async () => {
  const { stripe, subscription, act } = await open()
  await act({ act: 'cancel', when: 'now' })
  expect((await stripe.subscriptions.retrieve(subscription.id)).status).toBe('canceled')
  expect((await act({ act: 'cancel', when: 'now' })).status).toBe(404)
})

test.each([false, true])('a changed card replaces the old one in the same place (own method: %s)', async (own) => {
  const { stripe, subscription, customer, act } = await open('classic', own)
  const { body } = await act({ act: 'change_card' })
  const sub = await stripe.subscriptions.retrieve(subscription.id)
  const there = (await stripe.customers.retrieve(customer.id)) as Stripe.Customer
  expect([sub.default_payment_method, there.invoice_settings.default_payment_method]).toEqual(
    own ? [body['payment_method'], null] : [null, body['payment_method']],
  )
})

test('a changed plan and quantity apply from the next renewal on', async () => {
  const { act, months, ledger, dearer } = await open()
  await act({ act: 'change_plan', price: dearer })
  await act({ act: 'change_quantity', quantity: 2 })
  await months(1)
  expect(ledger()).toEqual(['4900 succeeded', '19800 succeeded'])
})

test('a card declines a number of times, or from an instant on, until it is accepted again', async () => {
  const { act, months, ledger, stripe, subscription } = await open()
  await act({ act: 'decline_card', times: 1 })
  await months(1)
  expect(ledger()).toEqual(['4900 succeeded', '4900 failed'])
  expect((await stripe.subscriptions.retrieve(subscription.id)).status).toBe('past_due')
  await months(1)
  expect(ledger().slice(0, 4)).toEqual(['4900 succeeded', '4900 failed', '4900 succeeded', '4900 succeeded'])
  await act({ act: 'decline_card', from: '2027-02-15T00:00:00Z' })
  await months(1)
  expect(ledger().at(-1)).toBe('4900 failed')
  await act({ act: 'accept_card' })
  await months(1)
  expect(ledger().at(-1)).toBe('4900 succeeded')
})

test('payments that take days, and one that fails at the end', async () => {
  const { act, months, ledger } = await open()
  await act({ act: 'slow_payments', days: 10, then_fails: 'insufficient_funds' })
  await months(1)
  expect(ledger().at(-1)).toBe('4900 pending')
  await months(1)
  expect(ledger().filter((line) => line.endsWith('failed')).length).toBeGreaterThanOrEqual(1)
})

test('an unknown object is refused with a message', async () => {
  const { act } = await open()
  const unknown = await act({ act: 'dance' })
  expect(unknown.status).toBe(400)
  expect(JSON.stringify(unknown.body)).toContain('change_card')
  expect((await act({ act: 'cancel', subscription: 'sub_no' })).status).toBe(400)
})

test('Radar blocks a card: no bank is asked, and the charge says so', async () => {
  const { stripe, subscription, customer, act, months, ledger } = await open()
  await act({ act: 'block_card' })
  await months(1)
  expect(ledger().slice(0, 2)).toEqual(['4900 succeeded', '4900 failed'])
  const { data } = await stripe.charges.list({ customer: customer.id })
  expect(data[0]).toMatchObject({
    failure_code: 'card_declined',
    outcome: { type: 'blocked', network_status: 'not_sent_to_network', reason: 'highest_risk_level' },
  })
  expect((await stripe.subscriptions.retrieve(subscription.id)).status).toBe('past_due')
  const blocked = await stripe.paymentMethods.attach('pm_card_radarBlock', { customer: customer.id })
  expect(blocked.card?.last4).toBe('0019')
})

test('a member pays an open invoice on its hosted page, with another card', async () => {
  const { stripe, subscription, act, months, ledger } = await open()
  await act({ act: 'decline_card' })
  await months(1)
  const [unpaid] = (await stripe.invoices.list({ subscription: subscription.id, status: 'open' })).data
  const paid = await act({ act: 'pay_invoice', invoice: unpaid?.id ?? '', card: 'pm_card_mastercard' })
  expect(paid).toMatchObject({ status: 200, body: { status: 'paid' } })
  expect(ledger().at(-1)).toBe('4900 succeeded')
  expect((await stripe.subscriptions.retrieve(subscription.id)).status).toBe('active')
  const again = await act({ act: 'pay_invoice', invoice: unpaid?.id ?? '' })
  expect(again).toMatchObject({
    status: 400,
    body: { error: { message: expect.stringContaining('is no open invoice') } },
  })
})
