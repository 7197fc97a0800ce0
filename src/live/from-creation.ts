import type Stripe from 'stripe'
import { keyByMark, markDiscounts } from './marks.ts'
import { readDiscount } from './source.ts'

/**
 * The text of the mark: the coupons' keys. Undefined where Stripe's limit of a metadata value has
 * no room for it.
 */
export function discountsMark(coupons: readonly string[]): string | undefined {
  const text = coupons.length === 0 ? none : coupons.join(' ')
  return text.length <= 500 ? text : undefined
}

/** No key consists of this alone. */
const none = '-'

/**
 * Whether the new subscription was created with this discount, by the coupons that its mark names:
 * a person may give a discount seconds after the creation. A coupon that was given again later has
 * a clock of its own. The phases of a schedule begin the discounts of the creation again.
 */
export function isFromCreation(
  discount: Stripe.Discount,
  successor: Stripe.Subscription,
  coupons: ReadonlyMap<string, Stripe.Coupon> | undefined,
): boolean {
  const isEarly = successor.schedule !== null || discount.start <= successor.created + sameClockSeconds
  return isEarly && (isMarked(discount, successor, coupons) ?? true)
}

/** Within these seconds, two discounts of one coupon end at the same renewal. */
const sameClockSeconds = 60

/** Undefined where no mark or no coupon can say it. */
function isMarked(
  discount: Stripe.Discount,
  { metadata }: Stripe.Subscription,
  coupons: ReadonlyMap<string, Stripe.Coupon> | undefined,
): boolean | undefined {
  const { couponId, coupon } = readDiscount(discount, coupons)
  const shown = coupons?.get(couponId ?? '') ?? coupon
  const mark = metadata[markDiscounts]
  if (mark === undefined || shown === null) return undefined
  const marked = mark === none ? [] : mark.split(' ')
  const key = keyByMark('coupon', shown)
  // The move gives coupons of the catalog alone, and an apply marks them.
  if (key === undefined) return false
  if (marked.includes(key)) return true
  // The mark keeps the key of a coupon that was renamed since.
  const keys = new Set([...(coupons?.values() ?? [])].map((one) => keyByMark('coupon', one)))
  return marked.every((one) => keys.has(one)) ? false : undefined
}
