import { idOf } from '../core/reference.ts'
import type Stripe from 'stripe'
import { isJsonObject, type Json, type JsonObject, objectIn, textIn, type StripeObject } from '../core/json.ts'
import { fixed, ignored, metadata, mutable, passed, redemptions, refused, time, withoutNulls } from './fields.ts'
import { canonicalJson } from '../core/canonical.ts'
import type { FieldsOf, Kind, References, Use } from './kind.ts'
import Type from 'typebox'
import {
  amount,
  closed,
  count,
  currency,
  flag,
  referenceTo,
  mapOf,
  metadataSchema,
  oneOf,
  optional,
  when,
} from './schema.ts'

const fields: FieldsOf<Stripe.PromotionCode, Stripe.PromotionCodeCreateParams, Stripe.PromotionCodeUpdateParams> = {
  code: fixed(),
  promotion: fixed({ read: readPromotion, canonical: canonicalPromotion, write: writePromotion }),
  active: mutable({ default: true, read: readActive, unshown: isOff }),
  customer: fixed({ read: (live) => idOf(live['customer']) }),
  expires_at: fixed(time('expires_at')),
  max_redemptions: fixed(),
  restrictions: fixed({
    expands: ['restrictions.currency_options'],
    canonical: canonicalRestrictions,
    takes: restrictionsTake,
    // Stripe can update only the other currencies.
    update: (value) => ({
      restrictions: isJsonObject(value) ? { currency_options: value['currency_options'] ?? {} } : {},
    }),
  }),
  metadata,
  customer_account: refused,
  times_redeemed: ignored,
}

function readActive(live: StripeObject, references: References): Json {
  return live['active'] === true || isOff(live, references)
}

/**
 * Stripe shows a code as inactive, and refuses to reactivate it, when it or its coupon is used up
 * or expired ("only active if the coupon is also valid"); that is not a change by a person.
 */
function isOff(live: StripeObject, references: References): boolean {
  const promotion = live['promotion']
  const id = isJsonObject(promotion) ? idOf(promotion['coupon']) : undefined
  const coupon = id === undefined ? undefined : references.live?.('coupon', id)
  return live['active'] !== true && [live, coupon].some((one) => one !== undefined && isSpent(one, references))
}

/** Whether a code or a coupon is used up or expired. */
function isSpent(live: StripeObject, { now }: References): boolean {
  const { max_redemptions: most, times_redeemed: redeemed, expires_at: expires, redeem_by: by, valid } = live
  const isUsedUp = typeof most === 'number' && typeof redeemed === 'number' && redeemed >= most
  const isExpired = [expires, by].some((at) => typeof at === 'number' && now !== undefined && at <= now)
  return isUsedUp || isExpired || valid === false
}

/** Stripe creates no code for the past, and none of a coupon that can no longer be redeemed. */
function refusal(form: JsonObject, references: References): string | undefined {
  const key = textIn(objectIn(form['promotion'])['coupon'])
  const id = references.toStripe('coupon', key)
  const coupon = typeof id === 'string' ? references.live?.('coupon', id) : undefined
  const isOver = form['active'] !== false && coupon !== undefined && isSpent(coupon, references)
  return passed(form, 'expires_at', references) ?? (isOver ? `its coupon ${key} can no longer be redeemed` : undefined)
}

function readPromotion(live: StripeObject, references: References): Json | undefined {
  const promotion = live['promotion']
  const id = isJsonObject(promotion) ? idOf(promotion['coupon']) : undefined
  return id === undefined ? undefined : { type: 'coupon', coupon: references.toKey('coupon', id) }
}

function canonicalPromotion(value: Json): Json | undefined {
  return isJsonObject(value) ? { ...value, type: 'coupon' } : undefined
}

function writePromotion(value: Json, references: References): Json {
  const key = isJsonObject(value) ? String(value['coupon'] as string) : ''
  return { type: 'coupon', coupon: references.toStripe('coupon', key) }
}

/** `first_time_transaction: false` and empty amounts have no effect. */
function canonicalRestrictions(value: Json): Json | undefined {
  if (!isJsonObject(value)) return undefined
  const { first_time_transaction: first, currency_options: options, ...rest } = value
  return withoutNulls({
    ...rest,
    ...(first === true ? { first_time_transaction: true } : {}),
    ...(isJsonObject(options) && Object.keys(options).length > 0 ? { currency_options: options } : {}),
  })
}

function restrictionsTake(live: Json | undefined, desired: Json | undefined): 'update' | 'replace' {
  const { currency_options: had, ...before } = objectIn(live)
  const { currency_options: has, ...after } = objectIn(desired)
  const lost = Object.keys(objectIn(had)).some((name) => !isJsonObject(has) || !(name in has))
  return canonicalJson(before) === canonicalJson(after) && !lost ? 'update' : 'replace'
}

const schema = closed({
  code: Type.String({
    pattern: '^[A-Za-z0-9-]{1,500}$',
    description: 'Code that customers enter, in upper or lower case: letters, digits and -',
  }),
  promotion: closed({ type: optional(oneOf(['coupon'], 'Always coupon')), coupon: referenceTo('coupons') }),
  active: optional(flag('Whether it can be redeemed')),
  customer: optional(Type.String({ pattern: '^cus_', description: 'The only customer who can use it' })),
  expires_at: optional(when('Time after which it cannot be redeemed')),
  max_redemptions: optional(count('Maximum number of redemptions')),
  restrictions: optional(
    closed({
      first_time_transaction: optional(flag('Only for customers without a previous payment')),
      minimum_amount: optional(amount('Minimum purchase')),
      minimum_amount_currency: optional(currency),
      currency_options: optional(mapOf('^[a-z]{3}$', closed({ minimum_amount: amount('Minimum purchase') }))),
    }),
  ),
  metadata: optional(metadataSchema),
})

declare module './kind.ts' {
  interface KindNames {
    promotion_code: true
  }
}

export const promotionCode: Kind<'promotion_code'> = {
  name: 'promotion_code',
  section: 'promotion_codes',
  file: 'promotion-codes.yaml',
  docs: 'https://docs.stripe.com/api/promotion_codes',
  schema,
  path: '/v1/promotion_codes',
  lists: [{}],
  fields,
  marks: true,
  naturalKey: {
    name: 'code',
    unique: true,
    // Stripe compares codes without case, and allows one active code of a name per customer.
    desired: (_key, value) => (value['active'] === false ? undefined : codeOf(value['code'], value['customer'])),
    live: (object) => (object['active'] === true ? codeOf(object['code'], idOf(object['customer'])) : undefined),
  },
  uses: (value: JsonObject): readonly Use[] => {
    const promotion = value['promotion']
    const key = isJsonObject(promotion) ? promotion['coupon'] : undefined
    return typeof key === 'string' ? [{ kind: 'coupon', key, path: ['promotion', 'coupon'] }] : []
  },
  replaceOrder: 'retire_first',
  counted: redemptions,
  whatEnds: {
    use: ({ code }) =>
      `nobody can enter ${typeof code === 'string' ? code : 'it'} any more; discounts already given stay`,
  },
  retired: (live) => live['active'] === false,
  retire: (live) => ({ method: 'POST', path: `/v1/promotion_codes/${live.id}`, params: { active: false } }),
  restore: (id) => ({ method: 'POST', path: `/v1/promotion_codes/${id}`, params: { active: true } }),
  refusal,
}

function codeOf(value: Json | undefined, customer: Json | undefined): string | undefined {
  if (typeof value !== 'string') return undefined
  return typeof customer === 'string' ? `${value.toLowerCase()} of ${customer}` : value.toLowerCase()
}
