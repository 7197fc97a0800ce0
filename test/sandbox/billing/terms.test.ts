// Currency, taxes, tiers, billing mode, schedules and previews. Each case names its source.
import type Stripe from 'stripe'
import { describe, expect, test } from 'vitest'
import { refusal } from '../client.ts'
import { at, iso, school } from './school.ts'

describe('currency (docs.stripe.com/invoicing/multi-currency-customers)', () => {
  const words =
    'You cannot combine currencies on a single customer. This customer has an active subscription, subscription schedule, discount, quote, invoice item or active subscription mode checkout session with currency usd.'

  test('a customer has one: a second currency is refused while a subscription is live, and accepted after its end', async () => {
    const { stripe, customer, monthly, price } = await school()
    const euros = await price({ currency: 'eur' })
    const { id } = await stripe.subscriptions.create({ customer, items: [{ price: monthly }] })
    const create = () => stripe.subscriptions.create({ customer, items: [{ price: euros }] })
    expect(await refusal(create())).toMatchObject({ status: 400, message: words })
    await stripe.subscriptions.cancel(id)
    expect((await create()).currency).toBe('eur')
  })

  test('a pending invoice item and a schedule before its start lock it as well', async () => {
    const { stripe, customer, monthly, price } = await school()
    const euros = await price({ currency: 'eur' })
    const item = await stripe.invoiceItems.create({ customer, amount: 700, currency: 'usd' })
    expect((await refusal(stripe.subscriptions.create({ customer, items: [{ price: euros }] }))).message).toBe(words)
    await stripe.invoiceItems.del(item.id)
    const schedule = await stripe.subscriptionSchedules.create({
      customer,
      start_date: at('2027-03-01T00:00:00Z'),
      phases: [{ items: [{ price: monthly }] }],
    })
    expect((await refusal(stripe.subscriptions.create({ customer, items: [{ price: euros }] }))).message).toBe(words)
    await stripe.subscriptionSchedules.cancel(schedule.id)
    expect((await stripe.subscriptions.create({ customer, items: [{ price: euros }] })).status).toBe('active')
  })

  test('a price with currency options is charged in the requested currency', async () => {
    const { stripe, customer, price, ledger } = await school()
    const many = await price({ currency_options: { eur: { unit_amount: 4500 } } })
    const made = await stripe.subscriptions.create({ customer, currency: 'eur', items: [{ price: many, quantity: 2 }] })
    expect(made.currency).toBe('eur')
    expect(ledger()).toMatchObject([{ amount: 9000, currency: 'eur' }])
    const other = await stripe.customers.create({ payment_method: 'pm_card_visa' })
    expect(
      (await refusal(stripe.subscriptions.create({ customer: other.id, currency: 'gbp', items: [{ price: many }] })))
        .status,
    ).toBe(400)
  })
})

describe('taxes', () => {
  const rate = (stripe: Stripe, percentage: number, inclusive: boolean) =>
    stripe.taxRates.create({ display_name: 'VAT', percentage, inclusive })

  test('exclusive taxes are added, inclusive ones contained; rates of an item replace the subscription’s', async () => {
    const { stripe, customer, monthly, price, ledger } = await school()
    const [onTop, within] = [await rate(stripe, 19, false), await rate(stripe, 20, true)]
    const other = await price({ unit_amount: 12_000 })
    const made = await stripe.subscriptions.create({
      customer,
      items: [{ price: monthly }, { price: other, tax_rates: [within.id] }],
      default_tax_rates: [onTop.id],
      expand: ['latest_invoice'],
    })
    const invoice = made.latest_invoice as Stripe.Invoice
    expect(invoice).toMatchObject({
      subtotal: 16_900,
      subtotal_excluding_tax: 14_900,
      total: 4900 + 931 + 12_000,
      total_excluding_tax: 4900 + 10_000,
    })
    expect(
      invoice.total_taxes?.map((tax) => [
        tax.tax_rate_details?.tax_rate,
        tax.tax_behavior,
        tax.amount,
        tax.taxable_amount,
      ]),
    ).toEqual([
      [onTop.id, 'exclusive', 931, 4900],
      [within.id, 'inclusive', 2000, 10_000],
    ])
    expect(made.default_tax_rates?.map((one) => one.id)).toEqual([onTop.id])
    expect(made.items.data[1]?.tax_rates?.map((one) => one.id)).toEqual([within.id])
    expect(ledger()[0]?.amount).toBe(17_831)
  })

  test('discounts apply before tax; an exempt customer pays no tax', async () => {
    const { stripe, customer, monthly, coupon, ledger } = await school()
    const { id } = await rate(stripe, 20, false)
    const half = await coupon({ percent_off: 50, duration: 'forever' })
    await stripe.subscriptions.create({
      customer,
      items: [{ price: monthly }],
      default_tax_rates: [id],
      discounts: [{ coupon: half }],
    })
    await stripe.customers.update(customer, { tax_exempt: 'exempt' })
    await stripe.subscriptions.create({ customer, items: [{ price: monthly }], default_tax_rates: [id] })
    expect(ledger().map((charge) => charge.amount)).toEqual([2450 + 490, 4900])
  })

  test('an archived rate cannot be set again, but continues where it is set', async () => {
    const { stripe, customer, monthly, until, ledger } = await school()
    const { id } = await rate(stripe, 20, false)
    await stripe.subscriptions.create({ customer, items: [{ price: monthly }], default_tax_rates: [id] })
    await stripe.taxRates.update(id, { active: false })
    expect(
      (await refusal(stripe.subscriptions.create({ customer, items: [{ price: monthly }], default_tax_rates: [id] })))
        .status,
    ).toBe(400)
    await until('2027-02-11T00:00:00Z')
    expect(ledger().map((charge) => charge.amount)).toEqual([5880, 5880])
  })

  test('automatic tax needs the customer’s location: customer_tax_location_invalid; it excludes rates', async () => {
    const { stripe, customer, monthly, ledger } = await school()
    const create = (given: Partial<Stripe.SubscriptionCreateParams> = {}) =>
      stripe.subscriptions.create({ customer, items: [{ price: monthly }], automatic_tax: { enabled: true }, ...given })
    expect(await refusal(create())).toMatchObject({ status: 400, code: 'customer_tax_location_invalid' })
    await stripe.customers.update(customer, { address: { country: 'DE' } })
    const { id } = await rate(stripe, 20, false)
    expect((await refusal(create({ default_tax_rates: [id] }))).status).toBe(400)
    expect(await create()).toMatchObject({ automatic_tax: { enabled: true, disabled_reason: null } })
    expect(ledger()[0]?.amount).toBe(4900 + 931)
  })

  test('a business abroad pays no tax by reverse charge (Polar; docs tax)', async () => {
    const { stripe, customer, monthly } = await school()
    await stripe.customers.update(customer, { address: { country: 'AT' } })
    await stripe.customers.createTaxId(customer, { type: 'eu_vat', value: 'ATU12345678' })
    const made = await stripe.subscriptions.create({
      customer,
      items: [{ price: monthly }],
      automatic_tax: { enabled: true },
      expand: ['latest_invoice'],
    })
    const invoice = made.latest_invoice as Stripe.Invoice
    expect([invoice.total, invoice.total_taxes?.map((tax) => [tax.amount, tax.taxability_reason])]).toEqual([
      4900,
      [[0, 'reverse_charge']],
    ])
  })

  test('an account without registrations is stripe_tax_inactive', async () => {
    const { stripe, customer, monthly, sandbox } = await school()
    Object.assign(sandbox.world.account('us').settings, { tax_registrations: [] })
    await stripe.customers.update(customer, { address: { country: 'DE' } })
    expect(
      (
        await refusal(
          stripe.subscriptions.create({ customer, items: [{ price: monthly }], automatic_tax: { enabled: true } }),
        )
      ).code,
    ).toBe('stripe_tax_inactive')
  })
})

describe('items (docs mixed-interval; SDK)', () => {
  test('tiers and packages', async () => {
    const { stripe, customer, price, ledger } = await school()
    const about = { currency: 'usd', recurring: { interval: 'month' as const }, billing_scheme: 'tiered' as const }
    const tiers = [
      { up_to: 5, unit_amount: 1000 },
      { up_to: 'inf' as const, unit_amount: 500, flat_amount: 200 },
    ]
    const { data } = await stripe.products.list()
    const product = data[0]?.id ?? ''
    const graduated = await stripe.prices.create({ ...about, product, tiers_mode: 'graduated', tiers })
    const volume = await stripe.prices.create({ ...about, product, tiers_mode: 'volume', tiers })
    const packed = await price({ transform_quantity: { divide_by: 10, round: 'up' }, unit_amount: 3000 })
    for (const [id, quantity] of [
      [graduated.id, 7],
      [volume.id, 7],
      [packed, 11],
    ] as const)
      await stripe.subscriptions.create({ customer, items: [{ price: id, quantity }] })
    expect(ledger().map((charge) => charge.amount)).toEqual([5000 + 1000 + 200, 3700, 6000])
  })

  test('inactive prices and prices of inactive products are refused, but continue where they are set', async () => {
    const { stripe, customer, monthly, price, product, until, ledger } = await school()
    const old = await price({ unit_amount: 1900 })
    await stripe.subscriptions.create({ customer, items: [{ price: old }] })
    await stripe.prices.update(old, { active: false })
    expect((await refusal(stripe.subscriptions.create({ customer, items: [{ price: old }] }))).param).toBe(
      'items[0][price]',
    )
    await stripe.products.update(product, { active: false })
    expect((await refusal(stripe.subscriptions.create({ customer, items: [{ price: monthly }] }))).code).toBe(
      'product_inactive',
    )
    await until('2027-02-11T00:00:00Z')
    expect(ledger().map((charge) => charge.amount)).toEqual([1900, 1900])
  })

  test('mixed intervals only in flexible mode; each item renews in its own interval', async () => {
    const { stripe, customer, monthly, price, until, ledger } = await school()
    const quarterly = await price({ recurring: { interval: 'month', interval_count: 3 }, unit_amount: 10_000 })
    const items = [{ price: monthly }, { price: quarterly }]
    expect(
      (await refusal(stripe.subscriptions.create({ customer, items, billing_mode: { type: 'classic' } }))).status,
    ).toBe(400)
    await stripe.subscriptions.create({ customer, items })
    await until('2027-05-11T00:00:00Z')
    expect(ledger().map((charge) => charge.amount)).toEqual([14_900, 4900, 4900, 14_900, 4900])
  })

  test('an inline price is created for its item and never listed', async () => {
    const { stripe, customer, product, ledger } = await school()
    await stripe.subscriptions.create({
      customer,
      items: [{ price_data: { currency: 'usd', product, recurring: { interval: 'month' }, unit_amount: 3700 } }],
    })
    expect(ledger()[0]?.amount).toBe(3700)
    expect((await stripe.prices.list({ limit: 100 })).data.map((one) => one.unit_amount)).toEqual([4900])
  })

  test('a customer has at most 500 live subscriptions: customer_max_subscriptions (SDK)', async () => {
    const { stripe, customer, price } = await school()
    const free = await price({ unit_amount: 0 })
    const create = () => stripe.subscriptions.create({ customer, items: [{ price: free }] })
    for (let made = 0; made < 500; made++) await create()
    expect((await refusal(create())).code).toBe('customer_max_subscriptions')
  })

  test('the items API changes what an update changes', async () => {
    const { stripe, customer, monthly, price } = await school()
    const extra = await price({ unit_amount: 500 })
    const { id } = await stripe.subscriptions.create({ customer, items: [{ price: monthly }] })
    const added = await stripe.subscriptionItems.create({
      subscription: id,
      price: extra,
      quantity: 2,
      proration_behavior: 'none',
    })
    expect(added).toMatchObject({ object: 'subscription_item', quantity: 2, subscription: id })
    expect((await stripe.subscriptionItems.list({ subscription: id })).data.map((item) => item.price.id)).toEqual([
      monthly,
      extra,
    ])
    expect(
      (await stripe.subscriptionItems.update(added.id, { quantity: 3, proration_behavior: 'none' })).quantity,
    ).toBe(3)
    await stripe.subscriptionItems.del(added.id, { proration_behavior: 'none' })
    expect((await stripe.subscriptions.retrieve(id)).items.data).toHaveLength(1)
    expect((await stripe.invoiceItems.list({ customer, pending: true })).data).toEqual([])
  })
})

describe('billing_mode (docs billing-mode)', () => {
  test('flexible by default since clover; migrate turns classic into flexible, never the reverse', async () => {
    const { stripe, customer, monthly } = await school()
    const made = await stripe.subscriptions.create({ customer, items: [{ price: monthly }] })
    expect(made.billing_mode.type).toBe('flexible')
    const classic = await stripe.subscriptions.create({
      customer,
      items: [{ price: monthly }],
      billing_mode: { type: 'classic' },
    })
    expect(classic.billing_mode).toEqual({ type: 'classic', flexible: null })
    const moved = await stripe.subscriptions.migrate(classic.id, { billing_mode: { type: 'flexible' } })
    expect(moved.billing_mode).toMatchObject({ type: 'flexible', updated_at: at('2027-01-10T12:00:00Z') })
    expect(
      (await refusal(stripe.subscriptions.migrate(classic.id, { billing_mode: { type: 'flexible' } }))).status,
    ).toBe(400)
  })
})

describe('schedules (SDK; docs subscription-schedules)', () => {
  test('can start a monthly subscription more than a month ahead; the first invoice is a draft', async () => {
    const { stripe, customer, monthly, until, ledger } = await school()
    const schedule = await stripe.subscriptionSchedules.create({
      customer,
      start_date: at('2027-04-01T00:00:00Z'),
      phases: [
        { items: [{ price: monthly }], duration: { interval: 'month', interval_count: 2 }, metadata: { wave: '1' } },
      ],
    })
    expect(schedule).toMatchObject({ status: 'not_started', subscription: null, end_behavior: 'release' })
    expect((await stripe.subscriptionSchedules.list({ customer, scheduled: true })).data).toHaveLength(1)
    await until('2027-04-01T00:30:00Z')
    const begun = await stripe.subscriptionSchedules.retrieve(schedule.id)
    expect([begun.status, iso(begun.current_phase?.end_date)]).toEqual(['active', '2027-06-01T00:00:00Z'])
    const subscription = begun.subscription as string
    expect(await stripe.subscriptions.retrieve(subscription)).toMatchObject({
      status: 'active',
      schedule: schedule.id,
      metadata: { wave: '1' },
    })
    expect((await stripe.invoices.list({ subscription })).data.map((invoice) => invoice.status)).toEqual(['draft'])
    await until('2027-07-02T00:00:00Z')
    expect(ledger().map((charge) => charge.at)).toEqual([
      '2027-04-01T01:00:00Z',
      '2027-05-01T01:00:00Z',
      '2027-06-01T01:00:00Z',
      '2027-07-01T01:00:00Z',
    ])
    expect(await stripe.subscriptionSchedules.retrieve(schedule.id)).toMatchObject({
      status: 'released',
      released_subscription: subscription,
    })
    expect((await stripe.subscriptions.retrieve(subscription)).schedule).toBeNull()
  })

  test('the next phase changes price and discount at the boundary, before the renewal', async () => {
    const { stripe, customer, monthly, price, coupon, until, ledger } = await school()
    const dearer = await price({ unit_amount: 5900 })
    const half = await coupon({ percent_off: 50, duration: 'forever' })
    await stripe.subscriptionSchedules.create({
      customer,
      start_date: 'now',
      phases: [
        {
          items: [{ price: monthly }],
          discounts: [{ coupon: half }],
          duration: { interval: 'month', interval_count: 2 },
        },
        { items: [{ price: dearer, quantity: 2 }], duration: { interval: 'month' }, proration_behavior: 'none' },
      ],
      end_behavior: 'cancel',
    })
    await until('2027-08-01T00:00:00Z')
    expect(ledger().map((charge) => charge.amount)).toEqual([2450, 2450, 11_800])
    expect(
      (await stripe.subscriptions.list({ customer, status: 'canceled' })).data.map((row) => iso(row.ended_at)),
    ).toEqual(['2027-04-10T12:00:00Z'])
  })

  test('from_subscription accepts no other parameter, not even billing_mode: two requests', async () => {
    const { stripe, customer, monthly } = await school()
    const { id } = await stripe.subscriptions.create({ customer, items: [{ price: monthly }] })
    for (const other of [{ end_behavior: 'cancel' as const }, { billing_mode: { type: 'flexible' as const } }])
      expect((await refusal(stripe.subscriptionSchedules.create({ from_subscription: id, ...other }))).status).toBe(400)
    const schedule = await stripe.subscriptionSchedules.create({ from_subscription: id })
    expect(
      schedule.phases.map((phase) => [
        iso(phase.start_date),
        iso(phase.end_date),
        phase.items.map((item) => item.price),
      ]),
    ).toEqual([['2027-01-10T12:00:00Z', '2027-02-10T12:00:00Z', [monthly]]])
    expect((await refusal(stripe.subscriptionSchedules.create({ from_subscription: id }))).status).toBe(400)
  })

  test('phase_start is refused with a trial', async () => {
    const { stripe, customer, monthly } = await school()
    const refused = await refusal(
      stripe.subscriptionSchedules.create({
        customer,
        start_date: 'now',
        phases: [{ items: [{ price: monthly }], trial: true, billing_cycle_anchor: 'phase_start' }],
      }),
    )
    expect(refused.param).toBe('phases[0][billing_cycle_anchor]')
  })
})

describe('previews (SDK Invoices.createPreview)', () => {
  test('of an existing subscription: equal to the next invoice in lines, discounts, taxes and balance', async () => {
    const { stripe, customer, monthly, coupon, until } = await school()
    const { id: rate } = await stripe.taxRates.create({ display_name: 'VAT', percentage: 19, inclusive: false })
    await stripe.customers.createBalanceTransaction(customer, { amount: -300, currency: 'usd' })
    const made = await stripe.subscriptions.create({
      customer,
      items: [{ price: monthly, quantity: 3 }],
      discounts: [
        { coupon: await coupon({ amount_off: 777, currency: 'usd', duration: 'repeating', duration_in_months: 2 }) },
      ],
      default_tax_rates: [rate],
      billing_cycle_anchor: at('2027-01-31T00:00:00Z'),
      proration_behavior: 'none',
    })
    const preview = await stripe.invoices.createPreview({ subscription: made.id })
    await until('2027-02-01T00:00:00Z')
    const [real] = (await stripe.invoices.list({ subscription: made.id })).data
    const compared = (invoice: Stripe.Invoice | undefined) => ({
      money: [
        invoice?.subtotal,
        invoice?.total,
        invoice?.amount_due,
        invoice?.total_excluding_tax,
        invoice?.starting_balance,
        invoice?.currency,
      ],
      discounts: invoice?.total_discount_amounts,
      taxes: invoice?.total_taxes,
      lines: invoice?.lines.data.map((line) => [line.amount, line.description, line.period, line.quantity]),
    })
    expect(compared(preview)).toEqual(compared(real))
    expect(preview.id.startsWith('upcoming_in_')).toBe(true)
  })

  test('of a possible subscription: subscription_details of a customer, with an anchor as timestamp; nothing is stored', async () => {
    const { stripe, customer, monthly, coupon, sandbox } = await school()
    const few = await coupon({ percent_off: 20, duration: 'forever', max_redemptions: 1 })
    const before = [...sandbox.world.dump()].map((row) => row.key + row.value)
    const preview = await stripe.invoices.createPreview({
      customer,
      discounts: [{ coupon: few }],
      subscription_details: {
        items: [{ price: monthly }],
        billing_cycle_anchor: { type: 'timestamp', timestamp: at('2027-01-31T09:15:00Z') },
        proration_behavior: 'none',
        start_date: at('2026-10-31T09:15:00Z'),
      },
    })
    expect([preview.total, iso(preview.lines.data[0]?.period.start), iso(preview.lines.data[0]?.period.end)]).toEqual([
      3920,
      '2027-01-31T09:15:00Z',
      '2027-02-28T09:15:00Z',
    ])
    const after = [...sandbox.world.dump()]
      .filter((row) => !row.table.includes('idempotency'))
      .map((row) => row.key + row.value)
    expect(after.filter((row) => !before.includes(row))).toEqual([])
  })

  test('customer_details override the customer only during the preview', async () => {
    const { stripe, monthly, sandbox } = await school()
    const { id: customer } = await stripe.customers.create({ address: { country: 'DE' } })
    const before = [...sandbox.world.dump()].map((row) => row.key + row.value)
    const taxOf = async (customer_details: Stripe.InvoiceCreatePreviewParams.CustomerDetails = {}) => {
      const preview = await stripe.invoices.createPreview({
        customer,
        customer_details,
        automatic_tax: { enabled: true },
        subscription_details: { items: [{ price: monthly }] },
      })
      return [preview.total - (preview.total_excluding_tax ?? 0), preview.customer_tax_exempt]
    }
    const [usual] = await taxOf()
    expect(usual).toBeGreaterThan(0)
    expect(await taxOf({ tax_exempt: 'exempt' })).toEqual([0, 'exempt'])
    expect(await taxOf({ tax_ids: [{ type: 'eu_vat', value: 'ATU12345678' }], address: { country: 'AT' } })).toEqual([
      0,
      'none',
    ])
    expect(await taxOf({ shipping: { name: 'A', address: { country: 'SE' } } })).not.toEqual([usual, 'none'])
    const after = [...sandbox.world.dump()]
      .filter((row) => !row.table.includes('idempotency'))
      .map((row) => row.key + row.value)
    expect(after.filter((row) => !before.includes(row))).toEqual([])
  })

  test('of a change: prorations by proration_behavior', async () => {
    const { stripe, customer, monthly, price, until } = await school()
    const dearer = await price({ unit_amount: 9800 })
    const made = await stripe.subscriptions.create({ customer, items: [{ price: monthly }] })
    await until('2027-01-20T12:00:00Z')
    const items = [{ id: made.items.data[0]?.id ?? '', price: dearer }]
    const pending = await stripe.invoices.createPreview({ subscription: made.id, subscription_details: { items } })
    expect(pending.lines.data.map((line) => line.amount)).toEqual([
      -Math.round((4900 * 21) / 31),
      Math.round((9800 * 21) / 31),
      9800,
    ])
    const plain = await stripe.invoices.createPreview({
      subscription: made.id,
      subscription_details: { items, proration_behavior: 'none' },
    })
    expect(plain.total).toBe(9800)
    expect((await stripe.invoiceItems.list({ customer, pending: true })).data).toEqual([])
  })

  test('of an ending subscription: 404 invoice_upcoming_none', async () => {
    const { stripe, customer, monthly } = await school()
    const { id } = await stripe.subscriptions.create({ customer, items: [{ price: monthly }] })
    await stripe.subscriptions.update(id, { cancel_at_period_end: true })
    expect(await refusal(stripe.invoices.createPreview({ subscription: id }))).toMatchObject({
      status: 404,
      code: 'invoice_upcoming_none',
    })
    await stripe.subscriptions.cancel(id)
    expect((await refusal(stripe.invoices.createPreview({ subscription: id }))).code).toBe('invoice_upcoming_none')
  })
})
