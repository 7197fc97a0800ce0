// Classic and flexible billing mode, difference by difference
// (https://docs.stripe.com/billing/subscriptions/billing-mode/compare).
import type Stripe from 'stripe'
import { describe, expect, test } from 'vitest'
import { at, iso, school } from './school.ts'

type Mode = 'classic' | 'flexible'
const bothModes = ['classic', 'flexible'] as const
const both = async <T>(play: (mode: Mode) => Promise<T>): Promise<Record<Mode, T>> => ({
  classic: await play('classic'),
  flexible: await play('flexible'),
})
const rest = (amount: number) => Math.round((amount * 21) / 31)
const pending = async (stripe: Stripe, customer: string) =>
  (await stripe.invoiceItems.list({ customer, pending: true, limit: 100 })).data.map((item) => item.amount).toReversed()

describe('credits', () => {
  test('classic uses the present price and discounts, flexible the debited amounts', async () => {
    const seen = await both(async (type) => {
      const { stripe, customer, monthly, price, coupon, until } = await school()
      const dearer = await price({ unit_amount: 9800 })
      const half = await coupon({ percent_off: 50, duration: 'once' })
      const made = await stripe.subscriptions.create({
        customer,
        items: [{ price: monthly }],
        discounts: [{ coupon: half }],
        billing_mode: { type },
      })
      await until('2027-01-20T12:00:00Z')
      await stripe.subscriptions.update(made.id, { items: [{ id: made.items.data[0]?.id ?? '', price: dearer }] })
      return pending(stripe, customer)
    })
    expect(seen).toEqual({ classic: [-rest(4900), rest(9800)], flexible: [-rest(2450), rest(9800)] })
  })

  test('debits include the running discounts', async () => {
    const { stripe, customer, monthly, coupon, until } = await school()
    const half = await coupon({ percent_off: 50, duration: 'forever' })
    const made = await stripe.subscriptions.create({
      customer,
      items: [{ price: monthly }],
      discounts: [{ coupon: half }],
    })
    await until('2027-01-20T12:00:00Z')
    await stripe.subscriptions.update(made.id, { items: [{ id: made.items.data[0]?.id ?? '', quantity: 2 }] })
    expect(await pending(stripe, customer)).toEqual([-rest(2450), rest(4900)])
  })

  test('flexible: several debits of one stretch are all credited, to the cent', async () => {
    const { stripe, customer, monthly, until } = await school()
    const made = await stripe.subscriptions.create({ customer, items: [{ price: monthly }] })
    const item = made.items.data[0]?.id ?? ''
    await until('2027-01-20T12:00:00Z')
    await stripe.subscriptions.update(made.id, { items: [{ id: item, quantity: 3 }] })
    await until('2027-01-25T12:00:00Z')
    await stripe.subscriptions.cancel(made.id, { prorate: true })
    const last = (await pending(stripe, customer)).at(-1) ?? 0
    const days = 16
    const full = Math.round((4900 * days) / 31)
    expect(Math.abs(last + 3 * full)).toBeLessThanOrEqual(2)
  })

  test('flexible: the free time before an anchor was not debited, so it has no credit; classic credits it', async () => {
    const seen = await both(async (type) => {
      const { stripe, customer, monthly } = await school({ clock: '2027-01-20T12:00:00Z' })
      const made = await stripe.subscriptions.create({
        customer,
        items: [{ price: monthly }],
        billing_cycle_anchor: at('2027-02-10T12:00:00Z'),
        proration_behavior: 'none',
        billing_mode: { type },
      })
      await stripe.subscriptions.cancel(made.id, { prorate: true })
      return pending(stripe, customer)
    })
    expect(seen).toEqual({ classic: [-rest(4900)], flexible: [] })
  })
})

describe('the anchor', () => {
  test('from free to paid: classic restarts the period, flexible keeps the anchor', async () => {
    const seen = await both(async (type) => {
      const { stripe, customer, monthly, price, until } = await school()
      const free = await price({ unit_amount: 0 })
      const made = await stripe.subscriptions.create({ customer, items: [{ price: free }], billing_mode: { type } })
      await until('2027-01-20T12:00:00Z')
      const paid = await stripe.subscriptions.update(made.id, {
        items: [{ id: made.items.data[0]?.id ?? '', price: monthly }],
      })
      return iso(paid.billing_cycle_anchor)
    })
    expect(seen).toEqual({ classic: '2027-01-20T12:00:00Z', flexible: '2027-01-10T12:00:00Z' })
  })

  test('cancel_at moved before the next renewal: classic resets it, flexible does not', async () => {
    const seen = await both(async (type) => {
      const { stripe, customer, monthly, until } = await school()
      const { id } = await stripe.subscriptions.create({
        customer,
        items: [{ price: monthly }],
        billing_mode: { type },
      })
      await until('2027-01-20T12:00:00Z')
      const ending = await stripe.subscriptions.update(id, {
        cancel_at: at('2027-02-01T00:00:00Z'),
        proration_behavior: 'none',
      })
      return iso(ending.billing_cycle_anchor)
    })
    expect(seen).toEqual({ classic: '2027-01-20T12:00:00Z', flexible: '2027-01-10T12:00:00Z' })
  })

  test('cancel_at_period_end shows the end of the period as cancel_at and moves with it', async () => {
    const { stripe, customer, monthly, until } = await school()
    const { id } = await stripe.subscriptions.create({ customer, items: [{ price: monthly }] })
    expect(iso((await stripe.subscriptions.update(id, { cancel_at_period_end: true })).cancel_at)).toBe(
      '2027-02-10T12:00:00Z',
    )
    await until('2027-01-20T12:00:00Z')
    const moved = await stripe.subscriptions.update(id, {
      billing_cycle_anchor: { type: 'now' },
      proration_behavior: 'none',
    })
    expect([iso(moved.cancel_at), moved.cancel_at_period_end]).toEqual(['2027-02-20T12:00:00Z', true])
  })
})

describe('backdating', () => {
  test('classic charges the past as one line in imagined periods from its start: 14 days of February are half a month (docs backdating)', async () => {
    const seen = await both(async (type) => {
      const { stripe, customer, monthly } = await school({ clock: '2027-03-01T00:00:00Z' })
      const made = await stripe.subscriptions.create({
        customer,
        items: [{ price: monthly }],
        backdate_start_date: at('2027-02-15T00:00:00Z'),
        billing_mode: { type },
        expand: ['latest_invoice'],
      })
      const lines = (made.latest_invoice as Stripe.Invoice).lines.data.map((line) => [
        line.amount,
        iso(line.period.start).slice(0, 10),
        iso(line.period.end).slice(0, 10),
      ])
      return [iso(made.billing_cycle_anchor).slice(0, 10), ...lines]
    })
    expect(seen).toEqual({
      classic: ['2027-03-01', [2450, '2027-02-15', '2027-03-01'], [4900, '2027-03-01', '2027-04-01']],
      flexible: ['2027-02-15', [4900, '2027-02-15', '2027-03-15']],
    })
  })

  test('classic with an anchor ahead: one item for the time from the start to the anchor (docs backdating: 1 September to 1 November)', async () => {
    const { stripe, customer, monthly } = await school({ clock: '2027-10-15T00:00:00Z' })
    const made = await stripe.subscriptions.create({
      customer,
      items: [{ price: monthly }],
      backdate_start_date: at('2027-09-01T00:00:00Z'),
      billing_cycle_anchor: at('2027-11-01T00:00:00Z'),
      billing_mode: { type: 'classic' },
      expand: ['latest_invoice'],
    })
    const { data } = (made.latest_invoice as Stripe.Invoice).lines
    expect(
      data.map((line) => [line.amount, iso(line.period.start).slice(0, 10), iso(line.period.end).slice(0, 10)]),
    ).toEqual([[9800, '2027-09-01', '2027-11-01']])
  })
})

describe('a first period that cancel_at ends early', () => {
  test('classic always prorates it, flexible does not with none', async () => {
    const seen = await both(async (type) => {
      const { stripe, customer, monthly, ledger } = await school()
      await stripe.subscriptions.create({
        customer,
        items: [{ price: monthly }],
        cancel_at: at('2027-01-20T12:00:00Z'),
        proration_behavior: 'none',
        billing_mode: { type },
      })
      return ledger().map((charge) => charge.amount)
    })
    expect(seen).toEqual({ classic: [Math.round((4900 * 10) / 31)], flexible: [4900] })
  })
})

describe('trials', () => {
  test('the description of the line', async () => {
    const seen = await both(async (type) => {
      const { stripe, customer, monthly } = await school()
      const made = await stripe.subscriptions.create({
        customer,
        items: [{ price: monthly, quantity: 2 }],
        trial_period_days: 7,
        billing_mode: { type },
        expand: ['latest_invoice'],
      })
      return (made.latest_invoice as Stripe.Invoice).lines.data.map((line) => line.description)
    })
    expect(seen).toEqual({ classic: ['Trial period for Membership'], flexible: ['Free trial for 2 × Membership'] })
  })

  test('the start of a later trial: classic shows the first, flexible the most recent', async () => {
    const seen = await both(async (type) => {
      const { stripe, customer, monthly, until } = await school()
      const { id } = await stripe.subscriptions.create({
        customer,
        items: [{ price: monthly }],
        trial_period_days: 7,
        billing_mode: { type },
      })
      await until('2027-03-01T00:00:00Z')
      const again = await stripe.subscriptions.update(id, {
        trial_end: at('2027-03-20T00:00:00Z'),
        proration_behavior: 'none',
      })
      return iso(again.trial_start)
    })
    expect(seen).toEqual({ classic: '2027-01-10T12:00:00Z', flexible: '2027-03-01T00:00:00Z' })
  })

  test('cancel_at before the trial’s end: classic moves the end of the trial, flexible keeps it', async () => {
    const seen = await both(async (type) => {
      const { stripe, customer, monthly } = await school()
      const { id } = await stripe.subscriptions.create({
        customer,
        items: [{ price: monthly }],
        trial_period_days: 14,
        billing_mode: { type },
      })
      return iso((await stripe.subscriptions.update(id, { cancel_at: at('2027-01-15T00:00:00Z') })).trial_end)
    })
    expect(seen).toEqual({ classic: '2027-01-15T00:00:00Z', flexible: '2027-01-24T12:00:00Z' })
  })
})

describe('usage', () => {
  const metered = async () => {
    const world = await school()
    const meter = await world.stripe.billing.meters.create({
      display_name: 'Calls',
      event_name: 'calls',
      default_aggregation: { formula: 'sum' },
    })
    const { id } = await world.stripe.prices.create({
      product: world.product,
      currency: 'usd',
      unit_amount: 10,
      recurring: { interval: 'month', usage_type: 'metered', meter: meter.id },
    })
    return { ...world, metered: id }
  }

  test('a new metered item: classic has a zero line; flexible has none, and no invoice without other lines', async () => {
    const seen = await both(async (type) => {
      const { stripe, customer, metered: price, monthly } = await metered()
      const alone = await stripe.subscriptions.create({ customer, items: [{ price }], billing_mode: { type } })
      const beside = await stripe.subscriptions.create({
        customer,
        items: [{ price: monthly }, { price }],
        billing_mode: { type },
        expand: ['latest_invoice'],
      })
      return [
        alone.status,
        alone.latest_invoice === null,
        (beside.latest_invoice as Stripe.Invoice).lines.data.map((line) => line.amount),
      ]
    })
    expect(seen).toEqual({ classic: ['active', false, [4900, 0]], flexible: ['active', true, [4900]] })
  })

  test('a removed metered item: flexible bills its usage, classic drops it', async () => {
    const seen = await both(async (type) => {
      const { stripe, customer, metered: price, monthly, until } = await metered()
      const made = await stripe.subscriptions.create({
        customer,
        items: [{ price: monthly }, { price }],
        billing_mode: { type },
      })
      await until('2027-01-12T00:00:00Z')
      await stripe.billing.meterEvents.create({
        event_name: 'calls',
        payload: { stripe_customer_id: customer, value: '50' },
      })
      await until('2027-01-20T12:00:00Z')
      await stripe.subscriptions.update(made.id, { items: [{ id: made.items.data[1]?.id ?? '', deleted: true }] })
      return pending(stripe, customer)
    })
    expect(seen).toEqual({ classic: [], flexible: [500] })
  })
})

test('a plain subscription costs the same in both modes, whatever its anchor day', async () => {
  for (const day of ['28', '29', '30', '31']) {
    const ledgers = await Promise.all(
      bothModes.map(async (type) => {
        const { stripe, customer, monthly, until, ledger } = await school({ clock: `2027-01-${day}T08:00:00Z` })
        await stripe.subscriptions.create({ customer, items: [{ price: monthly }], billing_mode: { type } })
        await until('2028-03-05T00:00:00Z')
        return ledger().map((charge) => [charge.at, charge.amount])
      }),
    )
    expect(ledgers[0]).toEqual(ledgers[1])
    expect(ledgers[0]).toHaveLength(14)
  }
})
