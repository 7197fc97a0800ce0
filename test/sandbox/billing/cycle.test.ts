import { describe, expect, test } from 'vitest'
import { at, glance, iso, school } from './school.ts'

describe('a plain subscription', () => {
  test('bills at once, then a draft for an hour at every period end, then the charge', async () => {
    const { stripe, customer, monthly, until, ledger } = await school()
    const made = await stripe.subscriptions.create({
      customer,
      items: [{ price: monthly }],
      expand: ['latest_invoice'],
    })
    expect(made.status).toBe('active')
    expect(made.latest_invoice).toMatchObject({ status: 'paid', total: 4900, billing_reason: 'subscription_create' })
    expect(iso(made.items.data[0]?.current_period_end)).toBe('2027-02-10T12:00:00Z')
    await until('2027-02-10T12:30:00Z')
    const drafts = await stripe.invoices.list({ subscription: made.id, status: 'draft' })
    expect(drafts.data.map((draft) => iso(draft.automatically_finalizes_at))).toEqual(['2027-02-10T13:00:00Z'])
    await until('2027-03-20T00:00:00Z')
    expect(ledger().map(({ at: when, amount, status }) => [when, amount, status])).toEqual([
      ['2027-01-10T12:00:00Z', 4900, 'succeeded'],
      ['2027-02-10T13:00:00Z', 4900, 'succeeded'],
      ['2027-03-10T13:00:00Z', 4900, 'succeeded'],
    ])
    const after = await stripe.subscriptions.retrieve(made.id, { expand: ['latest_invoice'] })
    expect(after.latest_invoice).toMatchObject({ status: 'paid', billing_reason: 'subscription_cycle' })
    expect(iso(after.items.data[0]?.current_period_start)).toBe('2027-03-10T12:00:00Z')
  })

  test('a recipe: anchor ahead, backdated start, proration none: active, no invoice, first charge at the anchor (Ghost e2e; docs billing-cycle)', async () => {
    const { stripe, customer, monthly, until, ledger } = await school()
    const anchor = at('2027-01-31T09:15:00Z')
    const made = await stripe.subscriptions.create({
      customer,
      items: [{ price: monthly }],
      billing_cycle_anchor: anchor,
      backdate_start_date: at('2025-01-31T09:15:00Z'),
      proration_behavior: 'none',
      payment_behavior: 'default_incomplete',
      metadata: { crossbill_from: 'us/sub_1' },
    })
    expect(made).toMatchObject({ status: 'active', latest_invoice: null, start_date: at('2025-01-31T09:15:00Z') })
    expect(made.items.data[0]?.current_period_end).toBe(anchor)
    expect((await stripe.invoices.list({ subscription: made.id })).data).toEqual([])
    const preview = await stripe.invoices.createPreview({ subscription: made.id })
    expect(preview.lines.data.map((line) => [iso(line.period.start), iso(line.period.end), line.amount])).toEqual([
      ['2027-01-31T09:15:00Z', '2027-02-28T09:15:00Z', 4900],
    ])
    await until('2027-04-01T00:00:00Z')
    expect(ledger().map((charge) => charge.at)).toEqual([
      '2027-01-31T10:15:00Z',
      '2027-02-28T10:15:00Z',
      '2027-03-31T10:15:00Z',
    ])
    const invoices = await stripe.invoices.list({ subscription: made.id })
    expect(invoices.data.map(glance)).toEqual(
      Array.from({ length: 3 }, () => ({
        status: 'paid',
        total: 4900,
        amount_due: 4900,
        billing_reason: 'subscription_cycle',
      })),
    )
  })

  test('a first cancel: canceled; a second: 404 resource_missing, although it can be read (stripe-go #1887)', async () => {
    const { stripe, customer, monthly, until, ledger } = await school()
    const { id } = await stripe.subscriptions.create({ customer, items: [{ price: monthly }] })
    const gone = await stripe.subscriptions.cancel(id, { cancellation_details: { comment: 'migrated' } })
    expect(gone).toMatchObject({
      status: 'canceled',
      cancellation_details: { comment: 'migrated', reason: 'cancellation_requested' },
    })
    await expect(stripe.subscriptions.cancel(id)).rejects.toMatchObject({
      statusCode: 404,
      code: 'resource_missing',
      message: `No such subscription: '${id}'`,
    })
    expect((await stripe.subscriptions.retrieve(id)).status).toBe('canceled')
    expect((await stripe.subscriptions.list({ customer })).data).toEqual([])
    expect((await stripe.subscriptions.list({ customer, status: 'all' })).data).toHaveLength(1)
    await until('2027-06-01T00:00:00Z')
    expect(ledger()).toHaveLength(1)
  })

  test('a world without events deletes and no longer names objects that are months old; the charges stay', async () => {
    const { stripe, customer, price, until } = await school({ keepEvents: false })
    const weekly = await price({ recurring: { interval: 'week' } })
    const { id } = await stripe.subscriptions.create({ customer, items: [{ price: weekly }] })
    await until('2027-05-31T00:00:00Z')
    const payments = await stripe.invoicePayments.list({ limit: 100 })
    expect(payments.data).toHaveLength(21)
    await until('2027-12-31T00:00:00Z')
    expect((await stripe.invoices.list({ subscription: id, limit: 100 })).data.length).toBeLessThan(26)
    const charged = await stripe.charges.list({ customer, limit: 100, expand: ['data.payment_intent'] })
    expect(charged.data).toHaveLength(51)
    const named = charged.data.filter((one) => one.payment_intent !== null)
    expect(named.length).toBe((await stripe.invoices.list({ subscription: id, limit: 100 })).data.length)
  })
})
