import type { CouponDuration } from '../billing/discounts.ts'
import type Stripe from 'stripe'
import type { JsonObject } from '../core/json.ts'

/**
 * The coupon for carrying a discount: one per remainder, in the catalog under a name that shows it,
 * so that a reviewer sees it. It has no redemption limit and no end date, because its holders
 * redeemed the original already. The limits stay on the public coupon and its codes.
 */
export function carryingCoupon(
  key: string,
  original: JsonObject,
  duration: CouponDuration,
): { readonly key: string; readonly value: JsonObject } {
  if (sameDuration(couponDuration(original), duration) && !hasLimits(original)) return { key, value: original }
  const dropped = new Set(['id', 'duration', 'duration_in_months', 'max_redemptions', 'redeem_by'])
  const terms = Object.entries(original).filter(([field]) => !dropped.has(field))
  return { key: `${key}-${suffix(duration)}`, value: { ...Object.fromEntries(terms), ...duration } }
}

/**
 * The coupon that a discount was redeemed from, in the catalog's form, for an id whose terms have
 * changed since. The key contains the terms, so two discounts with one id and different terms have
 * one coupon each.
 */
export function redeemedCoupon(
  key: string,
  old: Stripe.Coupon,
  productKey: (id: string) => string | undefined,
): { readonly key: string; readonly value: JsonObject } {
  const { percent_off: percent, amount_off: off, currency, applies_to: limit, duration_in_months: months } = old
  const options = Object.entries(old.currency_options ?? {}).filter(([name]) => name !== currency)
  const products = limit?.products.map((id) => productKey(id) ?? id)
  const terms: JsonObject = {
    ...(percent === null ? { amount_off: off, currency } : { percent_off: percent }),
    ...(products === undefined ? {} : { applies_to: { products } }),
    ...(percent !== null || options.length === 0
      ? {}
      : { currency_options: Object.fromEntries(options.map(([name, one]) => [name, { amount_off: one.amount_off }])) }),
    duration: old.duration,
    ...(months === null ? {} : { duration_in_months: months }),
  }
  const worth = percent === null ? `${off}-${currency}` : `${String(percent).replace('.', '-')}-percent`
  return { key: `${key}-${worth}-redeemed`, value: terms }
}

function suffix(duration: CouponDuration): string {
  switch (duration.duration) {
    case 'forever':
      return 'carried'
    case 'once':
      return 'one-renewal-left'
    case 'repeating':
      return duration.duration_in_months === 1 ? '1-month-left' : `${duration.duration_in_months}-months-left`
  }
}

/** The endings of the keys above: redeemed terms, then what remains of the duration. */
const carriedEnding = /^(-[a-z0-9-]+-redeemed)?(-(carried|one-renewal-left|1-month-left|\d+-months-left))?$/

/**
 * Whether an entry's coupon is that of a live discount, or one made for carrying it. Another coupon
 * whose key only begins in the same way is not.
 */
export function isCarriedAs(written: string, key: string): boolean {
  return written.startsWith(key) && carriedEnding.test(written.slice(key.length))
}

/**
 * A coupon's duration as written (`once` by default, as in Stripe). Undefined for an invalid
 * duration.
 */
export function couponDuration(value: JsonObject): CouponDuration | undefined {
  const { duration = 'once', duration_in_months: months } = value
  if (duration === 'forever' || duration === 'once') return { duration }
  if (duration === 'repeating' && typeof months === 'number') return { duration, duration_in_months: months }
  return undefined
}

export function sameDuration(a: CouponDuration | undefined, b: CouponDuration): boolean {
  if (a === undefined || a.duration !== b.duration) return false
  return a.duration !== 'repeating' || b.duration !== 'repeating' || a.duration_in_months === b.duration_in_months
}

export function hasLimits(value: JsonObject): boolean {
  return (value['max_redemptions'] ?? null) !== null || (value['redeem_by'] ?? null) !== null
}
