import type Stripe from 'stripe'
import { isChargeDate } from '../billing/calendar.ts'
import { remainderOf } from '../billing/discounts.ts'
import { address } from '../core/address.ts'
import { formatInstant } from '../core/instant.ts'
import { couponDuration } from './coupons.ts'
import type { DesiredItem } from '../catalog/types.ts'
import type { Candidate } from './candidate.ts'
import { sourcePrint } from './fingerprint.ts'
import { isAdopted, termsSinceMove } from './since-move.ts'
import { isIdle, type SourceDiscount, type SourceItem, type SourceSubscription } from '../live/source.ts'
import type { HandoverDrift } from './types.ts'

/** How the live old subscription differs from what its entry says; an empty list when it does not. References that have no mapping are found elsewhere. */
export function changesSincePull(candidate: Candidate): readonly string[] {
  const { desired, old, around } = candidate
  const { raw, cycle } = old
  const mappings = around.index.mappings(desired.source)
  const check = (same: boolean, message: string): string[] => (same ? [] : [message])
  const rates = (raw.default_tax_rates ?? []).flatMap(({ id }) => mappings.tax_rates[id] ?? [])
  return [
    ...check(desired.customer === old.customer, `customer is ${old.customer}`),
    ...check((desired.currency ?? old.currency) === old.currency, `currency is ${old.currency}`),
    ...itemChanges(desired.items, old.items, (id) => mappings.prices[id]),
    ...check(
      desired.payment_method === undefined || desired.payment_method === old.payment?.id,
      `payment method is ${old.payment?.id ?? 'none'}`,
    ),
    ...check(
      desired.anchor === raw.billing_cycle_anchor,
      `anchor is ${formatInstant(raw.billing_cycle_anchor as never)}`,
    ),
    ...check(
      desired.next_invoice === undefined ||
        cycle === null ||
        old.next === null ||
        (desired.next_invoice <= old.next && isOnCycle(candidate, desired.next_invoice)),
      'the next invoice is on other dates',
    ),
    ...check((desired.trial_end ?? null) === old.trialEnd || old.trialEnd === null, 'the trial ends at another time'),
    ...check(
      (desired.cancel_at ?? null) === raw.cancel_at,
      `cancel_at is ${raw.cancel_at === null ? 'not set' : formatInstant(raw.cancel_at as never)}`,
    ),
    ...check((desired.cancel_at_period_end ?? false) === raw.cancel_at_period_end, 'cancel_at_period_end differs'),
    ...check(desired.collection_method === raw.collection_method, `collection_method is ${raw.collection_method}`),
    ...check(
      (desired.days_until_due ?? null) === raw.days_until_due,
      `days_until_due is ${raw.days_until_due ?? 'not set'}`,
    ),
    ...check(desired.automatic_tax === raw.automatic_tax.enabled, 'automatic_tax differs'),
    ...check(sameSet(desired.tax_rates, rates), 'tax rates differ'),
    ...discountChanges(candidate),
  ]
}

function isOnCycle({ old }: Candidate, at: NonNullable<Candidate['old']['next']>): boolean {
  return at === old.next || (old.cycle !== null && isChargeDate(old.cycle, at))
}

function itemChanges(
  desired: readonly DesiredItem[],
  items: readonly SourceItem[],
  keyOf: (id: string) => string | undefined,
): readonly string[] {
  const wanted = desired.map(({ price, quantity }) => `${price} × ${quantity ?? 1}`)
  const there = items.map(({ price, quantity }) => `${keyOf(price.id) ?? price.id} × ${quantity ?? 1}`)
  if (items.some(({ price }) => keyOf(price.id) === undefined)) return []
  return sameSet(wanted, there) ? [] : [`items are ${there.join(', ')}`]
}

/** Discounts may run out between pull and plan; one that is new, or was taken away before its end, is a change. */
function discountChanges(candidate: Candidate): readonly string[] {
  const { desired, old, around } = candidate
  const mappings = around.index.mappings(desired.source)
  const keys = (discounts: readonly SourceDiscount[]): readonly string[] =>
    discounts.flatMap(({ coupon }) => (coupon === null ? [] : (mappings.coupons[coupon.id] ?? [])))
  const there = keys(old.discounts)
  const carriedBy = (written: string, key: string): boolean => written === key || written.startsWith(`${key}-`)
  const added = keys(old.discounts.filter((one) => !isIdle(one, old.currency))).filter(
    (key) => !desired.discounts.some(({ coupon }) => carriedBy(coupon, key)),
  )
  const lost = desired.discounts.filter(
    ({ coupon, ends }) =>
      (ends === undefined || ends > around.now) &&
      !onceIsUsed(candidate, coupon) &&
      !there.some((key) => carriedBy(coupon, key)),
  )
  return [...added.map((key) => `discount ${key} was added`), ...lost.map(({ coupon }) => `discount ${coupon} is gone`)]
}

/** A discount that applies once is gone after the first renewal since the pull. */
function onceIsUsed({ desired, old, around }: Candidate, key: string): boolean {
  const { value } = around.index.resources.get(address('coupon', key)) ?? { value: {} }
  const renewed = desired.next_invoice !== undefined && old.next !== null && old.next > desired.next_invoice
  return renewed && couponDuration(value)?.duration === 'once'
}

/** How the successor differs from the held old subscription that it was made from: what its subscriber changed since the move. */
export function changesSinceMove(candidate: Candidate, successor: Stripe.Subscription): readonly string[] {
  return termsSinceMove(candidate, successor).map(({ what }) => what)
}

/** What changed on either side while the old subscription is on hold. */
export function driftOf(candidate: Candidate): readonly HandoverDrift[] {
  const { old, successor, customerOld, standing } = candidate
  if (successor === undefined || standing !== 'target') return []
  const print = old.hold?.print ?? ''
  // Once the same change was made in the target and its name written down, the two are compared again.
  const isKnown = candidate.desired.override?.includes('drift_on_held_source') === true
  const drifted = print !== '' && print !== sourcePrint(old.raw, customerOld) && !isKnown
  // Changed itself, the old one no longer says what the new one was made from.
  const changed = drifted
    ? []
    : termsSinceMove(candidate, successor).filter((one) => !isAdopted(candidate.desired, one))
  const lost = discountsLost(old, successor)
  return [
    ...(drifted
      ? [
          {
            code: 'drift_on_held_source' as const,
            message: 'the held subscription was changed in the old account',
          },
        ]
      : []),
    ...(changed.length > 0
      ? [
          {
            code: 'changed_in_target' as const,
            message: `changed in the target: ${changed.map(({ what }) => what).join(', ')}`,
          },
        ]
      : []),
    ...(lost
      ? [
          {
            code: 'discount_lost' as const,
            message: 'a discount that still runs in the old account is gone from the new subscription',
          },
        ]
      : []),
  ]
}

/** Discounts that still cover the next renewal in the old account and have no counterpart in the new one. */
function discountsLost(
  { discounts, cycle, next, currency }: SourceSubscription,
  successor: Stripe.Subscription,
): boolean {
  if (cycle === null || next === null) return false
  const covering = discounts
    .filter((one) => !isIdle(one, currency))
    .filter(
      ({ old: discount }) =>
        discount !== null && discount.duration !== 'once' && remainderOf(discount, cycle, next).kind !== 'over',
    )
  return successor.discounts.length < covering.length
}

function sameSet(a: readonly string[], b: readonly string[]): boolean {
  return a.toSorted().join('\n') === b.toSorted().join('\n')
}
