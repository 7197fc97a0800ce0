// Anchors, backdating, trials and their combinations. Each case names its source; "docs" is
// docs.stripe.com/billing/subscriptions/…
import type Stripe from 'stripe'
import { describe, expect, test } from 'vitest'
import { refusal } from '../client.ts'
import { at, iso, school } from './school.ts'

const period = (subscription: Stripe.Subscription) => {
  const [item] = subscription.items.data
  return [iso(item?.current_period_start), iso(item?.current_period_end)]
}
const days = (entries: readonly { at: string }[]) => entries.map((charge) => charge.at.slice(0, 10))

describe('billing_cycle_anchor (docs billing-cycle)', () => {
  test('is at most one natural period ahead, including the boundary', async () => {
    const { stripe, customer, monthly } = await school({ clock: '2027-01-31T12:00:00Z' })
    const create = (anchor: string) =>
      stripe.subscriptions.create({
        customer,
        items: [{ price: monthly }],
        billing_cycle_anchor: at(anchor),
        proration_behavior: 'none',
      })
    expect((await create('2027-02-28T12:00:00Z')).status).toBe('active')
    expect(await refusal(create('2027-02-28T12:00:01Z'))).toMatchObject({
      status: 400,
      param: 'billing_cycle_anchor',
      message: expect.stringMatching(/cannot be later than next natural billing date/),
    })
    expect(await refusal(create('2027-01-31T11:59:59Z'))).toMatchObject({ status: 400, param: 'billing_cycle_anchor' })
  })

  test('with several intervals, the shortest one is the limit', async () => {
    const { stripe, customer, monthly, price } = await school()
    const yearly = await price({ recurring: { interval: 'year' } })
    const refused = await refusal(
      stripe.subscriptions.create({
        customer,
        items: [{ price: yearly }, { price: monthly }],
        billing_cycle_anchor: at('2027-03-10T12:00:00Z'),
        proration_behavior: 'none',
      }),
    )
    expect(refused.param).toBe('billing_cycle_anchor')
  })

  test('an anchor on the 31st bills on the last day of short months and returns to the 31st', async () => {
    const { stripe, customer, monthly, until, ledger } = await school({ clock: '2027-01-31T08:00:00Z' })
    await stripe.subscriptions.create({ customer, items: [{ price: monthly }] })
    await until('2027-06-15T00:00:00Z')
    expect(days(ledger())).toEqual(['2027-01-31', '2027-02-28', '2027-03-31', '2027-04-30', '2027-05-31'])
  })

  test('trap: 30 April as the anchor of a 31st moves it to the 30th permanently', async () => {
    const { stripe, customer, monthly, until, ledger } = await school({ clock: '2027-04-05T08:00:00Z' })
    const anchor = at('2027-04-30T08:00:00Z')
    await stripe.subscriptions.create({
      customer,
      items: [{ price: monthly }],
      billing_cycle_anchor: anchor,
      proration_behavior: 'none',
    })
    await until('2027-08-15T00:00:00Z')
    expect(days(ledger())).toEqual(['2027-04-30', '2027-05-30', '2027-06-30', '2027-07-30'])
  })

  test('trap: just after 28 February, 31 March is more than a month ahead: refused as anchor, accepted as anchor config', async () => {
    const { stripe, customer, monthly, until, ledger } = await school({ clock: '2027-02-28T10:00:00Z' })
    const anchor = at('2027-03-31T09:15:00Z')
    const plain = { customer, items: [{ price: monthly }], proration_behavior: 'none' as const }
    expect((await refusal(stripe.subscriptions.create({ ...plain, billing_cycle_anchor: anchor }))).param).toBe(
      'billing_cycle_anchor',
    )
    const made = await stripe.subscriptions.create({
      ...plain,
      billing_cycle_anchor_config: { day_of_month: 31, hour: 9, minute: 15, second: 0 },
    })
    expect(made).toMatchObject({ status: 'active', billing_cycle_anchor: anchor, latest_invoice: null })
    await until('2027-06-15T00:00:00Z')
    expect(days(ledger())).toEqual(['2027-03-31', '2027-04-30', '2027-05-31'])
  })

  test('yearly prices keep month and day, weekly ones the weekday', async () => {
    const { stripe, customer, price, until, ledger } = await school({ clock: '2028-02-29T08:00:00Z' })
    const yearly = await price({ recurring: { interval: 'year' } })
    const weekly = await price({ recurring: { interval: 'week', interval_count: 2 }, unit_amount: 700 })
    await stripe.subscriptions.create({ customer, items: [{ price: yearly }] })
    const other = await stripe.subscriptions.create({ customer, items: [{ price: weekly }] })
    await until('2028-04-01T00:00:00Z')
    expect(days(ledger().filter((charge) => charge.amount === 700))).toEqual(['2028-02-29', '2028-03-14', '2028-03-28'])
    await stripe.subscriptions.cancel(other.id)
    await until('2032-03-01T12:00:00Z')
    expect(days(ledger().filter((charge) => charge.amount === 4900))).toEqual([
      '2028-02-29',
      '2029-02-28',
      '2030-02-28',
      '2031-02-28',
      '2032-02-29',
    ])
  })

  test('flexible mode keeps the anchor when an interval changes, classic mode restarts the period (docs billing-mode, comparison)', async () => {
    for (const [mode, expected] of [
      ['flexible', '2027-01-10T12:00:00Z'],
      ['classic', '2027-01-20T12:00:00Z'],
    ] as const) {
      const { stripe, customer, monthly, price, until } = await school()
      const yearly = await price({ recurring: { interval: 'year' }, unit_amount: 49_000 })
      const made = await stripe.subscriptions.create({
        customer,
        items: [{ price: monthly }],
        billing_mode: { type: mode },
      })
      await until('2027-01-20T12:00:00Z')
      const changed = await stripe.subscriptions.update(made.id, {
        items: [{ id: made.items.data[0]?.id ?? '', price: yearly }],
      })
      expect(iso(changed.billing_cycle_anchor)).toBe(expected)
    }
  })
})

describe('billing_cycle_anchor_config (docs billing-cycle; SDK)', () => {
  const config = { day_of_month: 15 }

  test('is refused together with billing_cycle_anchor, with a backdated start, and for days and weeks', async () => {
    const { stripe, customer, monthly, price } = await school()
    const weekly = await price({ recurring: { interval: 'week' } })
    const create = (given: Partial<Stripe.SubscriptionCreateParams>) =>
      refusal(
        stripe.subscriptions.create({
          customer,
          items: [{ price: monthly }],
          billing_cycle_anchor_config: config,
          proration_behavior: 'none',
          ...given,
        }),
      )
    const param = 'billing_cycle_anchor_config'
    expect(await create({ billing_cycle_anchor: at('2027-01-20T00:00:00Z') })).toMatchObject({ status: 400, param })
    expect(await create({ backdate_start_date: at('2026-01-15T00:00:00Z') })).toMatchObject({ status: 400, param })
    expect(await create({ items: [{ price: weekly }] })).toMatchObject({ status: 400, param })
  })

  test('uses the time of the creation by default, and is shown as given', async () => {
    const { stripe, customer, monthly } = await school({ clock: '2027-01-10T12:34:56Z' })
    const made = await stripe.subscriptions.create({
      customer,
      items: [{ price: monthly }],
      billing_cycle_anchor_config: config,
      proration_behavior: 'none',
    })
    expect(iso(made.billing_cycle_anchor)).toBe('2027-01-15T12:34:56Z')
    expect(made.billing_cycle_anchor_config).toEqual({
      day_of_month: 15,
      month: null,
      hour: null,
      minute: null,
      second: null,
    })
  })

  test('the first full invoice falls within one period; the anchor is the first date whose month has the day (documented), or as in the other reading', async () => {
    for (const [shown, expected] of [
      [true, '2027-02-28T06:00:00Z'],
      [false, '2027-05-31T06:00:00Z'],
    ] as const) {
      const { stripe, customer, price, sandbox, until, ledger } = await school()
      sandbox.world.unsure.config_anchor_at_first_invoice = shown
      const quarterly = await price({ recurring: { interval: 'month', interval_count: 3 } })
      const made = await stripe.subscriptions.create({
        customer,
        items: [{ price: quarterly }],
        billing_cycle_anchor_config: { day_of_month: 31, month: 11, hour: 6, minute: 0, second: 0 },
        proration_behavior: 'none',
      })
      expect(iso(made.billing_cycle_anchor)).toBe(expected)
      expect(iso(made.items.data[0]?.current_period_end)).toBe('2027-02-28T06:00:00Z')
      const preview = await stripe.invoices.createPreview({ subscription: made.id })
      expect(iso(preview.lines.data[0]?.period.end)).toBe('2027-05-31T06:00:00Z')
      await until('2028-03-01T00:00:00Z')
      expect(days(ledger())).toEqual(['2027-02-28', '2027-05-31', '2027-08-31', '2027-11-30', '2028-02-29'])
    }
  })
})

describe('proration_behavior and the time before the anchor (docs billing-cycle)', () => {
  const create = async (given: Partial<Stripe.SubscriptionCreateParams>) => {
    const world = await school({ clock: '2027-01-21T00:00:00Z' })
    const made = await world.stripe.subscriptions.create({
      customer: world.customer,
      items: [{ price: world.monthly }],
      billing_cycle_anchor: at('2027-01-31T00:00:00Z'),
      expand: ['latest_invoice'],
      ...given,
    })
    return { ...world, made }
  }

  test('none makes it free, without any invoice until the first billing period', async () => {
    const { made, ledger, until } = await create({ proration_behavior: 'none' })
    expect(made.latest_invoice).toBeNull()
    expect(period(made)).toEqual(['2027-01-21T00:00:00Z', '2027-01-31T00:00:00Z'])
    await until('2027-01-31T00:59:59Z')
    expect(ledger()).toEqual([])
  })

  test('the default charges for it at once, by the second: without none it is a double charge', async () => {
    const { made, ledger } = await create({})
    // Ten of the 31 days from 31 December to 31 January.
    expect(made.latest_invoice).toMatchObject({ status: 'paid', total: Math.round((4900 * 10) / 31) })
    expect(ledger()).toHaveLength(1)
  })

  test('always_invoice is not supported on creation (API reference)', async () => {
    const { stripe, customer, monthly } = await school()
    const refused = await refusal(
      stripe.subscriptions.create({ customer, items: [{ price: monthly }], proration_behavior: 'always_invoice' }),
    )
    expect(refused).toMatchObject({ status: 400, param: 'proration_behavior' })
  })
})

describe('backdate_start_date (docs backdating)', () => {
  test('none sets the start and does not charge the past', async () => {
    const { stripe, customer, monthly, ledger } = await school()
    const made = await stripe.subscriptions.create({
      customer,
      items: [{ price: monthly }],
      backdate_start_date: at('2026-10-25T00:00:00Z'),
      billing_cycle_anchor: at('2027-01-25T00:00:00Z'),
      proration_behavior: 'none',
    })
    expect(iso(made.start_date)).toBe('2026-10-25T00:00:00Z')
    expect(ledger()).toEqual([])
  })

  test('with prorations the past is charged, one line per period in flexible mode; without an anchor, the start is the anchor', async () => {
    const { stripe, customer, monthly } = await school()
    const made = await stripe.subscriptions.create({
      customer,
      items: [{ price: monthly }],
      backdate_start_date: at('2026-10-25T00:00:00Z'),
      expand: ['latest_invoice'],
    })
    expect(iso(made.billing_cycle_anchor)).toBe('2026-10-25T00:00:00Z')
    const invoice = made.latest_invoice as Stripe.Invoice
    expect(invoice.total).toBe(3 * 4900)
    expect(invoice.lines.data.map((line) => iso(line.period.start).slice(0, 10))).toEqual([
      '2026-10-25',
      '2026-11-25',
      '2026-12-25',
    ])
    expect(period(made)).toEqual(['2026-12-25T00:00:00Z', '2027-01-25T00:00:00Z'])
  })

  test('more than 250 lines are refused (docs, flexible mode)', async () => {
    const { stripe, customer, price } = await school()
    const daily = await price({ recurring: { interval: 'day' }, unit_amount: 100 })
    const refused = await refusal(
      stripe.subscriptions.create({
        customer,
        items: [{ price: daily }],
        backdate_start_date: at('2026-01-01T00:00:00Z'),
      }),
    )
    expect(refused).toMatchObject({ status: 400, param: 'backdate_start_date' })
  })

  test('a start in the future is refused', async () => {
    const { stripe, customer, monthly } = await school()
    const refused = await refusal(
      stripe.subscriptions.create({
        customer,
        items: [{ price: monthly }],
        backdate_start_date: at('2027-02-01T00:00:00Z'),
      }),
    )
    expect(refused).toMatchObject({ status: 400, param: 'backdate_start_date' })
  })

  test('anchor + backdate + none + cancel_at_period_end ends at the anchor with no invoice (Ghost e2e)', async () => {
    const { stripe, customer, monthly, until, ledger } = await school()
    const made = await stripe.subscriptions.create({
      customer,
      items: [{ price: monthly }],
      backdate_start_date: at('2026-10-25T00:00:00Z'),
      billing_cycle_anchor: at('2027-01-25T00:00:00Z'),
      proration_behavior: 'none',
      cancel_at_period_end: true,
    })
    expect(made).toMatchObject({ status: 'active', cancel_at_period_end: true })
    await until('2027-03-01T00:00:00Z')
    const ended = await stripe.subscriptions.retrieve(made.id)
    expect([ended.status, iso(ended.ended_at)]).toEqual(['canceled', '2027-01-25T00:00:00Z'])
    expect((await stripe.invoices.list({ subscription: made.id })).data).toEqual([])
    expect(ledger()).toEqual([])
  })

  test('anchor + backdate + none + cancel_at before the anchor ends then, with no invoice (Ghost e2e)', async () => {
    const { stripe, customer, monthly, until, ledger } = await school()
    const made = await stripe.subscriptions.create({
      customer,
      items: [{ price: monthly }],
      backdate_start_date: at('2026-10-25T00:00:00Z'),
      billing_cycle_anchor: at('2027-01-25T00:00:00Z'),
      proration_behavior: 'none',
      cancel_at: at('2027-01-20T00:00:00Z'),
    })
    await until('2027-03-01T00:00:00Z')
    expect(iso((await stripe.subscriptions.retrieve(made.id)).ended_at)).toBe('2027-01-20T00:00:00Z')
    expect(ledger()).toEqual([])
  })
})

describe('trials (docs trials)', () => {
  test('trialing, a paid zero invoice at once, the anchor and the full price at the end of the trial', async () => {
    const { stripe, customer, monthly, until, ledger } = await school()
    const made = await stripe.subscriptions.create({
      customer,
      items: [{ price: monthly }],
      trial_end: at('2027-01-24T00:00:00Z'),
      expand: ['latest_invoice'],
    })
    expect(made).toMatchObject({ status: 'trialing', billing_cycle_anchor: at('2027-01-24T00:00:00Z') })
    expect(made.latest_invoice).toMatchObject({ status: 'paid', total: 0, billing_reason: 'subscription_create' })
    await until('2027-03-01T00:00:00Z')
    expect((await stripe.subscriptions.retrieve(made.id)).status).toBe('active')
    expect(ledger().map((charge) => [charge.at, charge.amount])).toEqual([
      ['2027-01-24T01:00:00Z', 4900],
      ['2027-02-24T01:00:00Z', 4900],
    ])
  })

  test('an end in the past or more than 730 days ahead is refused', async () => {
    const { stripe, customer, monthly } = await school()
    const create = (end: string) =>
      refusal(stripe.subscriptions.create({ customer, items: [{ price: monthly }], trial_end: at(end) }))
    expect(await create('2027-01-10T11:59:59Z')).toMatchObject({ status: 400, param: 'trial_end' })
    expect(await create('2029-01-10T00:00:00Z')).toMatchObject({ status: 400, param: 'trial_end' })
  })

  test('trial_end + backdate + none: trialing, one zero invoice whose line starts at the original start (Ghost e2e)', async () => {
    const { stripe, customer, monthly } = await school()
    const made = await stripe.subscriptions.create({
      customer,
      items: [{ price: monthly }],
      trial_end: at('2027-01-24T00:00:00Z'),
      backdate_start_date: at('2026-12-25T00:00:00Z'),
      proration_behavior: 'none',
    })
    expect(made.status).toBe('trialing')
    const { data } = await stripe.invoices.list({ subscription: made.id })
    expect(data.map((invoice) => [invoice.total, iso(invoice.lines.data[0]?.period.start)])).toEqual([
      [0, '2026-12-25T00:00:00Z'],
    ])
  })

  test('an anchor must be later than the end of the trial', async () => {
    const { stripe, customer, monthly } = await school()
    const refused = await refusal(
      stripe.subscriptions.create({
        customer,
        items: [{ price: monthly }],
        trial_end: at('2027-01-24T00:00:00Z'),
        billing_cycle_anchor: at('2027-01-24T00:00:00Z'),
      }),
    )
    expect(refused).toMatchObject({ status: 400, param: 'billing_cycle_anchor' })
  })

  test('trial + later anchor: a prorated invoice at the trial’s end, then full cycles; with none nothing until the anchor', async () => {
    for (const [behavior, expected] of [
      [
        'create_prorations',
        [
          ['2027-01-24T01:00:00Z', Math.round((4900 * 7) / 31)],
          ['2027-01-31T01:00:00Z', 4900],
        ],
      ],
      ['none', [['2027-01-31T01:00:00Z', 4900]]],
    ] as const) {
      const { stripe, customer, monthly, until, ledger } = await school()
      await stripe.subscriptions.create({
        customer,
        items: [{ price: monthly }],
        trial_end: at('2027-01-24T00:00:00Z'),
        billing_cycle_anchor: at('2027-01-31T00:00:00Z'),
        proration_behavior: behavior,
      })
      await until('2027-02-15T00:00:00Z')
      expect(ledger().map((charge) => [charge.at, charge.amount])).toEqual(expected)
    }
  })

  test('end_behavior.billing_cycle_anchor unchanged keeps the anchor at the start (SDK 23.0.0)', async () => {
    const { stripe, customer, monthly, until, ledger } = await school()
    const made = await stripe.subscriptions.create({
      customer,
      items: [{ price: monthly }],
      trial_end: at('2027-01-24T12:00:00Z'),
      trial_settings: { end_behavior: { billing_cycle_anchor: 'unchanged', missing_payment_method: 'create_invoice' } },
      proration_behavior: 'none',
    })
    expect(iso(made.billing_cycle_anchor)).toBe('2027-01-10T12:00:00Z')
    await until('2027-03-01T00:00:00Z')
    expect(ledger().map((charge) => charge.at)).toEqual(['2027-02-10T13:00:00Z'])
  })

  test('without a payment method a trial ends as requested: cancelled, paused, or with an invoice that cannot be paid', async () => {
    for (const [missing, expected] of [
      ['cancel', 'canceled'],
      ['pause', 'paused'],
      ['create_invoice', 'past_due'],
    ] as const) {
      const { stripe, monthly, until } = await school()
      const { id: customer } = await stripe.customers.create({ email: 'nocard@example.com' })
      const made = await stripe.subscriptions.create({
        customer,
        items: [{ price: monthly }],
        trial_period_days: 7,
        trial_settings: { end_behavior: { missing_payment_method: missing } },
      })
      await until('2027-01-18T00:00:00Z')
      expect((await stripe.subscriptions.retrieve(made.id)).status).toBe(expected)
    }
  })

  test('trial_from_plan takes the price’s days and is refused together with trial_end (SDK)', async () => {
    const { stripe, customer, price } = await school()
    const tried = await price({ recurring: { interval: 'month', trial_period_days: 10 } })
    const made = await stripe.subscriptions.create({ customer, items: [{ price: tried }], trial_from_plan: true })
    expect(iso(made.trial_end)).toBe('2027-01-20T12:00:00Z')
    const refused = await refusal(
      stripe.subscriptions.create({
        customer,
        items: [{ price: tried }],
        trial_from_plan: true,
        trial_end: at('2027-02-01T00:00:00Z'),
      }),
    )
    expect(refused.status).toBe(400)
  })

  test('a trial ended by an update bills at once and moves the anchor to now', async () => {
    const { stripe, customer, monthly, until, ledger } = await school()
    const made = await stripe.subscriptions.create({ customer, items: [{ price: monthly }], trial_period_days: 30 })
    await until('2027-01-15T12:00:00Z')
    const ended = await stripe.subscriptions.update(made.id, { trial_end: 'now' })
    expect([ended.status, iso(ended.billing_cycle_anchor)]).toEqual(['active', '2027-01-15T12:00:00Z'])
    expect(ledger().map((charge) => [charge.at, charge.amount])).toEqual([['2027-01-15T12:00:00Z', 4900]])
  })

  test('a new anchor before the trial’s end is subscription_update_trial_after_billing_cycle_anchor (changelog 2026-10-28.endive)', async () => {
    const { stripe, customer, monthly } = await school()
    const made = await stripe.subscriptions.create({ customer, items: [{ price: monthly }] })
    const refused = await refusal(
      stripe.subscriptions.update(made.id, {
        billing_cycle_anchor: { type: 'now' },
        trial_end: at('2027-02-01T00:00:00Z'),
      }),
    )
    expect(refused.code).toBe('subscription_update_trial_after_billing_cycle_anchor')
  })
})

test('cancel_at and cancel_at_period_end together are refused (Ghost)', async () => {
  const { stripe, customer, monthly } = await school()
  const refused = await refusal(
    stripe.subscriptions.create({
      customer,
      items: [{ price: monthly }],
      cancel_at: at('2027-05-01T00:00:00Z'),
      cancel_at_period_end: true,
    }),
  )
  expect(refused.status).toBe(400)
})
