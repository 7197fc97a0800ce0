// How subscriptions end and what Stripe does then (docs.stripe.com/billing/subscriptions/cancel).
import type Stripe from 'stripe'
import { describe, expect, test } from 'vitest'
import { refusal } from '../client.ts'
import { at, iso, school } from './school.ts'

const types = async (stripe: Stripe, id: string) => {
  const { data } = await stripe.events.list({ limit: 100 })
  return data
    .filter((event) => (event.data.object as { id?: string }).id === id)
    .map((event) => event.type)
    .toReversed()
}

describe('an immediate cancel', () => {
  test('creates no credit and no invoice unless requested: invoice_now and prorate default to false (SDK)', async () => {
    const { stripe, customer, monthly, until, ledger } = await school()
    const { id } = await stripe.subscriptions.create({ customer, items: [{ price: monthly }] })
    await until('2027-01-20T12:00:00Z')
    const gone = await stripe.subscriptions.cancel(id)
    expect([gone.status, iso(gone.canceled_at), iso(gone.ended_at)]).toEqual([
      'canceled',
      '2027-01-20T12:00:00Z',
      '2027-01-20T12:00:00Z',
    ])
    expect((await stripe.invoiceItems.list({ customer, pending: true })).data).toEqual([])
    expect(ledger()).toHaveLength(1)
  })

  test('prorate creates a credit for the unused time, to the second; with invoice_now it becomes balance', async () => {
    const { stripe, customer, monthly, until } = await school()
    const { id } = await stripe.subscriptions.create({ customer, items: [{ price: monthly }] })
    await until('2027-01-20T12:00:00Z')
    await stripe.subscriptions.cancel(id, { prorate: true })
    const { data } = await stripe.invoiceItems.list({ customer, pending: true })
    // 21 of 31 days are left.
    expect(data.map((item) => [item.amount, item.proration])).toEqual([[-Math.round((4900 * 21) / 31), true]])
    const other = await stripe.subscriptions.create({ customer, items: [{ price: monthly }] })
    await until('2027-01-25T12:00:00Z')
    const gone = await stripe.subscriptions.cancel(other.id, {
      prorate: true,
      invoice_now: true,
      expand: ['latest_invoice'],
    })
    const final = gone.latest_invoice as Stripe.Invoice
    expect([final.status, final.total < 0, final.billing_reason]).toEqual(['paid', true, 'subscription_update'])
    expect(((await stripe.customers.retrieve(customer)) as Stripe.Customer).balance).toBe(final.total)
  })

  test('pending prorations of the subscription are deleted when both are false, other items stay (SDK 23.1, unsure)', async () => {
    const { stripe, customer, monthly, until } = await school()
    const made = await stripe.subscriptions.create({ customer, items: [{ price: monthly }] })
    await until('2027-01-20T12:00:00Z')
    await stripe.subscriptions.update(made.id, { items: [{ id: made.items.data[0]?.id ?? '', quantity: 3 }] })
    await stripe.invoiceItems.create({ customer, subscription: made.id, amount: 700, currency: 'usd' })
    expect((await stripe.invoiceItems.list({ customer, pending: true })).data).toHaveLength(3)
    await stripe.subscriptions.cancel(made.id)
    expect((await stripe.invoiceItems.list({ customer, pending: true })).data.map((item) => item.amount)).toEqual([700])
  })

  test('stops automatic collection of all the customer’s finalized invoices, other subscriptions’ too (SDK)', async () => {
    const { stripe, customer, monthly, until } = await school()
    const one = await stripe.subscriptions.create({ customer, items: [{ price: monthly }] })
    const two = await stripe.subscriptions.create({ customer, items: [{ price: monthly }] })
    await stripe.customers.update(customer, { invoice_settings: { default_payment_method: '' } })
    const failing = await stripe.paymentMethods.attach('pm_card_chargeCustomerFail', { customer })
    await stripe.customers.update(customer, { invoice_settings: { default_payment_method: failing.id } })
    await until('2027-02-11T00:00:00Z')
    const open = await stripe.invoices.list({ customer, status: 'open' })
    expect(open.data.map((invoice) => [invoice.auto_advance, invoice.next_payment_attempt !== null])).toEqual([
      [true, true],
      [true, true],
    ])
    await stripe.subscriptions.cancel(one.id)
    const after = await stripe.invoices.list({ customer, status: 'open' })
    expect(after.data.map((invoice) => [invoice.auto_advance, invoice.next_payment_attempt])).toEqual([
      [false, null],
      [false, null],
    ])
    // Collection of the other one can be resumed manually.
    const others = after.data.filter((invoice) => invoice.parent?.subscription_details?.subscription === two.id)
    const resumed = await stripe.invoices.update(others[0]?.id ?? '', { auto_advance: true })
    expect(resumed.next_payment_attempt).not.toBeNull()
  })

  test('a draft of the subscription stops as well, and cannot be deleted', async () => {
    const { stripe, customer, monthly, until, ledger } = await school()
    const { id } = await stripe.subscriptions.create({ customer, items: [{ price: monthly }] })
    await until('2027-02-10T12:30:00Z')
    await stripe.subscriptions.cancel(id)
    const [draft] = (await stripe.invoices.list({ subscription: id, status: 'draft' })).data
    expect(draft).toMatchObject({ auto_advance: false, automatically_finalizes_at: null })
    expect(await refusal(stripe.invoices.del(draft?.id ?? ''))).toMatchObject({ status: 400 })
    await until('2027-03-10T00:00:00Z')
    expect(ledger()).toHaveLength(1)
  })

  test('afterwards only metadata and cancellation_details can be changed: invalid_canceled_subscription_fields (SDK 23.1)', async () => {
    const { stripe, customer, monthly } = await school()
    const { id } = await stripe.subscriptions.create({ customer, items: [{ price: monthly }] })
    await stripe.subscriptions.cancel(id, { cancellation_details: { comment: 'migrated:7:sub_2', feedback: 'other' } })
    const changed = await stripe.subscriptions.update(id, {
      metadata: { seen: 'yes' },
      cancellation_details: { comment: 'more' },
    })
    expect(changed).toMatchObject({
      metadata: { seen: 'yes' },
      cancellation_details: { comment: 'more', feedback: 'other', reason: 'cancellation_requested' },
    })
    expect(await refusal(stripe.subscriptions.update(id, { description: 'x' }))).toMatchObject({
      status: 400,
      code: 'invalid_canceled_subscription_fields',
    })
  })

  test('an unknown subscription is 404 resource_missing, for cancel and for retrieve', async () => {
    const { stripe } = await school()
    for (const asked of [stripe.subscriptions.cancel('sub_no'), stripe.subscriptions.retrieve('sub_no')])
      expect(await refusal(asked)).toMatchObject({
        status: 404,
        code: 'resource_missing',
        message: "No such subscription: 'sub_no'",
      })
  })
})

describe('a later end', () => {
  test('cancel_at_period_end emits deleted only at the boundary, has no renewal, and can be withdrawn', async () => {
    const { stripe, customer, monthly, until, ledger } = await school()
    const { id } = await stripe.subscriptions.create({ customer, items: [{ price: monthly }] })
    const ending = await stripe.subscriptions.update(id, { cancel_at_period_end: true })
    expect(ending).toMatchObject({
      status: 'active',
      cancel_at_period_end: true,
      cancellation_details: { reason: 'cancellation_requested' },
    })
    const back = await stripe.subscriptions.update(id, { cancel_at_period_end: false })
    expect(back).toMatchObject({ cancel_at: null, canceled_at: null, cancel_at_period_end: false })
    await until('2027-02-20T00:00:00Z')
    await stripe.subscriptions.update(id, { cancel_at_period_end: true })
    await until('2027-03-10T11:59:59Z')
    expect(await types(stripe, id)).not.toContain('customer.subscription.deleted')
    await until('2027-03-10T12:00:00Z')
    expect(await types(stripe, id)).toContain('customer.subscription.deleted')
    expect(ledger()).toHaveLength(2)
    const ended = await stripe.subscriptions.retrieve(id)
    expect([iso(ended.ended_at), iso(ended.canceled_at)]).toEqual(['2027-03-10T12:00:00Z', '2027-02-20T00:00:00Z'])
  })

  test('pending items are collected at the end of the period (SDK)', async () => {
    const { stripe, customer, monthly, until, ledger } = await school()
    const { id } = await stripe.subscriptions.create({ customer, items: [{ price: monthly }] })
    await stripe.invoiceItems.create({ customer, subscription: id, amount: 700, currency: 'usd' })
    await stripe.subscriptions.update(id, { cancel_at_period_end: true })
    await until('2027-02-11T00:00:00Z')
    expect(ledger().map((charge) => charge.amount)).toEqual([4900, 700])
  })

  test('min_period_end and max_period_end become an instant at once (changelog basil 2025-07-30)', async () => {
    const { stripe, customer, monthly, price } = await school()
    const yearly = await price({ recurring: { interval: 'year' } })
    const { id } = await stripe.subscriptions.create({ customer, items: [{ price: monthly }, { price: yearly }] })
    const soon = await stripe.subscriptions.update(id, { cancel_at: 'min_period_end' })
    expect([iso(soon.cancel_at), soon.cancel_at_period_end]).toEqual(['2027-02-10T12:00:00Z', false])
    expect(iso((await stripe.subscriptions.update(id, { cancel_at: 'max_period_end' })).cancel_at)).toBe(
      '2028-01-10T12:00:00Z',
    )
    expect((await stripe.subscriptions.update(id, { cancel_at: '' })).cancel_at).toBeNull()
  })

  test('cancel_at in a future period always ends that period early and charges it in part', async () => {
    const { stripe, customer, monthly, until, ledger } = await school()
    const { id } = await stripe.subscriptions.create({
      customer,
      items: [{ price: monthly }],
      cancel_at: at('2027-02-24T12:00:00Z'),
      proration_behavior: 'none',
    })
    await until('2027-03-20T00:00:00Z')
    expect(ledger().map((charge) => charge.amount)).toEqual([4900, Math.round((4900 * 14) / 28)])
    expect(iso((await stripe.subscriptions.retrieve(id)).ended_at)).toBe('2027-02-24T12:00:00Z')
  })
})

describe('with a schedule (400 in many projects)', () => {
  test('a cancel is refused and the message names the schedule; after the release it works', async () => {
    const { stripe, customer, monthly } = await school()
    const { id } = await stripe.subscriptions.create({ customer, items: [{ price: monthly }] })
    const schedule = await stripe.subscriptionSchedules.create({ from_subscription: id })
    const message = `The subscription is managed by the subscription schedule \`${schedule.id}\`, and updating any cancelation behavior directly is not allowed. Please update the schedule instead.`
    for (const asked of [
      stripe.subscriptions.cancel(id),
      stripe.subscriptions.update(id, { cancel_at_period_end: true }),
      stripe.subscriptions.update(id, { cancel_at: at('2027-05-01T00:00:00Z') }),
    ])
      expect(await refusal(asked)).toMatchObject({ status: 400, message })
    const released = await stripe.subscriptionSchedules.release(schedule.id)
    expect(released).toMatchObject({ status: 'released', released_subscription: id, subscription: null })
    expect(await stripe.subscriptions.retrieve(id)).toMatchObject({ schedule: null, status: 'active' })
    expect((await stripe.subscriptions.cancel(id)).status).toBe('canceled')
  })

  test('cancelling the schedule defaults to invoice_now and prorate: both must be sent as false (SDK)', async () => {
    const { stripe, customer, monthly, until } = await school()
    const start = async () => {
      const { id } = await stripe.subscriptions.create({ customer, items: [{ price: monthly }] })
      return (await stripe.subscriptionSchedules.create({ from_subscription: id })).id
    }
    const [one, two] = [await start(), await start()]
    await until('2027-01-20T12:00:00Z')
    await stripe.subscriptionSchedules.cancel(one, { invoice_now: false, prorate: false })
    expect(((await stripe.customers.retrieve(customer)) as Stripe.Customer).balance).toBe(0)
    await stripe.subscriptionSchedules.cancel(two)
    expect(((await stripe.customers.retrieve(customer)) as Stripe.Customer).balance).toBe(-Math.round((4900 * 21) / 31))
  })
})

test('deleting a customer cancels its live subscriptions', async () => {
  const { stripe, customer, monthly } = await school()
  const { id } = await stripe.subscriptions.create({ customer, items: [{ price: monthly }] })
  await stripe.customers.del(customer)
  expect((await stripe.subscriptions.retrieve(id)).status).toBe('canceled')
})

test('lists: live subscriptions by default; all, ended, or one status; by customer, price, and dates of the period', async () => {
  const { stripe, customer, monthly, price } = await school()
  const other = await price({ unit_amount: 900 })
  const one = await stripe.subscriptions.create({ customer, items: [{ price: monthly }] })
  const two = await stripe.subscriptions.create({ customer, items: [{ price: other }], trial_period_days: 3 })
  await stripe.subscriptions.cancel(one.id)
  const ids = async (params: Stripe.SubscriptionListParams) =>
    (await stripe.subscriptions.list(params)).data.map((row) => row.id)
  expect(await ids({})).toEqual([two.id])
  expect(await ids({ status: 'all' })).toEqual([two.id, one.id])
  expect(await ids({ status: 'ended' })).toEqual([one.id])
  expect(await ids({ status: 'canceled' })).toEqual([one.id])
  expect(await ids({ status: 'trialing' })).toEqual([two.id])
  expect(await ids({ status: 'active' })).toEqual([])
  expect(await ids({ customer, price: monthly, status: 'all' })).toEqual([one.id])
  expect(await ids({ price: other })).toEqual([two.id])
  expect(await ids({ current_period_end: { lte: at('2027-01-13T12:00:00Z') } })).toEqual([two.id])
  expect(await ids({ current_period_end: { lt: at('2027-01-13T12:00:00Z') } })).toEqual([])
  expect(await ids({ status: 'all', limit: 1, starting_after: two.id })).toEqual([one.id])
})
