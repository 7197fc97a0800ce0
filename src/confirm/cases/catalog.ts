import { textIn } from '../../core/json.ts'
import type Stripe from 'stripe'
import { type Case, create, day, refusal } from '../case.ts'

/** What can be changed, what must be replaced, and how it is found again. */
export const catalogCases: readonly Case[] = [
  {
    name: 'the amount of a price cannot be changed',
    source: 'the SDK’s PriceUpdateParams has no amount',
    grade: 'documented',
    expected: 'refused 400',
    run: ({ stripe, monthly }) => refusal(stripe.prices.update(monthly, { unit_amount: 1 } as object)),
  },
  {
    name: 'tax_behavior of a price can be set only once',
    source: 'the SDK’s PriceUpdateParams.tax_behavior',
    grade: 'documented',
    expected: ['accepted', 'refused 400'],
    async run(ground) {
      const price = await ground.price({})
      const set = (tax_behavior: 'exclusive' | 'inclusive'): Promise<string> =>
        refusal(ground.stripe.prices.update(price, { tax_behavior }))
      return [await set('exclusive'), await set('inclusive')]
    },
  },
  {
    name: 'only transfer_lookup_key moves a lookup key in use, in one request',
    source: 'the SDK’s PriceCreateParams.transfer_lookup_key',
    grade: 'documented',
    expected: ['refused 400', null, true],
    async run(ground) {
      const { stripe } = ground
      const lookup_key = keyOf(ground.product)
      const first = await ground.price({ lookup_key })
      const without = await refusal(ground.price({ lookup_key }))
      const second = await ground.price({ lookup_key, transfer_lookup_key: true })
      const before = await stripe.prices.retrieve(first)
      const found = await stripe.prices.list({ lookup_keys: [lookup_key] })
      return [without, before.lookup_key, found.data[0]?.id === second]
    },
  },
  {
    name: 'a lookup key can be cleared',
    source: 'the SDK types it as a string, not as clearable',
    grade: 'assumed',
    row: 11,
    otherwise: { false: 'refused 400' },
    expected: null,
    async run(ground) {
      const price = await ground.price({ lookup_key: `${keyOf(ground.product)}-cleared` })
      let after: Stripe.Price | undefined
      const clear = async (): Promise<void> => {
        after = await ground.stripe.prices.update(price, { lookup_key: '', active: false })
      }
      const answer = await refusal(clear())
      return after === undefined ? answer : after.lookup_key
    },
  },
  {
    name: 'the default price of a product cannot be archived, and a product with prices cannot be deleted',
    source: 'https://docs.stripe.com/api/prices/update; https://docs.stripe.com/api/products/delete',
    grade: 'documented',
    expected: ['refused 400', 'refused 400'],
    async run({ stripe }) {
      const product = await stripe.products.create({
        name: 'Crossbill conformance: default price',
        default_price_data: { currency: 'usd', unit_amount: 100 },
      })
      const price = textIn(product.default_price)
      return [
        await refusal(stripe.prices.update(price, { active: false })),
        await refusal(stripe.products.del(product.id)),
      ]
    },
  },
  {
    name: 'the id of a deleted product can be used again',
    source: 'not stated',
    grade: 'assumed',
    row: 13,
    otherwise: { false: 'refused 400' },
    expected: 'accepted',
    async run({ stripe, product }) {
      const id = `${keyOf(product)}-again`
      await stripe.products.create({ id, name: 'Crossbill conformance: id' })
      await stripe.products.del(id)
      return refusal(stripe.products.create({ id, name: 'Crossbill conformance: id' }))
    },
  },
  {
    name: 'a creation with an existing id is refused: resource_already_exists',
    source: 'https://docs.stripe.com/error-codes#resource-already-exists',
    grade: 'documented',
    expected: ['refused 400 resource_already_exists', 'refused 400 resource_already_exists'],
    async run(ground) {
      const { stripe, product: id } = ground
      const coupon = await ground.coupon({ percent_off: 10, duration: 'once' })
      return [
        await refusal(stripe.products.create({ id, name: 'x' }), { code: true }),
        await refusal(stripe.coupons.create({ id: coupon, percent_off: 10, duration: 'once' }), { code: true }),
      ]
    },
  },
  {
    name: 'a subscription to an archived price is refused: grandfathered prices must be active at creation',
    source: 'https://docs.stripe.com/products-prices/manage-prices#archive-price',
    grade: 'documented',
    expected: 'refused 400',
    async run(ground) {
      const price = await ground.price({})
      await ground.stripe.prices.update(price, { active: false })
      const billing_cycle_anchor = ground.now + 10 * day
      return refusal(create(ground, { customer: await ground.customer(), items: [{ price }], billing_cycle_anchor }))
    },
  },
  {
    name: 'percentage and inclusiveness of a tax rate, and the amount of a coupon, cannot be changed',
    source: 'the SDK’s TaxRateUpdateParams and CouponUpdateParams have no such parameters',
    grade: 'documented',
    expected: ['refused 400', 'refused 400'],
    async run(ground) {
      const { stripe } = ground
      const rate = await stripe.taxRates.create({ display_name: 'VAT', percentage: 19, inclusive: false })
      const coupon = await ground.coupon({ percent_off: 10, duration: 'once' })
      return [
        await refusal(stripe.taxRates.update(rate.id, { percentage: 20 } as object)),
        await refusal(stripe.coupons.update(coupon, { percent_off: 20 } as object)),
      ]
    },
  },
  {
    name: 'an active promotion code is unique; deactivation frees its name; deleting its coupon ends it permanently',
    source: 'https://docs.stripe.com/billing/subscriptions/coupons#promotion-codes',
    grade: 'documented',
    expected: ['refused 400', 'accepted', false, false],
    async run(ground) {
      const { stripe } = ground
      const coupon = await ground.coupon({ percent_off: 10, duration: 'once' })
      const about = { promotion: { type: 'coupon', coupon }, code: keyOf(ground.product).toUpperCase() } as const
      const first = await stripe.promotionCodes.create(about)
      const twice = await refusal(stripe.promotionCodes.create({ ...about, code: about.code.toLowerCase() }))
      await stripe.promotionCodes.update(first.id, { active: false })
      const freed = await refusal(stripe.promotionCodes.create(about))
      await stripe.coupons.del(coupon)
      const [left] = (await stripe.promotionCodes.list({ code: about.code, limit: 1 })).data
      // The update is refused or has no effect.
      await refusal(stripe.promotionCodes.update(left?.id ?? '', { active: true }))
      const after = await stripe.promotionCodes.retrieve(left?.id ?? '')
      return [twice, freed, left?.active, after.active]
    },
  },
  {
    name: 'only the creation of a webhook endpoint returns its secret',
    source: 'https://docs.stripe.com/api/webhook_endpoints/object',
    grade: 'documented',
    expected: [true, undefined],
    async run({ stripe }) {
      const made = await stripe.webhookEndpoints.create({
        url: 'https://example.com/crossbill-conformance',
        enabled_events: ['invoice.paid'],
      })
      const read = await stripe.webhookEndpoints.retrieve(made.id)
      await stripe.webhookEndpoints.del(made.id)
      return [made.secret?.startsWith('whsec_'), read.secret]
    },
  },
  {
    name: 'the event name of a meter is unique, and a metered price needs a meter',
    source: 'https://docs.stripe.com/api/billing/meter/create; the SDK’s CHANGELOG 18.0.0',
    grade: 'documented',
    expected: ['refused 400', 'refused 400', 'inactive'],
    async run(ground) {
      const { stripe, product } = ground
      const about = {
        display_name: 'Crossbill conformance',
        event_name: keyOf(product),
        default_aggregation: { formula: 'sum' },
      } as const
      const meter = await stripe.billing.meters.create(about)
      const twice = await refusal(stripe.billing.meters.create(about))
      const without = await refusal(ground.price({ recurring: { interval: 'month', usage_type: 'metered' } }))
      return [twice, without, (await stripe.billing.meters.deactivate(meter.id)).status]
    },
  },
  {
    name: 'an archived entitlement feature stays archived',
    source: 'https://docs.stripe.com/api/entitlements/feature/update',
    grade: 'documented',
    expected: [false, 'refused 400'],
    async run({ stripe, product }) {
      const feature = await stripe.entitlements.features.create({ name: 'x', lookup_key: `${keyOf(product)}-feature` })
      const gone = await stripe.entitlements.features.update(feature.id, { active: false })
      return [gone.active, await refusal(stripe.entitlements.features.update(feature.id, { active: true }))]
    },
  },
]

/** A name that only this run uses. */
function keyOf(product: string): string {
  return `crossbill-${product.replace(/^prod_/, '').replaceAll(/[^A-Za-z0-9]/g, '')}`
}
