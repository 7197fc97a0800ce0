import type Stripe from 'stripe'
import { describe, expect, test } from 'vitest'
import { createSandbox } from '../../src/sandbox/sandbox.ts'
import { clientOf, refusal } from './client.ts'

const fresh = () => clientOf(createSandbox())

describe('payment methods', () => {
  test('a token attached at creation can be the default in the same request', async () => {
    const stripe = fresh()
    const customer = await stripe.customers.create({
      payment_method: 'pm_card_visa',
      invoice_settings: { default_payment_method: 'pm_card_visa' },
      expand: ['invoice_settings.default_payment_method'],
    })
    const method = customer.invoice_settings.default_payment_method as Stripe.PaymentMethod
    expect([method.card?.last4, method.customer]).toEqual(['4242', customer.id])
    expect((await stripe.customers.listPaymentMethods(customer.id)).data.map(({ id }) => id)).toEqual([method.id])
  })

  test('of another customer cannot be a default; a detached one can never be used again', async () => {
    const stripe = fresh()
    const [a, b] = [await stripe.customers.create(), await stripe.customers.create()]
    const method = await stripe.paymentMethods.attach('pm_card_mastercard', { customer: a.id })
    const settings = { invoice_settings: { default_payment_method: method.id } }
    expect(await refusal(stripe.customers.update(b.id, settings))).toMatchObject({
      status: 400,
      code: 'resource_missing',
    })
    expect((await refusal(stripe.paymentMethods.attach(method.id, { customer: b.id }))).message).toMatch(
      /already been attached/,
    )
    await stripe.customers.update(a.id, settings)
    await stripe.paymentMethods.detach(method.id)
    expect(await stripe.customers.retrieve(a.id)).toMatchObject({ invoice_settings: { default_payment_method: null } })
    expect((await refusal(stripe.paymentMethods.attach(method.id, { customer: a.id }))).message).toMatch(
      /may not be used again/,
    )
  })

  test('a card that is declined at once does not attach, and the request has no effect', async () => {
    const stripe = fresh()
    expect(await refusal(stripe.customers.create({ payment_method: 'pm_card_chargeDeclined' }))).toMatchObject({
      status: 402,
      code: 'card_declined',
    })
    expect((await stripe.customers.list()).data).toEqual([])
    const customer = await stripe.customers.create({ payment_method: 'pm_card_chargeCustomerFail' })
    expect((await stripe.customers.listPaymentMethods(customer.id)).data).toHaveLength(1)
  })

  test('an older card_ is shown in both APIs', async () => {
    const stripe = fresh()
    const customer = await stripe.customers.create({ source: 'tok_visa', expand: ['sources', 'default_source'] })
    const card = customer.sources?.data[0]
    expect(card).toMatchObject({ object: 'card', last4: '4242' })
    expect(await stripe.paymentMethods.retrieve(card?.id ?? '')).toMatchObject({
      object: 'payment_method',
      customer: customer.id,
    })
    const bare = (await stripe.customers.retrieve(customer.id)) as Stripe.Customer
    expect([bare.default_source, bare.sources]).toEqual([card?.id, undefined])
  })

  test('the same card has a different fingerprint in another account', async () => {
    const sandbox = createSandbox()
    const prints = await Promise.all(
      ['us', 'us', 'intl'].map(async (account) => {
        const made = await clientOf(sandbox, account).paymentMethods.create({
          type: 'card',
          card: { token: 'tok_visa' },
        })
        return made.card?.fingerprint
      }),
    )
    expect(prints[0]).toBe(prints[1])
    expect(prints[0]).not.toBe(prints[2])
  })
})

describe('customers', () => {
  test('a balance is a ledger: every change has its transaction, and credit is shown with the opposite sign', async () => {
    const stripe = fresh()
    const customer = await stripe.customers.create({ balance: -500 })
    await stripe.customers.createBalanceTransaction(customer.id, { amount: 200, currency: 'usd' })
    await stripe.customers.update(customer.id, { balance: 0 })
    await stripe.customers.createBalanceTransaction(customer.id, { amount: -900, currency: 'eur' })
    const ledger = await stripe.customers.listBalanceTransactions(customer.id)
    expect(ledger.data.map((entry) => [entry.type, entry.amount, entry.ending_balance, entry.currency])).toEqual([
      ['adjustment', -900, -900, 'eur'],
      ['adjustment', 300, 0, 'usd'],
      ['adjustment', 200, -300, 'usd'],
      ['initial', -500, -500, 'usd'],
    ])
    const read = (await stripe.customers.retrieve(customer.id, {
      expand: ['invoice_credit_balance'],
    })) as Stripe.Customer
    expect([read.balance, read.currency, read.invoice_credit_balance]).toEqual([0, 'usd', { eur: 900 }])
  })

  test('tax ids, addresses and the tax location', async () => {
    const stripe = fresh()
    const customer = await stripe.customers.create({
      address: { country: 'DE', city: 'Berlin' },
      tax_id_data: [{ type: 'eu_vat', value: 'DE123456789' }],
      expand: ['tax', 'tax_ids'],
    })
    expect(customer.tax).toMatchObject({ automatic_tax: 'supported', location: { country: 'DE' } })
    expect(customer.tax_ids?.data[0]).toMatchObject({ type: 'eu_vat', country: 'DE', value: 'DE123456789' })
    expect(await refusal(stripe.customers.createTaxId(customer.id, { type: 'eu_vat', value: '?' }))).toMatchObject({
      code: 'tax_id_invalid',
    })
    const moved = await stripe.customers.update(customer.id, { address: { country: 'US' }, expand: ['tax'] })
    expect([moved.address?.city, moved.tax?.automatic_tax]).toEqual(['Berlin', 'unrecognized_location'])
    expect(
      await refusal(stripe.customers.update(customer.id, { tax: { validate_location: 'immediately' } })),
    ).toMatchObject({
      code: 'customer_tax_location_invalid',
    })
  })

  test('a deleted customer can be read, is not listed, and accepts no changes', async () => {
    const stripe = fresh()
    const customer = await stripe.customers.create({ email: 'a@example.com', payment_method: 'pm_card_visa' })
    expect(await stripe.customers.del(customer.id)).toMatchObject({ deleted: true })
    expect(await stripe.customers.retrieve(customer.id)).toMatchObject({ id: customer.id, deleted: true })
    expect((await stripe.customers.list({ email: 'a@example.com' })).data).toEqual([])
    expect(await refusal(stripe.customers.update(customer.id, { name: 'B' }))).toMatchObject({
      status: 404,
      code: 'resource_missing',
    })
  })

  test('search is delayed and reads its query language', async () => {
    const sandbox = createSandbox()
    const stripe = clientOf(sandbox)
    const customer = await stripe.customers.create({ email: 'a@example.com', metadata: { plan: 'gold' } })
    const query = "metadata['plan']:'gold' AND -email:'b@example.com'"
    expect((await stripe.customers.search({ query })).data).toEqual([])
    await sandbox.fetch('http://sandbox/_sandbox/clock', { method: 'POST', body: '{"to":"2026-12-01T12:01:00Z"}' })
    expect((await stripe.customers.search({ query })).data.map(({ id }) => id)).toEqual([customer.id])
    expect((await stripe.customers.search({ query: "email~'b@example'" })).data).toEqual([])
    expect(await refusal(stripe.customers.search({ query: "shoe:'42'" }))).toMatchObject({ status: 400 })
  })
})

test('events show the values before each change', async () => {
  const stripe = fresh()
  const customer = await stripe.customers.create({ name: 'A' })
  await stripe.customers.update(customer.id, { name: 'B' })
  const events = await stripe.events.list({ type: 'customer.*' })
  expect(events.data.map((event) => [event.type, event.data.previous_attributes])).toEqual([
    ['customer.updated', { name: 'A' }],
    ['customer.created', undefined],
  ])
  expect(events.data[0]?.data.object).toMatchObject({ id: customer.id, name: 'B' })
})

test('idempotency: a replay returns the same answer, another request with the key is refused, and a day later the key is free', async () => {
  const sandbox = createSandbox()
  const stripe = clientOf(sandbox)
  const options = { idempotencyKey: 'k1' }
  const first = await stripe.customers.create({ name: 'A' }, options)
  const again = await stripe.customers.create({ name: 'A' }, options)
  expect(again.id).toBe(first.id)
  expect(again.lastResponse.requestId).not.toBe(first.lastResponse.requestId)
  await expect(stripe.customers.create({ name: 'B' }, options)).rejects.toMatchObject({
    type: 'StripeIdempotencyError',
    statusCode: 400,
  })
  // A refusal of the parameters is not stored under the key; a refusal during execution is.
  await refusal(stripe.customers.create({ colour: 'red' } as Stripe.CustomerCreateParams, { idempotencyKey: 'k2' }))
  expect((await stripe.customers.create({ name: 'C' }, { idempotencyKey: 'k2' })).name).toBe('C')
  await sandbox.fetch('http://sandbox/_sandbox/clock', { method: 'POST', body: '{"to":"2026-12-02T12:00:00Z"}' })
  expect((await stripe.customers.create({ name: 'A' }, options)).id).not.toBe(first.id)
})
