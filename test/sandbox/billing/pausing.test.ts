// Paused collection and paused subscriptions (docs.stripe.com/billing/subscriptions/pause-payment,
// SDK pause/resume).
import type Stripe from 'stripe'
import { describe, expect, test } from 'vitest'
import { refusal } from '../client.ts'
import { at, iso, school } from './school.ts'

const states = (invoices: Stripe.ApiList<Stripe.Invoice>) => invoices.data.map((invoice) => invoice.status).toReversed()

describe('pause_collection', () => {
  for (const [behavior, expected] of [
    ['keep_as_draft', 'draft'],
    ['mark_uncollectible', 'uncollectible'],
    ['void', 'void'],
  ] as const)
    test(`${behavior}: invoices are still created and end as ${expected}; the status stays active; nothing is charged`, async () => {
      const { stripe, customer, monthly, until, ledger } = await school()
      const { id } = await stripe.subscriptions.create({ customer, items: [{ price: monthly }] })
      const paused = await stripe.subscriptions.update(id, { pause_collection: { behavior } })
      expect(paused).toMatchObject({ status: 'active', pause_collection: { behavior, resumes_at: null } })
      await until('2027-04-11T00:00:00Z')
      expect(states(await stripe.invoices.list({ subscription: id }))).toEqual(['paid', expected, expected, expected])
      expect((await stripe.subscriptions.retrieve(id)).status).toBe('active')
      expect(ledger()).toHaveLength(1)
    })

  test('kept drafts do not advance, even after the pause', async () => {
    const { stripe, customer, monthly, until, ledger } = await school()
    const { id } = await stripe.subscriptions.create({ customer, items: [{ price: monthly }] })
    await stripe.subscriptions.update(id, { pause_collection: { behavior: 'keep_as_draft' } })
    await until('2027-02-11T00:00:00Z')
    expect((await stripe.subscriptions.update(id, { pause_collection: '' })).pause_collection).toBeNull()
    await until('2027-03-11T00:00:00Z')
    expect(states(await stripe.invoices.list({ subscription: id }))).toEqual(['paid', 'draft', 'paid'])
    expect(ledger()).toHaveLength(2)
  })

  test('void does not use the customer’s balance', async () => {
    const { stripe, customer, monthly, until } = await school()
    const { id } = await stripe.subscriptions.create({ customer, items: [{ price: monthly }] })
    await stripe.customers.createBalanceTransaction(customer, { amount: -3000, currency: 'usd' })
    await stripe.subscriptions.update(id, { pause_collection: { behavior: 'void' } })
    await until('2027-02-11T00:00:00Z')
    expect(((await stripe.customers.retrieve(customer)) as Stripe.Customer).balance).toBe(-3000)
  })

  test('mark_uncollectible still uses the balance: enough of it pays the invoice, less leaves it uncollectible', async () => {
    const { stripe, customer, monthly, until, ledger } = await school()
    const { id } = await stripe.subscriptions.create({ customer, items: [{ price: monthly }] })
    await stripe.customers.createBalanceTransaction(customer, { amount: -6000, currency: 'usd' })
    await stripe.subscriptions.update(id, { pause_collection: { behavior: 'mark_uncollectible' } })
    await until('2027-03-11T00:00:00Z')
    const { data } = await stripe.invoices.list({ subscription: id })
    expect(data.map((invoice) => [invoice.status, invoice.amount_due])).toEqual([
      ['uncollectible', 3800],
      ['paid', 0],
      ['paid', 4900],
    ])
    expect(((await stripe.customers.retrieve(customer)) as Stripe.Customer).balance).toBe(0)
    expect(ledger()).toHaveLength(1)
  })

  test('resumes_at ends it; a renewal at exactly that second is charged', async () => {
    const { stripe, customer, monthly, until, ledger } = await school()
    const { id } = await stripe.subscriptions.create({ customer, items: [{ price: monthly }] })
    await stripe.subscriptions.update(id, {
      pause_collection: { behavior: 'void', resumes_at: at('2027-03-10T12:00:00Z') },
    })
    await until('2027-03-11T00:00:00Z')
    expect((await stripe.subscriptions.retrieve(id)).pause_collection).toBeNull()
    expect(states(await stripe.invoices.list({ subscription: id }))).toEqual(['paid', 'void', 'paid'])
    expect(ledger().map((charge) => charge.at.slice(0, 10))).toEqual(['2027-01-10', '2027-03-10'])
  })

  test('an invoice that was open before is still retried', async () => {
    const { stripe, customer, monthly, until, ledger } = await school()
    const { id } = await stripe.subscriptions.create({ customer, items: [{ price: monthly }] })
    const failing = await stripe.paymentMethods.attach('pm_card_chargeCustomerFail', { customer })
    await stripe.customers.update(customer, { invoice_settings: { default_payment_method: failing.id } })
    await until('2027-02-11T00:00:00Z')
    await stripe.subscriptions.update(id, { pause_collection: { behavior: 'void' } })
    await until('2027-02-14T00:00:00Z')
    expect(ledger().filter((charge) => charge.status === 'failed')).toHaveLength(2)
  })

  test('cannot be set on creation: it needs a second request (SDK)', async () => {
    const { stripe, customer, monthly } = await school()
    const given = { customer, items: [{ price: monthly }], pause_collection: { behavior: 'void' } }
    const refused = await refusal(stripe.subscriptions.create(given as Stripe.SubscriptionCreateParams))
    expect(refused).toMatchObject({ status: 400, code: 'parameter_unknown', param: 'pause_collection' })
  })

  test('a past resumes_at is refused', async () => {
    const { stripe, customer, monthly } = await school()
    const { id } = await stripe.subscriptions.create({ customer, items: [{ price: monthly }] })
    const refused = await refusal(
      stripe.subscriptions.update(id, {
        pause_collection: { behavior: 'void', resumes_at: at('2027-01-01T00:00:00Z') },
      }),
    )
    expect(refused.param).toBe('pause_collection[resumes_at]')
  })
})

describe('status paused (SDK 23: subscriptions.pause and resume)', () => {
  test('no invoices, no new periods; resume moves the anchor to now by default and bills', async () => {
    const { stripe, customer, monthly, until, ledger } = await school()
    const { id } = await stripe.subscriptions.create({ customer, items: [{ price: monthly }] })
    const paused = await stripe.subscriptions.pause(id, { bill_for: { unused_time_from: { type: 'none' } } })
    expect([paused.status, paused.status_details?.paused.subscription.type]).toEqual(['paused', 'pause_requested'])
    await until('2027-03-20T12:00:00Z')
    expect(ledger()).toHaveLength(1)
    const resumed = await stripe.subscriptions.resume(id)
    expect([resumed.status, iso(resumed.billing_cycle_anchor)]).toEqual(['active', '2027-03-20T12:00:00Z'])
    expect(ledger().map((charge) => charge.at)).toEqual(['2027-01-10T12:00:00Z', '2027-03-20T12:00:00Z'])
  })

  test('unchanged keeps the billing date', async () => {
    const { stripe, customer, monthly, until, ledger } = await school()
    const { id } = await stripe.subscriptions.create({ customer, items: [{ price: monthly }] })
    await stripe.subscriptions.pause(id, { bill_for: { unused_time_from: { type: 'none' } } })
    await until('2027-03-20T12:00:00Z')
    const resumed = await stripe.subscriptions.resume(id, {
      billing_cycle_anchor: { type: 'unchanged' },
      proration_behavior: 'none',
    })
    expect(iso(resumed.billing_cycle_anchor)).toBe('2027-01-10T12:00:00Z')
    await until('2027-04-11T00:00:00Z')
    expect(ledger().map((charge) => charge.at)).toEqual(['2027-01-10T12:00:00Z', '2027-04-10T13:00:00Z'])
  })

  test('credits unused time by default', async () => {
    const { stripe, customer, monthly, until } = await school()
    const { id } = await stripe.subscriptions.create({ customer, items: [{ price: monthly }] })
    await until('2027-01-20T12:00:00Z')
    await stripe.subscriptions.pause(id)
    const { data } = await stripe.invoiceItems.list({ customer, pending: true })
    expect(data.map((item) => item.amount)).toEqual([-Math.round((4900 * 21) / 31)])
  })

  test('refused in classic mode and with a schedule', async () => {
    const { stripe, customer, monthly } = await school()
    const classic = await stripe.subscriptions.create({
      customer,
      items: [{ price: monthly }],
      billing_mode: { type: 'classic' },
    })
    expect((await refusal(stripe.subscriptions.pause(classic.id))).status).toBe(400)
    const { id } = await stripe.subscriptions.create({ customer, items: [{ price: monthly }] })
    await stripe.subscriptionSchedules.create({ from_subscription: id })
    expect((await refusal(stripe.subscriptions.pause(id))).status).toBe(400)
  })
})
