import type { Findings } from '../findings.ts'
import { discountForm, remainderOf, type CouponDuration } from '../../billing/discounts.ts'
import { formatInstant } from '../../core/instant.ts'
import type { JsonObject } from '../../core/json.ts'
import { findCoupon, refTo } from '../references.ts'
import type { RecipeInput } from '../recipe-input.ts'
import { isIdle, type SourceDiscount } from '../../live/source.ts'
import type { ExpectedDiscount } from '../types.ts'

export interface CarriedDiscount {
  /** The coupon in the catalog. */
  readonly key: string
  readonly params: JsonObject
  readonly expected: ExpectedDiscount
}

/**
 * The discounts of a subscription or an item, each by the coupon that covers exactly the remainder.
 * Expired discounts are not carried.
 */
export function carriedDiscounts(
  input: RecipeInput,
  discounts: readonly SourceDiscount[],
  findings: Findings,
): readonly CarriedDiscount[] {
  return discounts.flatMap((discount) => {
    const carried = carriedDiscount(input, discount, findings)
    return carried === undefined ? [] : [carried]
  })
}

function carriedDiscount(
  input: RecipeInput,
  discount: SourceDiscount,
  findings: Findings,
): CarriedDiscount | undefined {
  const { old, index, desired, now } = input
  const { cycle, next } = old
  // Reported elsewhere: without a cycle, renewals cannot be counted.
  if (cycle === null || next === null) return undefined
  if (discount.coupon === null || discount.old === null)
    return findings.block('coupon_unmapped', `the coupon of discount ${discount.id} cannot be read`)
  if (isUsed(input, discount) || isIdle(discount, old.currency)) return undefined
  const remainder = remainderOf(discount.old, cycle, next)
  const form = discountForm(remainder, cycle, now, old.trialEnd !== null)
  const name = `discount ${discount.id} (coupon ${discount.coupon.id})`
  switch (form.form) {
    case 'drop':
      return undefined
    case 'refuse':
      return findings.block('discount_unrepresentable', `${name}: ${form.reason}`)
    case 'wait':
      return findings.wait(
        'discount_not_yet_representable',
        form.until,
        `${name} fits whole months from ${formatInstant(form.until)}`,
      )
    case 'carry': {
      const found = findCoupon(index, desired.source, discount.coupon, form.durations)
      if (!found.ok) {
        findings.reasons.push(found.reason)
        return undefined
      }
      const { key, duration } = found.value
      return {
        key,
        params: { coupon: refTo('coupon', key) },
        expected: { coupon: refTo('coupon', key), ...bracket(duration) },
      }
    }
  }

  /** The instants between which the new discount's end must lie. */
  function bracket(duration: CouponDuration): Pick<ExpectedDiscount, 'after' | 'until'> {
    if (duration.duration !== 'repeating' || remainder.kind !== 'renewals') return { after: null, until: null }
    return { after: remainder.last, until: remainder.following }
  }
}

/**
 * A `once` discount that an invoice has used is spent, even where Stripe still shows it. At
 * customer level it applies to the customer's earliest renewal alone, which the caller decides
 * (`onceGoesTo`).
 */
function isUsed({ old, onceGoesTo }: RecipeInput, discount: SourceDiscount): boolean {
  if (discount.coupon?.duration !== 'once') return false
  const inherited = old.discountsFrom === 'customer' && old.discounts.includes(discount)
  if (inherited && onceGoesTo !== old.id) return true
  const latest = old.raw.latest_invoice
  if (latest === null || typeof latest === 'string') return false
  const used = (latest.total_discount_amounts ?? []).map(({ discount: one }) =>
    typeof one === 'string' ? one : one.id,
  )
  return used.includes(discount.id)
}
