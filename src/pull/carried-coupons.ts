import type Stripe from 'stripe'
import { discountForm, remainderOf } from '../billing/discounts.ts'
import { formatInstant, type Instant } from '../core/instant.ts'
import type { JsonObject } from '../core/json.ts'
import { carryingCoupon, redeemedCoupon } from '../handover/coupons.ts'
import { couponDifferences } from '../handover/terms.ts'
import { isIdle, readSource } from '../live/source.ts'
import type { KeyTable } from './consolidate.ts'

export interface CarriedCoupon {
  readonly key: string
  readonly value: JsonObject
  /** Key of the coupon whose remainder it carries. */
  readonly of: string
}

/**
 * Coupons that carry the remainder of running discounts as of now: `welcome-20-2-months-left`. For
 * a discount that cannot be carried yet, the remainder is computed for the time from which it can.
 */
export function carriedCoupons(
  subscription: Stripe.Subscription,
  customer: Stripe.Customer | undefined,
  table: KeyTable,
  coupons: ReadonlyMap<string, JsonObject>,
  now: Instant,
): readonly CarriedCoupon[] {
  const { cycle, next, discounts, items, trialEnd, currency } = readSource(subscription, customer)
  if (cycle === null || next === null) return []
  const running = [...discounts, ...items.flatMap((item) => item.discounts)].filter((one) => !isIdle(one, currency))
  return running.flatMap(({ coupon, old }) => {
    const key = coupon === null ? undefined : table.keyOf('coupon', coupon.id)
    const value = key === undefined ? undefined : coupons.get(key)
    if (key === undefined || value === undefined || old === null) return []
    const remainder = remainderOf(old, cycle, next)
    const first = discountForm(remainder, cycle, now, trialEnd !== null)
    const form = first.form === 'wait' ? discountForm(remainder, cycle, first.until, trialEnd !== null) : first
    if (form.form !== 'carry' || coupon === null) return []
    const productKey = (id: string): string | undefined => table.keyOf('product', id)
    const differs = couponDifferences(coupon, value, productKey).length > 0
    const redeemed = differs ? redeemedCoupon(key, coupon, productKey) : { key, value }
    const carried = carryingCoupon(redeemed.key, redeemed.value, form.durations[0])
    return carried.key === key ? [] : [{ ...carried, of: key }]
  })
}

/** Comment above a carrying coupon: the reason for it. */
export function carriedComment({ of }: CarriedCoupon, now: Instant): string {
  return `remainder of ${of} for its holders, as of ${formatInstant(now)}; not for new customers`
}
