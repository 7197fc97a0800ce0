import type Stripe from 'stripe'
import { describe, expect, test } from 'vitest'
import { events } from '../../../src/sandbox/kernel/events.ts'
import type { Unsure } from '../../../src/sandbox/kernel/unsure.ts'
import { copyCustomers } from '../../../src/sandbox/copy.ts'
import { createSandbox } from '../../../src/sandbox/sandbox.ts'
import { clientOf } from '../client.ts'
import { at, school, type School } from './school.ts'

const idOf = (shown: string | { readonly id?: string } | null | undefined): string =>
  typeof shown === 'string' ? shown : (shown?.id ?? '')

const amounts = (world: School): number[] => world.ledger().map(({ amount }) => amount)

const happened = (world: Awaited<ReturnType<typeof school>>, type: string): number =>
  [...world.sandbox.world.account('us').table(events).all()].filter((row) => row.type === type).length

async function control(sandbox: ReturnType<typeof createSandbox>, name: string, body: object) {
  const answer = await sandbox.fetch(`http://sandbox/_sandbox/${name}`, { method: 'POST', body: JSON.stringify(body) })
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
}

describe('pending items', () => {
  test.each(['flexible', 'classic'] as const)(
    'that name a subscription are ignored by the invoices of another, in %s mode (SDK, InvoiceItem.subscription)',
    async (type) => {
      const world = await school()
      const { stripe, customer, monthly, until } = world
      const make = () => stripe.subscriptions.create({ customer, items: [{ price: monthly }], billing_mode: { type } })
      const one = await make()
      await until('2027-01-15T00:00:00Z')
      await make()
      await until('2027-01-20T00:00:00Z')
      await stripe.invoiceItems.create({ customer, subscription: one.id, amount: 700, currency: 'usd' })
      await until('2027-02-20T00:00:00Z')
      const billed = await stripe.invoices.list({ customer, limit: 100 })
      const named = billed.data.filter(({ lines }) => lines.data.some(({ amount }) => amount === 700))
      expect(named.map(({ parent }) => parent?.subscription_details?.subscription)).toEqual([one.id])
    },
  )

  const after = [
    ['wait', null],
    ['next_subscription', '2027-02-15'],
    ['billed_at_period_end', '2027-02-10'],
  ] as const
  test.each(after)('of a cancelled subscription: %s', async (items_after_cancel, day) => {
    const world = await school()
    world.sandbox.world.choose({ items_after_cancel })
    const { stripe, customer, monthly, until } = world
    const one = await stripe.subscriptions.create({ customer, items: [{ price: monthly }] })
    await until('2027-01-15T00:00:00Z')
    await stripe.subscriptions.create({ customer, items: [{ price: monthly }] })
    await stripe.invoiceItems.create({ customer, subscription: one.id, amount: 700, currency: 'usd' })
    await stripe.subscriptions.cancel(one.id)
    await until('2027-02-20T00:00:00Z')
    const billed = await stripe.invoices.list({ customer, limit: 100 })
    const [named] = billed.data.filter(({ lines }) => lines.data.some(({ amount }) => amount === 700))
    const on = named === undefined ? null : new Date(named.created * 1_000).toISOString().slice(0, 10)
    expect(on).toBe(day)
  })

  test.each([
    ['go', 0],
    ['stay', 2],
  ] as const)('prorations at an immediate cancel: %s', async (prorations_at_cancel, left) => {
    const world = await school()
    world.sandbox.world.choose({ prorations_at_cancel })
    const { stripe, customer, monthly } = world
    const one = await stripe.subscriptions.create({ customer, items: [{ price: monthly }] })
    const change = [{ id: one.items.data[0]?.id ?? '', quantity: 3 }]
    await stripe.subscriptions.update(one.id, { items: change, proration_behavior: 'create_prorations' })
    await stripe.subscriptions.cancel(one.id, { invoice_now: false, prorate: false })
    expect((await stripe.invoiceItems.list({ customer, pending: true })).data).toHaveLength(left)
  })
})

describe('a cancel', () => {
  test.each([
    ['customer', false],
    ['subscription', true],
  ] as const)('stops the collection of the invoices of the %s', async (cancel_stops_collection_of, advances) => {
    const world = await school()
    world.sandbox.world.choose({ cancel_stops_collection_of })
    const { stripe, customer, monthly } = world
    const one = await stripe.subscriptions.create({ customer, items: [{ price: monthly }] })
    const other = await stripe.subscriptions.create({
      customer,
      items: [{ price: monthly }],
      payment_behavior: 'default_incomplete',
    })
    await stripe.subscriptions.cancel(one.id)
    const open = await stripe.invoices.retrieve(idOf(other.latest_invoice))
    expect([open.status, open.auto_advance]).toEqual(['open', advances])
  })

  test('by a dispute, with the setting of the account', async () => {
    const world = await school()
    const { stripe, customer, monthly, sandbox } = world
    const { id } = await stripe.subscriptions.create({ customer, items: [{ price: monthly }] })
    await control(sandbox, 'settings', { account: 'us', dispute_cancels: true })
    await control(sandbox, 'act', { account: 'us', act: 'dispute', subscription: id })
    const after = await stripe.subscriptions.retrieve(id)
    expect([after.status, after.cancellation_details?.reason]).toEqual(['canceled', 'payment_disputed'])
  })
})

describe('a once coupon', () => {
  const halved = async (
    world: Awaited<ReturnType<typeof school>>,
    more: Partial<Stripe.SubscriptionCreateParams> = {},
  ) => {
    const { stripe, customer, monthly, coupon } = world
    return stripe.subscriptions.create({
      customer,
      items: [{ price: monthly }],
      billing_cycle_anchor: at('2027-01-20T00:00:00Z'),
      proration_behavior: 'none',
      discounts: [{ coupon: await coupon({ percent_off: 50, duration: 'once' }) }],
      ...more,
    })
  }

  test('is used up by the finalization of an invoice, not by its draft', async () => {
    const world = await school()
    const { id } = await halved(world)
    const left = async () => (await world.stripe.subscriptions.retrieve(id)).discounts.length
    await world.until('2027-01-20T00:30:00Z')
    expect(await left()).toBe(1)
    const preview = await world.stripe.invoices.createPreview({ subscription: id })
    expect(preview.total).toBe(4_900)
    await world.until('2027-01-20T02:00:00Z')
    expect(await left()).toBe(0)
    await world.until('2027-02-21T00:00:00Z')
    expect(amounts(world)).toEqual([2_450, 4_900])
  })

  test.each([
    [true, [4_900]],
    [false, [2_450]],
  ] as const)('and a renewal that a pause voids: used up %s', async (held_renewal_spends_once, expected) => {
    const world = await school()
    world.sandbox.world.choose({ held_renewal_spends_once })
    const { id } = await halved(world)
    await world.stripe.subscriptions.update(id, {
      pause_collection: { behavior: 'void' },
      discounts: [{ discount: idOf((await world.stripe.subscriptions.retrieve(id)).discounts[0]) }],
    })
    await world.until('2027-01-21T00:00:00Z')
    await world.stripe.subscriptions.update(id, { pause_collection: null })
    await world.until('2027-02-21T00:00:00Z')
    expect(amounts(world)).toEqual(expected)
  })

  test('a backdated repeating coupon discounts the backdated lines within its duration, and none after its end', async () => {
    const world = await school()
    const { stripe, customer, monthly, coupon } = world
    const make = async (more: Partial<Stripe.SubscriptionCreateParams>) => {
      const { latest_invoice } = await stripe.subscriptions.create({
        customer,
        items: [{ price: monthly }],
        backdate_start_date: at('2026-10-10T12:00:00Z'),
        expand: ['latest_invoice'],
        ...more,
      })
      const { lines } = latest_invoice as Stripe.Invoice
      const line = ({ amount, discount_amounts: off, period }: Stripe.InvoiceLineItem) =>
        [period.start, amount - (off ?? []).reduce((sum, one) => sum + one.amount, 0)] as const
      return lines.data
        .map(line)
        .toSorted(([a], [b]) => a - b)
        .map(([, net]) => net)
    }
    const two = await coupon({ percent_off: 50, duration: 'repeating', duration_in_months: 2 })
    const [oct, nov, ...rest] = await make({ discounts: [{ coupon: two }] })
    expect([oct, nov, [...new Set(rest)]]).toEqual([2_450, 2_450, [4_900]])
  })
})

describe('automatic tax of a customer without a location', () => {
  const moving = async (tax_without_location: Unsure['tax_without_location']) => {
    const world = await school()
    world.sandbox.world.choose({ tax_without_location })
    const { stripe, customer, monthly, until } = world
    const address = { country: 'US', state: 'CA', postal_code: '94111' }
    await stripe.customers.update(customer, { address })
    const about = { customer, items: [{ price: monthly }], automatic_tax: { enabled: true } }
    const { id } = await stripe.subscriptions.create(about)
    await stripe.customers.update(customer, { address: '' })
    await until('2027-02-12T00:00:00Z')
    const now = await stripe.subscriptions.retrieve(id, { expand: ['latest_invoice'] })
    return { world, address, now, invoice: now.latest_invoice as Stripe.Invoice }
  }

  test('the invoice is finalized without tax', async () => {
    const { now, invoice } = await moving('tax_off')
    expect([now.automatic_tax.disabled_reason, invoice.status]).toEqual(['requires_location_inputs', 'paid'])
  })

  test('the invoice stays an uncharged draft, and continues when the location is known', async () => {
    const { world, address, now, invoice } = await moving('draft_stays')
    expect([now.status, invoice.status, invoice.last_finalization_error?.code, invoice.automatic_tax.status]).toEqual([
      'active',
      'draft',
      'customer_tax_location_invalid',
      'requires_location_inputs',
    ])
    expect(happened(world, 'invoice.finalization_failed')).toBe(1)
    const { stripe, customer } = world
    await expect(stripe.invoices.finalizeInvoice(invoice.id ?? '')).rejects.toMatchObject({
      code: 'customer_tax_location_invalid',
    })
    await stripe.customers.update(customer, { address })
    const paid = await stripe.invoices.pay(invoice.id ?? '')
    expect([paid.status, paid.automatic_tax.status]).toEqual(['paid', 'complete'])
    expect(paid.total).toBeGreaterThan(paid.subtotal)
  })
})

describe('a subscription without an initial payment has its card set up', () => {
  test.each([
    ['pm_card_visa', null],
    ['pm_card_chargeCustomerFail', null],
    ['pm_card_authenticationRequired', 'requires_action'],
    [undefined, 'requires_payment_method'],
  ] as const)('%s', async (card, status) => {
    const { stripe, monthly } = await school()
    const { id: customer } = await stripe.customers.create(
      card === undefined ? {} : { payment_method: card, invoice_settings: { default_payment_method: card } },
    )
    const made = await stripe.subscriptions.create({
      customer,
      items: [{ price: monthly }],
      billing_cycle_anchor: at('2027-01-20T00:00:00Z'),
      proration_behavior: 'none',
      expand: ['pending_setup_intent'],
    })
    const intent = made.pending_setup_intent as Stripe.SetupIntent | null
    expect(intent?.status ?? null).toBe(status)
    await stripe.subscriptions.cancel(made.id)
    const left = intent === null ? [] : [(await stripe.setupIntents.retrieve(intent.id)).status]
    expect(left).toEqual(status === null ? [] : [status])
  })

  test('with an initial payment there is no setup, and default_incomplete may leave it to be confirmed', async () => {
    const { stripe, customer, monthly, sandbox } = await school()
    const make = async (more: Partial<Stripe.SubscriptionCreateParams>) =>
      (await stripe.subscriptions.create({ customer, items: [{ price: monthly }], ...more })).pending_setup_intent
    const later = { trial_period_days: 7, payment_behavior: 'default_incomplete' } as const
    expect([await make({}), await make(later)]).toEqual([null, null])
    sandbox.world.choose({ setup_intent_with_default_incomplete: 'waits' })
    const id = idOf(await make(later))
    expect((await stripe.setupIntents.retrieve(id)).status).toBe('requires_confirmation')
  })

  test('a card issued in India pays a day after its notice, and its copy, without the mandate, requires the cardholder', async () => {
    const sandbox = createSandbox()
    const [us, target] = [clientOf(sandbox), clientOf(sandbox, 'target')]
    const card = 'pm_card_in'
    const { id } = await us.customers.create({
      payment_method: card,
      invoice_settings: { default_payment_method: card },
    })
    copyCustomers(sandbox.world, { from: 'us', to: 'target', defaults: true })
    const product = await target.products.create({ name: 'Membership' })
    const price = await target.prices.create({
      product: product.id,
      currency: 'usd',
      unit_amount: 4_900,
      recurring: { interval: 'month' },
    })
    const made = await target.subscriptions.create({
      customer: id,
      items: [{ price: price.id }],
      trial_period_days: 7,
      expand: ['pending_setup_intent'],
    })
    expect((made.pending_setup_intent as Stripe.SetupIntent).status).toBe('requires_action')
  })
})

describe('settings of an account that no copy transfers', () => {
  test('the grace period of finalization', async () => {
    const world = await school()
    await control(world.sandbox, 'settings', { account: 'us', finalization_grace_hours: 48 })
    const { stripe, customer, monthly, until } = world
    await stripe.subscriptions.create({ customer, items: [{ price: monthly }] })
    await until('2027-02-12T00:00:00Z')
    expect(amounts(world)).toEqual([4_900])
    await until('2027-02-13T00:00:00Z')
    expect(amounts(world)).toEqual([4_900, 4_900])
    expect((await control(world.sandbox, 'settings', { account: 'us', finalization_grace_hours: 73 })).status).toBe(400)
  })

  test('the smallest charge depends on the payout currency; a smaller amount stays on the balance', async () => {
    const world = await school()
    await control(world.sandbox, 'settings', { account: 'us', smallest_charges: { usd: 5_000 } })
    const { stripe, customer, monthly } = world
    await stripe.subscriptions.create({ customer, items: [{ price: monthly }] })
    const after = (await stripe.customers.retrieve(customer)) as Stripe.Customer
    expect([amounts(world), after.balance]).toEqual([[], 4_900])
  })

  test('ugx is charged in whole hundreds, and the rest stays on the balance', async () => {
    const { stripe, price } = await school()
    const ugx = await price({ currency: 'ugx', unit_amount: 1_000_050 })
    const card = 'pm_card_visa'
    const made = await stripe.customers.create({
      payment_method: card,
      invoice_settings: { default_payment_method: card },
    })
    const one = await stripe.subscriptions.create({
      customer: made.id,
      items: [{ price: ugx }],
      expand: ['latest_invoice'],
    })
    const invoice = one.latest_invoice as Stripe.Invoice
    expect([invoice.amount_due, invoice.ending_balance]).toEqual([1_000_000, 50])
  })
})

describe('what can be read', () => {
  test('a trial without a card that would be cancelled has no upcoming invoice (recorded)', async () => {
    const { stripe, monthly } = await school()
    const { id: customer } = await stripe.customers.create({})
    const { id } = await stripe.subscriptions.create({
      customer,
      items: [{ price: monthly }],
      trial_period_days: 7,
      trial_settings: { end_behavior: { missing_payment_method: 'cancel' } },
    })
    await expect(stripe.invoices.createPreview({ subscription: id })).rejects.toMatchObject({
      code: 'invoice_upcoming_none',
    })
  })

  test('cards for tests by their names, and a message for resources that the sandbox lacks', async () => {
    const { stripe, sandbox } = await school()
    const card = await stripe.paymentMethods.retrieve('pm_card_visa')
    expect([card.id, card.customer, card.card?.last4]).toEqual(['pm_card_visa', null, '4242'])
    const key = sandbox.ready.accounts['us']?.long_key ?? ''
    expect(key).toMatch(/^sk_test_[a-zA-Z0-9]{24,}$/)
    const answer = await sandbox.fetch('http://sandbox/v1/issuing/cards', {
      headers: { authorization: `Bearer ${key}` },
    })
    expect([answer.status, await answer.text()]).toEqual([
      501,
      expect.stringContaining('This sandbox has no /v1/issuing'),
    ])
  })

  test('a coupon’s codes stay inactive when its id is used again', async () => {
    const { stripe } = await school()
    await stripe.coupons.create({ id: 'A', percent_off: 10 })
    const { id } = await stripe.promotionCodes.create({ promotion: { type: 'coupon', coupon: 'A' } })
    await stripe.coupons.del('A')
    await stripe.coupons.create({ id: 'A', percent_off: 20 })
    expect((await stripe.promotionCodes.retrieve(id)).active).toBe(false)
  })

  test('ids and keys by the world’s readings', async () => {
    const { stripe, sandbox, price } = await school()
    sandbox.world.choose({ deleted_product_id_free: false, lookup_key_clears: false })
    await stripe.products.create({ id: 'prod_a', name: 'A' })
    await stripe.products.del('prod_a')
    await expect(stripe.products.create({ id: 'prod_a', name: 'A' })).rejects.toMatchObject({
      code: 'resource_already_exists',
    })
    const keyed = await price({ lookup_key: 'a' })
    await expect(stripe.prices.update(keyed, { lookup_key: '' })).rejects.toMatchObject({ param: 'lookup_key' })
  })
})
