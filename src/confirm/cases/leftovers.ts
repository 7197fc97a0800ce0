import type Stripe from 'stripe'
import { type Case, at, billed, create, day, signUp } from '../case.ts'

const coupons = 'https://docs.stripe.com/billing/subscriptions/coupons'
const cancel = 'https://docs.stripe.com/billing/subscriptions/cancel'

/** What a hold, a cancel or a deleted coupon leaves behind. */
export const leftoverCases: readonly Case[] = [
  {
    name: 'an invoice item that names a subscription is ignored by the invoices of other subscriptions',
    source: 'the SDK’s InvoiceItemCreateParams.subscription',
    grade: 'documented',
    expected: { other: 4_900, own: 5_600 },
    run: (ground) =>
      ground.timed('2027-01-10T12:00:00Z', async (time) => {
        const customer = await time.customer()
        const items = [{ price: ground.monthly }]
        // The other one renews first and would take the item with it.
        const other = await create(ground, { customer, items, billing_cycle_anchor: at('2027-01-15T12:00:00Z') })
        const own = await create(ground, { customer, items, billing_cycle_anchor: at('2027-01-20T12:00:00Z') })
        await ground.stripe.invoiceItems.create({ customer, subscription: own.id, amount: 700, currency: 'usd' })
        await time.to('2027-01-20T15:00:00Z')
        const last = async (id: string): Promise<number | undefined> => (await billed(ground, id)).at(-1)?.[1]
        return { other: await last(other.id), own: await last(own.id) }
      }),
  },
  {
    name: 'a renewal that a hold voids uses up a discount that applies once',
    source: `${coupons}: used up when the invoice is finalized; not stated of a void`,
    grade: 'assumed',
    row: 25,
    expected: 4_900,
    otherwise: { false: 4_410 },
    run: (ground) =>
      ground.timed('2027-01-10T12:00:00Z', async (time) => {
        const { stripe } = ground
        const coupon = await ground.coupon({ percent_off: 10, duration: 'once' })
        const items = [{ price: ground.monthly }]
        const { id } = await signUp(ground, { customer: await time.customer(), items })
        await stripe.subscriptions.update(id, { pause_collection: { behavior: 'void' }, discounts: [{ coupon }] })
        await time.to('2027-02-10T16:00:00Z')
        await stripe.subscriptions.update(id, { pause_collection: null })
        await time.to('2027-03-10T16:00:00Z')
        return (await billed(ground, id)).at(-1)?.[1]
      }),
  },
  {
    name: 'a pending item that names a cancelled subscription is never billed',
    source: `${cancel} against https://docs.stripe.com/billing/invoices/subscription`,
    grade: 'assumed',
    row: 26,
    expected: { pending: 1, other: 4_900 },
    otherwise: { next_subscription: { pending: 0, other: 5_600 }, billed_at_period_end: { pending: 0, other: 4_900 } },
    run: (ground) =>
      ground.timed('2027-01-10T12:00:00Z', async (time) => {
        const { stripe } = ground
        const customer = await time.customer()
        const items = [{ price: ground.monthly }]
        const ended = await signUp(ground, { customer, items })
        const other = await create(ground, { customer, items, billing_cycle_anchor: at('2027-02-08T12:00:00Z') })
        await stripe.invoiceItems.create({ customer, subscription: ended.id, amount: 700, currency: 'usd' })
        await stripe.subscriptions.cancel(ended.id, { invoice_now: false, prorate: false })
        await time.to('2027-02-12T00:00:00Z')
        const pending = await stripe.invoiceItems.list({ customer, pending: true })
        return { pending: pending.data.length, other: (await billed(ground, other.id)).at(-1)?.[1] }
      }),
  },
  {
    name: 'a discount whose coupon id is used again shows the terms that it keeps',
    source: 'recorded discounts carry a snapshot; not stated',
    grade: 'assumed',
    row: 28,
    expected: 10,
    otherwise: { namesake: 20 },
    async run(ground) {
      const { stripe } = ground
      const id = await ground.coupon({ percent_off: 10, duration: 'forever' })
      const one = await create(ground, {
        customer: await ground.customer(),
        items: [{ price: ground.monthly }],
        billing_cycle_anchor: ground.now + 10 * day,
        discounts: [{ coupon: id }],
      })
      await stripe.coupons.del(id)
      await stripe.coupons.create({ id, percent_off: 20, duration: 'forever' })
      const read = await stripe.subscriptions.retrieve(one.id, { expand: ['discounts.source.coupon'] })
      const [discount] = read.discounts as Stripe.Discount[]
      const coupon = discount?.source.coupon
      return coupon == null || typeof coupon === 'string' ? coupon : coupon.percent_off
    },
  },
  {
    name: 'an invoice with automatic tax of a customer who lost the location is finalized without tax',
    source:
      'https://docs.stripe.com/billing/subscriptions/webhooks against the SDK’s Subscription.AutomaticTax.disabled_reason',
    grade: 'assumed',
    row: 29,
    needs: 'Stripe Tax',
    expected: 'finalized',
    otherwise: { draft_stays: 'draft' },
    run: (ground) =>
      ground.timed('2027-01-10T12:00:00Z', async (time) => {
        const { stripe } = ground
        const address = { country: 'US', postal_code: '94110', state: 'CA', city: 'San Francisco', line1: '1 Main St' }
        const customer = await time.customer({
          address,
          payment_method: 'pm_card_visa',
          invoice_settings: { default_payment_method: 'pm_card_visa' },
        })
        const { id } = await create(ground, {
          customer,
          items: [{ price: ground.monthly }],
          billing_cycle_anchor: at('2027-01-20T12:00:00Z'),
          automatic_tax: { enabled: true },
        })
        await stripe.customers.update(customer, { address: '' })
        await time.to('2027-01-20T15:00:00Z')
        const [invoice] = (await stripe.invoices.list({ subscription: id })).data
        return invoice?.status === 'draft' ? 'draft' : 'finalized'
      }),
  },
  {
    name: 'with default_incomplete, the payment method of a subscription without a first payment is confirmed at once',
    source: 'https://docs.stripe.com/billing/subscriptions/setup-intents; not stated',
    grade: 'assumed',
    row: 30,
    expected: null,
    otherwise: { waits: 'requires_confirmation' },
    async run(ground) {
      const one = await create(ground, {
        customer: await ground.customer(),
        items: [{ price: ground.monthly }],
        billing_cycle_anchor: ground.now + 10 * day,
        expand: ['pending_setup_intent'],
      })
      const setup = one.pending_setup_intent
      return setup === null || typeof setup === 'string' ? setup : setup.status
    },
  },
  {
    name: 'in a preview, the tax ids of the details replace those of the customer',
    source: 'https://docs.stripe.com/api/invoices/create_preview; not stated',
    grade: 'assumed',
    row: 22,
    expected: ['DE987654321'],
    otherwise: { add: ['DE123456789', 'DE987654321'] },
    async run(ground) {
      const { stripe } = ground
      const customer = await ground.customer()
      await stripe.customers.createTaxId(customer, { type: 'eu_vat', value: 'DE123456789' })
      const preview = await stripe.invoices.createPreview({
        customer,
        customer_details: { tax_ids: [{ type: 'eu_vat', value: 'DE987654321' }] },
        subscription_details: { items: [{ price: ground.monthly }] },
      })
      return (preview.customer_tax_ids ?? []).map(({ value }) => value ?? '').toSorted((a, b) => (a < b ? -1 : 1))
    },
  },
]
