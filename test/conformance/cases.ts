import type Stripe from 'stripe'

/**
 * What the product relies on in Stripe, as cases that can be run against the sandbox and against any Stripe test account. None needs a clock: each says
 * what follows from one creation. `expected` is what the product assumes; for the unsure ones (docs/to-confirm.md) it is the cautious side, and
 * the product is right whichever way the account answers.
 */
export interface Case {
  readonly name: string
  readonly source: string
  /** Row of docs/to-confirm.md, for what Stripe's documentation leaves open. */
  readonly unsure?: number
  readonly expected: unknown
  run(stripe: Stripe, ground: Ground): Promise<unknown>
}

/** What every case starts from; made once for a run. */
export interface Ground {
  /** Seconds since 1970 on the account's own clock. */
  readonly now: number
  readonly monthly: string
  readonly yearly: string
  readonly coupon: string
  readonly once: string
  readonly customer: () => Promise<string>
}

const day = 86_400

export const cases: readonly Case[] = [
  {
    name: 'a future anchor without proration is free until then: active, no invoice, period ends at the anchor',
    source: 'https://docs.stripe.com/billing/subscriptions/billing-cycle',
    expected: { status: 'active', invoices: 0, end: true },
    async run(stripe, { now, monthly, customer }) {
      const anchor = now + 10 * day
      const one = await create(stripe, {
        customer: await customer(),
        items: [{ price: monthly }],
        billing_cycle_anchor: anchor,
      })
      const invoices = await stripe.invoices.list({ subscription: one.id })
      return {
        status: one.status,
        invoices: invoices.data.length,
        end: one.items.data[0]?.current_period_end === anchor,
      }
    },
  },
  {
    name: 'backdating beside it sets the start date and charges nothing for the past',
    source: 'https://docs.stripe.com/billing/subscriptions/backdating',
    expected: { started: true, invoices: 0 },
    async run(stripe, { now, monthly, customer }) {
      const start = now - 40 * day
      const one = await create(stripe, {
        customer: await customer(),
        items: [{ price: monthly }],
        billing_cycle_anchor: now + 10 * day,
        backdate_start_date: start,
      })
      const invoices = await stripe.invoices.list({ subscription: one.id })
      return { started: one.start_date === start, invoices: invoices.data.length }
    },
  },
  {
    name: 'an anchor later than one period ahead is refused',
    source: 'https://docs.stripe.com/billing/subscriptions/billing-cycle',
    expected: 'refused 400',
    run: async (stripe, { now, monthly, customer }) =>
      refusal(
        create(stripe, {
          customer: await customer(),
          items: [{ price: monthly }],
          billing_cycle_anchor: now + 40 * day,
        }),
      ),
  },
  {
    name: 'anchor and anchor configuration exclude each other',
    source: 'https://docs.stripe.com/billing/subscriptions/billing-cycle',
    expected: 'refused 400',
    run: async (stripe, { now, monthly, customer }) =>
      refusal(
        create(stripe, {
          customer: await customer(),
          items: [{ price: monthly }],
          billing_cycle_anchor: now + day,
          billing_cycle_anchor_config: { day_of_month: 31, hour: 1, minute: 2, second: 3 },
        }),
      ),
  },
  {
    name: 'a once coupon is not used up by a subscription that has no first invoice',
    source: 'https://docs.stripe.com/billing/subscriptions/coupons',
    expected: 1,
    async run(stripe, { now, monthly, once, customer }) {
      const one = await create(stripe, {
        customer: await customer(),
        items: [{ price: monthly }],
        billing_cycle_anchor: now + 10 * day,
        discounts: [{ coupon: once }],
      })
      return one.discounts.length
    },
  },
  {
    name: 'a trial makes one paid invoice of zero',
    source: 'https://docs.stripe.com/billing/subscriptions/trials',
    expected: { status: 'trialing', invoices: [[0, 'paid']] },
    async run(stripe, { now, monthly, customer }) {
      const one = await create(stripe, {
        customer: await customer(),
        items: [{ price: monthly }],
        trial_end: now + 10 * day,
      })
      const invoices = await stripe.invoices.list({ subscription: one.id })
      return { status: one.status, invoices: invoices.data.map(({ total, status }) => [total, status]) }
    },
  },
  {
    name: 'cancelling what is cancelled answers 404, though it can still be read',
    source: 'https://github.com/stripe/stripe-go/issues/1887',
    expected: ['refused 404', 'canceled'],
    async run(stripe, { now, monthly, customer }) {
      const one = await create(stripe, {
        customer: await customer(),
        items: [{ price: monthly }],
        billing_cycle_anchor: now + 10 * day,
      })
      await stripe.subscriptions.cancel(one.id, {
        invoice_now: false,
        prorate: false,
        cancellation_details: { comment: 'a marker' },
      })
      const again = await refusal(stripe.subscriptions.cancel(one.id))
      return [again, (await stripe.subscriptions.retrieve(one.id)).status]
    },
  },
  {
    name: 'the comment of a cancel is kept: a marker survives',
    source: 'https://docs.stripe.com/api/subscriptions/cancel',
    expected: 'a marker',
    async run(stripe, { now, monthly, customer }) {
      const one = await create(stripe, {
        customer: await customer(),
        items: [{ price: monthly }],
        billing_cycle_anchor: now + 10 * day,
      })
      const ended = await stripe.subscriptions.cancel(one.id, { cancellation_details: { comment: 'a marker' } })
      return ended.cancellation_details?.comment
    },
  },
  {
    name: 'pausing collection keeps the status and can be taken back',
    source: 'https://docs.stripe.com/billing/subscriptions/pause-payment',
    expected: ['active', 'keep_as_draft', null],
    async run(stripe, { now, monthly, customer }) {
      const one = await create(stripe, {
        customer: await customer(),
        items: [{ price: monthly }],
        billing_cycle_anchor: now + 10 * day,
      })
      const held = await stripe.subscriptions.update(one.id, { pause_collection: { behavior: 'keep_as_draft' } })
      const free = await stripe.subscriptions.update(one.id, { pause_collection: null })
      return [held.status, held.pause_collection?.behavior, free.pause_collection]
    },
  },
  {
    name: 'a preview of a creation has no side effect and bills the first period from the anchor',
    source: 'https://docs.stripe.com/api/invoices/create_preview',
    expected: [true, 0],
    async run(stripe, { now, monthly, customer }) {
      const who = await customer()
      const anchor = now + 10 * day
      const preview = await stripe.invoices.createPreview({
        customer: who,
        subscription_details: {
          items: [{ price: monthly }],
          billing_cycle_anchor: { type: 'timestamp', timestamp: anchor },
          proration_behavior: 'none',
        },
      })
      const made = await stripe.subscriptions.list({ customer: who, status: 'all' })
      return [preview.lines.data[0]?.period.start === anchor, made.data.length]
    },
  },
  {
    name: 'a subscription without discounts of its own inherits the customer’s',
    source: 'the SDK’s SubscriptionCreateParams.discounts',
    expected: 'inherited or the customer’s own applies',
    async run(stripe, { now, monthly }) {
      const who = await stripe.customers.create({
        payment_method: 'pm_card_visa',
        invoice_settings: { default_payment_method: 'pm_card_visa' },
      })
      const one = await create(stripe, {
        customer: who.id,
        items: [{ price: monthly }],
        billing_cycle_anchor: now + 10 * day,
      })
      return one.discounts.length === 0 ? 'inherited or the customer’s own applies' : 'discounts from nowhere'
    },
  },
  {
    name: 'an update before a future anchor unsets the discounts',
    source: 'https://docs.stripe.com/billing/subscriptions/import-subscriptions-toolkit says so of its own tool',
    unsure: 5,
    expected: 0,
    async run(stripe, { now, monthly, coupon, customer }) {
      const one = await create(stripe, {
        customer: await customer(),
        items: [{ price: monthly }],
        billing_cycle_anchor: now + 10 * day,
        discounts: [{ coupon }],
      })
      const updated = await stripe.subscriptions.update(one.id, { metadata: { touched: 'yes' } })
      return updated.discounts.length
    },
  },
  {
    name: 'an empty list of discounts on creation is taken',
    source: 'the SDK’s Emptyable type',
    unsure: 6,
    expected: 0,
    run: async (stripe, { now, monthly, customer }) =>
      (
        await create(stripe, {
          customer: await customer(),
          items: [{ price: monthly }],
          billing_cycle_anchor: now + 10 * day,
          discounts: '',
        })
      ).discounts.length,
  },
  {
    name: 'a lookup key can be cleared',
    source: 'the SDK types it as a string, not as clearable',
    unsure: 11,
    expected: null,
    async run(stripe, { yearly }) {
      const { product } = await stripe.prices.retrieve(yearly)
      const price = await stripe.prices.create({
        product: typeof product === 'string' ? product : product.id,
        currency: 'usd',
        unit_amount: 100,
        lookup_key: `crossbill-confirm-${Math.trunc(Date.now())}`,
      })
      const cleared = await stripe.prices.update(price.id, { lookup_key: '', active: false })
      return cleared.lookup_key
    },
  },
  {
    name: 'a trial keeps a once coupon for the first charge',
    source: 'not stated',
    unsure: 7,
    expected: 1,
    async run(stripe, { now, monthly, once, customer }) {
      const one = await create(stripe, {
        customer: await customer(),
        items: [{ price: monthly }],
        trial_end: now + 10 * day,
        discounts: [{ coupon: once }],
      })
      return (await stripe.subscriptions.retrieve(one.id)).discounts.length
    },
  },
]

/** As the recipe does it: never a proration, never a payment inside the call. */
function create(stripe: Stripe, params: Stripe.SubscriptionCreateParams): Promise<Stripe.Subscription> {
  return stripe.subscriptions.create({ proration_behavior: 'none', payment_behavior: 'default_incomplete', ...params })
}

async function refusal(request: Promise<unknown>): Promise<string> {
  try {
    await request
    return 'accepted'
  } catch (error) {
    const status = (error as { statusCode?: number }).statusCode
    return `refused ${status}`
  }
}

/** Prices, coupons and customers of this run alone. */
export async function prepare(stripe: Stripe): Promise<Ground> {
  const product = await stripe.products.create({ name: 'Crossbill conformance' })
  const price = async (interval: 'month' | 'year', amount: number): Promise<string> =>
    (await stripe.prices.create({ product: product.id, currency: 'usd', unit_amount: amount, recurring: { interval } }))
      .id
  const coupon = async (duration: 'forever' | 'once'): Promise<string> =>
    (await stripe.coupons.create({ percent_off: 10, duration })).id
  return {
    now: product.created,
    monthly: await price('month', 4_900),
    yearly: await price('year', 49_000),
    coupon: await coupon('forever'),
    once: await coupon('once'),
    customer: async () =>
      (
        await stripe.customers.create({
          payment_method: 'pm_card_visa',
          invoice_settings: { default_payment_method: 'pm_card_visa' },
        })
      ).id,
  }
}
