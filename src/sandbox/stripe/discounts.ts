// A discount is one use of a coupon: by a customer, a subscription, one of its items, an invoice or
// an invoice item. https://docs.stripe.com/api/discounts
import type Stripe from 'stripe'
import type { Instant } from '../../core/instant.ts'
import { present } from '../../core/assert.ts'
import type { Context } from '../kernel/context.ts'
import { invalid } from '../kernel/errors.ts'
import { Folded } from '../kernel/expand.ts'
import { find } from '../kernel/kind.ts'
import type { Module } from '../kernel/module.ts'
import type { Row, TableDefinition } from '../kernel/tables.ts'
import type { Wire } from '../kernel/wire.ts'
import { couponIsValid, coupons, findCoupon, renderCoupon, type CouponRow } from './coupons.ts'
import { promotionCodeIsActive, promotionCodeKind, promotionCodes, type PromotionCodeRow } from './promotion-codes.ts'

export interface DiscountRow extends Row {
  readonly coupon: string
  readonly promotion_code: string | null
  readonly customer: string | null
  readonly subscription: string | null
  readonly subscription_item: string | null
  readonly invoice: string | null
  readonly invoice_item: string | null
  readonly start: Instant
  /** Only for repeating coupons. */
  readonly end: Instant | null
  /**
   * The coupon that was redeemed, when its id was deleted and used again since: a discount keeps
   * its own terms.
   */
  readonly terms?: CouponRow
}

export const discounts: TableDefinition<DiscountRow> = {
  name: 'discounts',
  indexes: { coupon: (row) => (row.terms === undefined ? row.coupon : undefined) },
}

/** The coupon as it was redeemed, even when another coupon has its id today. */
export function couponOf(context: Context, row: DiscountRow): CouponRow {
  return row.terms ?? present(context.table(coupons).get(row.coupon), row.coupon)
}

export const discountModule: Module = {
  objects: {
    di: (context, id) => {
      const row = context.table(discounts).get(id)
      return row === undefined ? undefined : renderDiscount(context, row)
    },
  },
  reactions: {
    // The id of a deleted coupon is used again: discounts that continue keep the old terms.
    'coupon.reused': (context, id) => {
      const terms = context.table(coupons).get(id)
      if (terms === undefined) return
      for (const row of context.table(discounts).by('coupon', id)) context.table(discounts).put({ ...row, terms })
    },
  },
}

/**
 * Redeems a coupon or promotion code: counts the use and returns the coupon with its code. Refuses
 * a coupon that is expired, used up, deleted or restricted to another customer; the caller checks
 * restrictions of amount and first purchase.
 */
export function redeem(
  context: Context,
  by: { readonly coupon: string } | { readonly promotion_code: string },
  about: { readonly customer: string | null; readonly param: string },
): { coupon: CouponRow; promotionCode: PromotionCodeRow | null } {
  if ('coupon' in by) return { coupon: useCoupon(context, by.coupon, `${about.param}[coupon]`), promotionCode: null }
  const param = `${about.param}[promotion_code]`
  const code = find(context, promotionCodeKind, by.promotion_code, param)
  if (!promotionCodeIsActive(context, code))
    throw invalid(`This promotion code is inactive or expired: ${code.id}`, { code: 'promotion_code_inactive', param })
  if (code.customer !== null && code.customer !== about.customer)
    throw invalid('This promotion code cannot be redeemed because it is restricted to another customer.', { param })
  const coupon = useCoupon(context, code.coupon, param)
  const used = context.table(promotionCodes).put({ ...code, times_redeemed: code.times_redeemed + 1 })
  return { coupon, promotionCode: used }
}

function useCoupon(context: Context, id: string, param: string): CouponRow {
  const coupon = findCoupon(context, id, param)
  if (!couponIsValid(coupon, context.now))
    throw invalid(
      coupon.redeem_by !== null && coupon.redeem_by <= context.now
        ? `Coupon expired: ${id}`
        : `Coupon ${id} is used up and cannot be applied.`,
      { code: 'coupon_expired', param },
    )
  return context.table(coupons).put({ ...coupon, times_redeemed: coupon.times_redeemed + 1 })
}

export function renderDiscount(context: Context, row: DiscountRow): Wire<Stripe.Discount> {
  return {
    id: row.id,
    object: 'discount',
    checkout_session: null,
    customer: row.customer,
    customer_account: null,
    end: row.end,
    invoice: row.invoice,
    invoice_item: row.invoice_item,
    promotion_code: row.promotion_code,
    source: { coupon: shownCoupon(context, row), type: 'coupon' },
    start: row.start,
    subscription: row.subscription,
    subscription_item: row.subscription_item,
  }
}

/** An id that expands to the redeemed coupon. */
function shownCoupon(context: Context, row: DiscountRow): string | Wire<Stripe.Coupon> {
  const { terms } = row
  if (terms === undefined || context.world.unsure.reused_coupon_shown === 'namesake') return row.coupon
  return new Folded(row.coupon, () => renderCoupon(context, terms)) as unknown as string
}
