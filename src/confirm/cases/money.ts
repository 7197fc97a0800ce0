import type Stripe from 'stripe'
import { type Case, at, billed, create, day, refusal, signUp } from '../case.ts'

/** What is charged, in which currency, with which tax, to which payment method. */
export const moneyCases: readonly Case[] = [
  {
    name: 'a preview of a creation has no side effect and bills the first period from the anchor',
    source: 'https://docs.stripe.com/api/invoices/create_preview',
    grade: 'documented',
    expected: { starts: true, total: 4_900, made: 0 },
    async run(ground) {
      const { stripe, now, monthly: price } = ground
      const customer = await ground.customer()
      const timestamp = now + 10 * day
      const preview = await stripe.invoices.createPreview({
        customer,
        subscription_details: {
          items: [{ price }],
          billing_cycle_anchor: { type: 'timestamp', timestamp },
          proration_behavior: 'none',
        },
      })
      const made = await stripe.subscriptions.list({ customer, status: 'all' })
      const starts = preview.lines.data[0]?.period.start === timestamp
      return { starts, total: preview.total, made: made.data.length }
    },
  },
  {
    name: 'the preview of a subscription equals its next invoice',
    source: 'https://docs.stripe.com/api/invoices/create_preview',
    grade: 'documented',
    expected: { total: 5_831, same: true },
    run: (ground) =>
      ground.timed('2027-01-10T12:00:00Z', async (time) => {
        const { stripe } = ground
        const rate = await stripe.taxRates.create({ display_name: 'VAT', percentage: 19, inclusive: false })
        const { id } = await create(ground, {
          customer: await time.customer(),
          items: [{ price: ground.monthly }],
          billing_cycle_anchor: at('2027-01-20T12:00:00Z'),
          default_tax_rates: [rate.id],
        })
        const preview = await stripe.invoices.createPreview({ subscription: id })
        await time.to('2027-01-20T15:00:00Z')
        const [bill] = await billed(ground, id)
        return { total: preview.total, same: bill?.[1] === preview.total }
      }),
  },
  {
    name: 'an inclusive tax is contained in the price, and discounts apply before tax',
    source: 'https://docs.stripe.com/billing/taxes/tax-rates',
    grade: 'documented',
    expected: [4_410, 704],
    async run(ground) {
      const { stripe } = ground
      const rate = await stripe.taxRates.create({ display_name: 'VAT', percentage: 19, inclusive: true })
      const coupon = await ground.coupon({ percent_off: 10, duration: 'forever' })
      const { latest_invoice: latest } = await signUp(ground, {
        customer: await ground.customer(),
        items: [{ price: ground.monthly }],
        default_tax_rates: [rate.id],
        discounts: [{ coupon }],
        expand: ['latest_invoice'],
      })
      const invoice = latest as Stripe.Invoice
      return [invoice.total, (invoice.total_taxes ?? []).reduce((sum, tax) => sum + tax.amount, 0)]
    },
  },
  {
    name: 'automatic tax for a customer without a known location is refused, never silently disabled',
    source: 'the SDK’s error codes customer_tax_location_invalid and stripe_tax_inactive',
    grade: 'documented',
    expected: 'refused 400',
    run: async (ground) =>
      refusal(
        create(ground, {
          customer: await ground.customer(),
          items: [{ price: ground.monthly }],
          billing_cycle_anchor: ground.now + 10 * day,
          automatic_tax: { enabled: true },
        }),
      ),
  },
  {
    name: 'one currency per customer: a second one is refused, even beside a pending invoice item',
    source: 'https://docs.stripe.com/invoicing/multi-currency-customers',
    grade: 'documented',
    expected: ['refused 400', 'refused 400'],
    async run(ground) {
      const euros = { items: [{ price: await ground.price({ currency: 'eur' }) }] }
      const billing_cycle_anchor = ground.now + 10 * day
      const subscribed = await ground.customer()
      await create(ground, { customer: subscribed, items: [{ price: ground.monthly }], billing_cycle_anchor })
      const owing = await ground.customer()
      await ground.stripe.invoiceItems.create({ customer: owing, amount: 500, currency: 'usd' })
      return [
        await refusal(create(ground, { customer: subscribed, ...euros, billing_cycle_anchor })),
        await refusal(create(ground, { customer: owing, ...euros, billing_cycle_anchor })),
      ]
    },
  },
  {
    name: 'a price with currency options is charged in the requested currency',
    source: 'https://docs.stripe.com/products-prices/how-products-and-prices-work',
    grade: 'documented',
    expected: ['eur', 4_500],
    async run(ground) {
      const price = await ground.price({ currency_options: { eur: { unit_amount: 4_500 } } })
      const one = await signUp(ground, { customer: await ground.customer(), items: [{ price }], currency: 'eur' })
      return [one.currency, (await billed(ground, one.id))[0]?.[1]]
    },
  },
  {
    name: 'the payment method of the subscription comes before the customer’s default',
    source: 'https://docs.stripe.com/billing/subscriptions/payment-methods-setting',
    grade: 'documented',
    expected: 'the subscription’s own',
    async run(ground) {
      const { stripe } = ground
      const customer = await ground.customer()
      const own = await stripe.paymentMethods.attach('pm_card_mastercard', { customer })
      const items = [{ price: ground.monthly }]
      await signUp(ground, { customer, items, default_payment_method: own.id })
      const [charge] = (await stripe.charges.list({ customer })).data
      return charge?.payment_method === own.id ? 'the subscription’s own' : 'another one'
    },
  },
  {
    name: 'credit on the customer’s balance is applied to the next finalized invoice',
    source: 'https://docs.stripe.com/billing/customer/balance',
    grade: 'documented',
    expected: [4_900, 4_200, 0],
    async run(ground) {
      const { stripe } = ground
      const customer = await ground.customer()
      await stripe.customers.createBalanceTransaction(customer, { amount: -700, currency: 'usd' })
      const { latest_invoice: latest } = await signUp(ground, {
        customer,
        items: [{ price: ground.monthly }],
        expand: ['latest_invoice'],
      })
      const { total, amount_due, ending_balance } = latest as Stripe.Invoice
      return [total, amount_due, ending_balance]
    },
  },
  {
    name: 'a finalized invoice of zero becomes paid',
    source: 'https://docs.stripe.com/invoicing/integration/workflow-transitions',
    grade: 'documented',
    expected: 'paid',
    async run(ground) {
      const { stripe } = ground
      const customer = await ground.customer()
      const { id } = await stripe.invoices.create({ customer, currency: 'usd' })
      await stripe.invoiceItems.create({ customer, invoice: id, amount: 0, currency: 'usd' })
      return (await stripe.invoices.finalizeInvoice(id)).status
    },
  },
  {
    name: 'send_invoice needs days_until_due, and the subscription is active before its first invoice is paid',
    source: 'https://docs.stripe.com/billing/collection-method',
    grade: 'documented',
    expected: ['refused 400', 'active'],
    async run(ground) {
      const { stripe } = ground
      const customer = await ground.customer({ email: 'conformance@example.com' })
      const send = (days?: number): Promise<Stripe.Subscription> =>
        stripe.subscriptions.create({
          customer,
          items: [{ price: ground.monthly }],
          collection_method: 'send_invoice',
          ...(days === undefined ? {} : { days_until_due: days }),
        })
      return [await refusal(send()), (await send(7)).status]
    },
  },
  {
    name: 'with send_invoice, the subscription becomes past_due when its invoice is not paid by the due date',
    source: 'the SDK’s Subscription.status',
    grade: 'documented',
    expected: ['active', 'past_due'],
    run: (ground) =>
      ground.timed('2027-01-10T12:00:00Z', async (time) => {
        const { id } = await create(ground, {
          customer: await time.customer({ email: 'conformance@example.com' }),
          items: [{ price: ground.monthly }],
          collection_method: 'send_invoice',
          days_until_due: 7,
        })
        const statuses: string[] = []
        for (const day of ['2027-01-16T12:00:00Z', '2027-01-19T12:00:00Z']) {
          await time.to(day)
          statuses.push((await ground.stripe.subscriptions.retrieve(id)).status)
        }
        return statuses
      }),
  },
  {
    name: 'default_incomplete charges nothing during the request: an amount due at once leaves the subscription incomplete',
    source: 'https://docs.stripe.com/api/subscriptions/create',
    grade: 'documented',
    expected: ['incomplete', 0],
    async run(ground) {
      const customer = await ground.customer()
      const one = await create(ground, { customer, items: [{ price: ground.monthly }] })
      return [one.status, (await ground.stripe.charges.list({ customer })).data.length]
    },
  },
  {
    name: 'flexible billing mode is the default and cannot be reverted',
    source: 'https://docs.stripe.com/billing/subscriptions/billing-mode',
    grade: 'documented',
    expected: ['flexible', 'classic', 'flexible', 'refused 400'],
    async run(ground) {
      const { stripe } = ground
      const about = {
        customer: await ground.customer(),
        items: [{ price: ground.monthly }],
        billing_cycle_anchor: ground.now + 10 * day,
      }
      const usual = await create(ground, about)
      const classic = await create(ground, { ...about, billing_mode: { type: 'classic' } })
      const moved = await stripe.subscriptions.migrate(classic.id, { billing_mode: { type: 'flexible' } })
      const back = { billing_mode: { type: 'classic' as 'flexible' } }
      const refused = await refusal(stripe.subscriptions.migrate(usual.id, back))
      return [usual.billing_mode.type, classic.billing_mode.type, moved.billing_mode.type, refused]
    },
  },
  {
    name: 'an invoice in a currency of three decimals is charged to the last digit',
    source: 'https://docs.stripe.com/currencies#three-decimal requires amounts in tens for direct payments',
    grade: 'assumed',
    row: 20,
    otherwise: { rounded: 'a multiple of ten' },
    needs: 'a currency of three decimals (KWD)',
    expected: 11_115,
    async run(ground) {
      const price = await ground.price({ currency: 'kwd', unit_amount: 12_350 })
      const coupon = await ground.coupon({ percent_off: 10, duration: 'forever' })
      const customer = await ground.customer()
      await signUp(ground, { customer, items: [{ price }], discounts: [{ coupon }] })
      const amount = (await ground.stripe.charges.list({ customer })).data[0]?.amount ?? 0
      return amount > 0 && amount % 10 === 0 ? 'a multiple of ten' : amount
    },
  },
]
