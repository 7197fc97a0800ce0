// Discounts in billing: a request chooses them, a holder keeps them, and they run until an instant.
// https://docs.stripe.com/billing/subscriptions/coupons
import { instant } from '../../../core/instant.ts'
import { present } from '../../../core/assert.ts'
import type { Context } from '../../kernel/context.ts'
import { invalid, missing } from '../../kernel/errors.ts'
import { find } from '../../kernel/kind.ts'
import { couponIsValid, findCoupon, type CouponRow } from '../coupons.ts'
import { couponOf, discounts, redeem, renderDiscount, type DiscountRow } from '../discounts.ts'
import { promotionCodeIsActive, promotionCodeKind } from '../promotion-codes.ts'
import type { DiscountsGiven } from '../subscription-params.ts'
import { discountEnd, discountRuns, type Reduction } from './discounting.ts'
import type { Mint } from './mint.ts'
import { invoices, type InvoiceRow, type ItemRow, type SubscriptionRow } from './rows.ts'

/** A discount in a request: `{discount}` keeps an existing one with its dates. */
export type Chosen =
  | { readonly kept: string }
  | { readonly coupon: CouponRow; readonly promotion: string | null; readonly redeemed: boolean }

/** The object and the parameter that the discount is for. */
export interface Asker {
  readonly customer: string
  readonly at: string
  readonly mint: Mint
}

type One = { readonly coupon?: string; readonly discount?: string; readonly promotion_code?: string }

/**
 * Reads `discounts` of a request and redeems the coupons (a preview only checks them). The same
 * coupon twice is refused.
 */
export function chooseDiscounts(context: Context, given: NonNullable<DiscountsGiven>, asker: Asker): Chosen[] {
  const seen = new Set<string>()
  return given.map((one, index) => {
    const chosen = choose(context, one, { ...asker, at: `${asker.at}[${index}]` })
    const coupon =
      'kept' in chosen ? present(context.table(discounts).get(chosen.kept), chosen.kept).coupon : chosen.coupon.id
    if (seen.has(coupon))
      throw invalid('You may not apply the same coupon or promotion code more than once.', { param: asker.at })
    seen.add(coupon)
    return chosen
  })
}

function choose(context: Context, one: One, asker: Asker): Chosen {
  const { customer, at, mint } = asker
  const named = [one.coupon, one.discount, one.promotion_code].filter((value) => value !== undefined)
  if (named.length !== 1)
    throw invalid('You must specify exactly one of `coupon`, `discount` or `promotion_code`.', { param: at })
  if (one.discount !== undefined) {
    if (!context.table(discounts).has(one.discount)) throw missing('discount', one.discount, `${at}[discount]`)
    return { kept: one.discount }
  }
  if (one.promotion_code !== undefined) checkFirstTime(context, one.promotion_code, { customer, at })
  if (mint.preview) return look(context, one, at)
  const by = one.promotion_code === undefined ? { coupon: one.coupon ?? '' } : { promotion_code: one.promotion_code }
  const { coupon, promotionCode } = redeem(context, by, { customer, param: at })
  return { coupon, promotion: promotionCode?.id ?? null, redeemed: true }
}

/**
 * `first_time_transaction`: only for customers without any invoice. A zero invoice of a trial and
 * an open invoice count as well (stripe-node #2349).
 */
function checkFirstTime(context: Context, id: string, asker: { customer: string; at: string }): void {
  const code = find(context, promotionCodeKind, id, `${asker.at}[promotion_code]`)
  if (!code.restrictions.first_time_transaction) return
  const paid = context
    .table(invoices)
    .by('customer', asker.customer)
    .some((invoice) => invoice.status === 'paid' || invoice.status === 'open')
  if (paid)
    throw invalid('This promotion code cannot be redeemed because the associated customer has prior transactions.', {
      param: `${asker.at}[promotion_code]`,
    })
}

/**
 * A code with a minimum is refused when the first invoice would be smaller
 * (https://docs.stripe.com/api/promotion_codes).
 */
export function checkMinimum(
  context: Context,
  chosen: readonly Chosen[],
  bill: { amount: number; currency: string },
): void {
  for (const one of chosen) {
    if ('kept' in one || one.promotion === null) continue
    const { restrictions } = find(context, promotionCodeKind, one.promotion, 'discounts')
    const minimum =
      restrictions.minimum_amount_currency === bill.currency
        ? restrictions.minimum_amount
        : (restrictions.currency_options[bill.currency]?.minimum_amount ?? null)
    if (minimum !== null && bill.amount < minimum)
      throw invalid('The promotion code is only valid for orders above its minimum amount.', { param: 'discounts' })
  }
}

function look(context: Context, one: One, at: string): Chosen {
  const code =
    one.promotion_code === undefined
      ? null
      : find(context, promotionCodeKind, one.promotion_code, `${at}[promotion_code]`)
  const id = code?.coupon ?? one.coupon ?? ''
  const coupon = findCoupon(context, id, `${at}[coupon]`)
  if (!couponIsValid(coupon, context.now) || (code !== null && !promotionCodeIsActive(context, code)))
    throw invalid(`Coupon expired: ${id}`, { code: 'coupon_expired', param: `${at}[coupon]` })
  return { coupon, promotion: code?.id ?? null, redeemed: false }
}

/** The owner of a new discount, and the instant at which it starts. */
export interface Holder {
  readonly customer: string
  readonly subscription?: string
  readonly subscription_item?: string
  readonly invoice?: string
  readonly invoice_item?: string
  readonly start: number
}

/** Writes the chosen discounts for a holder and returns their ids, in order. */
export function takeUp(context: Context, chosen: readonly Chosen[], holder: Holder, mint: Mint): string[] {
  return chosen.map((one) => {
    if ('kept' in one) return one.kept
    const end = discountEnd(one.coupon.duration, one.coupon.duration_in_months, holder.start)
    return context.table(discounts).put({
      id: mint.id('di'),
      created: context.now,
      coupon: one.coupon.id,
      promotion_code: one.promotion,
      customer: holder.customer,
      subscription: holder.subscription ?? null,
      subscription_item: holder.subscription_item ?? null,
      invoice: holder.invoice ?? null,
      invoice_item: holder.invoice_item ?? null,
      start: instant(holder.start),
      end: end === null ? null : instant(end),
    }).id
  })
}

/** Deletes what a preview wrote. */
export function forget(context: Context, ids: readonly string[]): void {
  for (const id of ids) context.table(discounts).delete(id)
}

/** The discounts among `ids` that still apply at an instant. */
export function running(context: Context, ids: readonly string[], at: number): DiscountRow[] {
  return ids.flatMap((id) => {
    const row = context.table(discounts).get(id)
    return row !== undefined && discountRuns(row.end, at) ? [row] : []
  })
}

/**
 * Emits events for the discounts that a subscription or its items gained and lost, including those
 * that ended or were used up.
 */
export function tellDiscounts(context: Context, before: SubscriptionRow | null, after: SubscriptionRow): void {
  const of = (row: SubscriptionRow | null): readonly string[] =>
    row === null ? [] : [...row.discounts, ...row.items.flatMap((item) => item.discounts)]
  const [had, has] = [of(before), of(after)]
  const tell = (type: string, ids: readonly string[]): void => {
    for (const id of ids) {
      const row = present(context.table(discounts).get(id), id)
      context.emit(type, () => renderDiscount(context, row))
    }
  }
  tell('customer.discount.created', has.length === 0 ? [] : has.filter((id) => !had.includes(id)))
  tell('customer.discount.deleted', had.length === 0 ? [] : had.filter((id) => !has.includes(id)))
}

export function reductionsOf(context: Context, ids: readonly string[], at: number): Reduction[] {
  return running(context, ids, at).map((row) => {
    const coupon = couponOf(context, row)
    return {
      discount: row.id,
      percentOff: coupon.percent_off,
      amountOff: coupon.amount_off,
      currency: coupon.currency,
      products: coupon.applies_to,
      options: coupon.currency_options,
      until: row.end,
    }
  })
}

/** A `once` discount is used up by the invoice that includes it. */
export function isOnce(context: Context, id: string): boolean {
  const row = context.table(discounts).get(id)
  return row !== undefined && couponOf(context, row).duration === 'once'
}

/**
 * Whether a discount applies to one more invoice. A `once` discount on a draft of this customer is
 * used up only when that draft is finalized, and until then no other invoice gets it.
 */
export function isFree(context: Context, customer: string, id: string): boolean {
  if (!isOnce(context, id)) return true
  const drafts = context.table(invoices).by('unsettled', customer)
  return !drafts.some((row) => row.status === 'draft' && row.finalizes_at !== null && discountsOn(row).has(id))
}

/** The discounts on an invoice or on one of its lines. */
export function discountsOn(row: InvoiceRow): ReadonlySet<string> {
  return new Set([...row.discounts, ...row.lines.flatMap((line) => line.discounts)])
}

/**
 * The subscription without the discounts that ended before an instant and without those that an
 * invoice used up.
 */
export function withoutSpent(
  context: Context,
  row: SubscriptionRow,
  about: { at: number; spent?: ReadonlySet<string> },
): SubscriptionRow {
  const left = (ids: readonly string[]): readonly string[] =>
    ids.length === 0
      ? ids
      : running(context, ids, about.at)
          .map((discount) => discount.id)
          .filter((id) => about.spent?.has(id) !== true)
  const items = row.items.map((item): ItemRow => {
    return item.discounts.length === 0 ? item : { ...item, discounts: left(item.discounts) }
  })
  return { ...row, discounts: left(row.discounts), items }
}
