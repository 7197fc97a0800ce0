import type Stripe from 'stripe'
import { isJsonObject, type Json, type JsonObject, type StripeObject } from '../core/json.ts'
import Type from 'typebox'
import { asSet, chosen, declared, fixed, grows, ignored, metadata, passed, redemptions, time } from './fields.ts'
import type { FieldsOf, Kind, References, Use } from './kind.ts'
import {
  amount,
  closed,
  count,
  currency,
  referenceTo,
  listOf,
  mapOf,
  metadataSchema,
  oneOf,
  optional,
  text,
  when,
} from './schema.ts'

const fields: FieldsOf<Stripe.Coupon, Stripe.CouponCreateParams, Stripe.CouponUpdateParams, 'id'> = {
  id: chosen,
  // The parameter cannot be cleared.
  name: declared(),
  percent_off: fixed(),
  amount_off: fixed(),
  currency: fixed(),
  currency_options: grows({
    expands: ['currency_options'],
    read: (live) => otherCurrencies(live['currency_options'], live['currency']),
    canonical: (value) => (isJsonObject(value) && Object.keys(value).length === 0 ? undefined : value),
  }),
  // Stripe's default; no value means `once`.
  duration: fixed({ default: 'once' }),
  duration_in_months: fixed(),
  // Expanded, because Stripe omits it otherwise, and the coupon would seem to apply to every
  // product.
  applies_to: fixed({
    expands: ['applies_to'],
    read: readAppliesTo,
    canonical: canonicalAppliesTo,
    write: writeAppliesTo,
  }),
  max_redemptions: fixed(),
  redeem_by: fixed(time('redeem_by')),
  metadata,
  times_redeemed: ignored,
  valid: ignored,
}

function otherCurrencies(options: Json | undefined, own: Json | undefined): Json | undefined {
  if (!isJsonObject(options)) return undefined
  return Object.fromEntries(Object.entries(options).filter(([name]) => name !== own))
}

function products(value: Json | undefined): readonly string[] {
  const list = isJsonObject(value) ? value['products'] : undefined
  return Array.isArray(list) ? (list as readonly string[]) : []
}

function readAppliesTo(live: StripeObject, references: References): Json | undefined {
  return { products: products(live['applies_to']).map((id) => references.toKey('product', id)) }
}

function canonicalAppliesTo(value: Json): Json | undefined {
  const sorted = asSet([...products(value)])
  return sorted === undefined ? undefined : { products: sorted }
}

function writeAppliesTo(value: Json, references: References): Json {
  return { products: products(value).map((key) => references.toStripe('product', key)) }
}

function spelling(value: JsonObject): JsonObject {
  const options = otherCurrencies(value['currency_options'], value['currency'])
  return options === undefined ? value : { ...value, currency_options: options }
}

const schema = closed({
  id: optional(text('Id in Stripe; the key by default', 200)),
  name: optional(text('Name on invoices', 40)),
  percent_off: optional(Type.Number({ exclusiveMinimum: 0, maximum: 100, description: 'Percentage discount' })),
  amount_off: optional(amount('Amount of the discount')),
  currency: optional(currency),
  currency_options: optional(
    mapOf(
      '^[a-z]{3}$',
      closed({ amount_off: amount('Amount of the discount') }),
      'Amounts of the coupon in other currencies',
    ),
  ),
  duration: optional(
    oneOf(['once', 'repeating', 'forever'], 'How long the discount applies after redemption; once by default'),
  ),
  duration_in_months: optional(count('Number of months of a repeating coupon')),
  applies_to: optional(closed({ products: listOf(referenceTo('products'), { minItems: 1, uniqueItems: true }) })),
  max_redemptions: optional(count('Maximum number of redemptions')),
  redeem_by: optional(when('Time after which it cannot be redeemed')),
  metadata: optional(metadataSchema),
})

declare module './kind.ts' {
  interface KindNames {
    coupon: true
  }
}

export const coupon: Kind<'coupon'> = {
  name: 'coupon',
  section: 'coupons',
  file: 'coupons.yaml',
  docs: 'https://docs.stripe.com/api/coupons',
  schema,
  path: '/v1/coupons',
  lists: [{}],
  fields,
  marks: true,
  ownId: (key, value) => (typeof value['id'] === 'string' ? value['id'] : key),
  naturalKey: {
    name: 'id',
    unique: true,
    desired: (key, value) => (typeof value['id'] === 'string' ? value['id'] : key),
    live: (object) => object.id,
  },
  spelling,
  uses: (value): readonly Use[] =>
    products(value['applies_to']).map((key, index) => ({
      kind: 'product',
      key,
      path: ['applies_to', 'products', index],
    })),
  replaceOrder: 'create_first',
  counted: redemptions,
  whatEnds: {
    use: (live) =>
      live['times_redeemed'] === 0
        ? 'it is deleted and can no longer be redeemed'
        : 'nothing ends: Stripe cannot archive a coupon, and members have this one; it and its promotion codes stay redeemable, without the marks of this project',
    // A coupon that stays has promotion codes that stay.
    users: { promotion_code: 'can no longer be redeemed' },
  },
  refusal: (form, references) => passed(form, 'redeem_by', references),
  retired: () => false,
  // A coupon cannot be archived. A coupon without redemptions has no history and is deleted; any
  // other coupon only loses its marks.
  retire: (live) =>
    live['times_redeemed'] === 0 ? { method: 'DELETE', path: `/v1/coupons/${live.id}`, params: {} } : undefined,
}
