import type Stripe from 'stripe'
import { isChargeDate } from '../billing/calendar.ts'
import { remainderOf } from '../billing/discounts.ts'
import { address } from '../core/address.ts'
import { formatInstant } from '../core/instant.ts'
import { couponDuration } from './coupons.ts'
import type { DesiredItem } from '../catalog/types.ts'
import { siblingsOf, type Candidate } from './candidate.ts'
import { isAdopted, termsSinceMove } from './since-move.ts'
import { isIdle, type SourceDiscount, type SourceItem, type SourceSubscription } from '../live/source.ts'
import type { HandoverDrift } from './types.ts'
import { changesWhileHeld, isEnding } from './while-held.ts'

/**
 * How the live old subscription differs from its entry; empty when it does not. References without
 * a mapping are reported elsewhere.
 */
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
      'the next invoice has different dates',
    ),
    ...check(
      (desired.trial_end ?? null) === old.trialEnd || old.trialEnd === null,
      'the trial ends at a different time',
    ),
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

/**
 * A discount may expire between pull and plan. A new discount, or one removed before its end, is a
 * change.
 */
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
  return [
    ...added.map((key) => `discount ${key} was added`),
    ...lost.map(({ coupon }) => `discount ${coupon} was removed`),
  ]
}

/** A discount that applies once is used up by the first renewal after the pull. */
function onceIsUsed({ desired, old, around }: Candidate, key: string): boolean {
  const { value } = around.index.resources.get(address('coupon', key)) ?? { value: {} }
  const renewed = desired.next_invoice !== undefined && old.next !== null && old.next > desired.next_invoice
  return renewed && couponDuration(value)?.duration === 'once'
}

/**
 * How the successor differs from the held old subscription that it was created from: what its
 * subscriber changed since the move.
 */
export function changesSinceMove(candidate: Candidate, successor: Stripe.Subscription): readonly string[] {
  return termsSinceMove(candidate, successor).map(({ what }) => what)
}

/** What changed on either side while the old subscription is on hold. */
export function driftOf(candidate: Candidate): readonly HandoverDrift[] {
  const { old, successor, standing } = candidate
  if (successor === undefined) return []
  if (standing !== 'target') return outsideDrift(candidate, successor)
  // After a person made the same change on the other side and named the code, the two are compared
  // again.
  const held = heldChanges(candidate, successor)
  const drifted = held.some(({ code }) => code === 'drift_on_held_source')
  // A changed old subscription no longer shows what the new one was created from.
  const changed = drifted
    ? []
    : termsSinceMove(candidate, successor).filter((one) => !isAdopted(candidate.desired, one))
  const lost = discountsLost(old, successor)
  return [
    ...held,
    ...pausedInTarget(old, successor),
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
            message: 'a discount that still applies in the old account is missing from the new subscription',
          },
        ]
      : []),
  ]
}

/**
 * What happened in the old account since the hold began that has not reached the new subscription.
 */
export function heldChanges(candidate: Candidate, successor: Stripe.Subscription): ReturnType<typeof changesWhileHeld> {
  const { desired, old, customerOld, source } = candidate
  const latest = old.raw.latest_invoice
  return changesWhileHeld({
    old: old.raw,
    customer: customerOld,
    successor,
    pending: source.pendingItems.get(old.customer) ?? [],
    invoices: latest === null || typeof latest === 'string' ? [] : [latest],
    siblings: siblingsOf(candidate),
    override: desired.override ?? [],
  })
}

/** A hold that was removed, or an old subscription that was ended, outside Crossbill. */
function outsideDrift(
  { desired, sights, standing, old }: Candidate,
  successor: Stripe.Subscription,
): readonly HandoverDrift[] {
  if (sights.new === 'live' && (sights.old === 'free' || sights.old === 'hold_removed'))
    return [{ code: 'hold_missing', message: `the hold of ${old.id} was removed while ${successor.id} bills` }]
  const isKnown = desired.override?.includes('cancelled_in_source') === true || isEnding(successor)
  return standing === 'cancelled_in_source' && !isKnown
    ? [{ code: 'cancelled_in_source', message: `${old.id} was ended in the old account while ${successor.id} is live` }]
    : []
}

/**
 * The source's own pause was carried. Any other pause on the new subscription was set outside
 * Crossbill.
 */
function pausedInTarget(
  { hold }: SourceSubscription,
  { id, pause_collection: pause }: Stripe.Subscription,
): readonly HandoverDrift[] {
  return pause === null || hold?.before?.behavior === pause.behavior
    ? []
    : [{ code: 'paused_in_target', message: `the collection of ${id} was paused in the target` }]
}

/**
 * Discounts that still cover the next renewal in the old account but have no counterpart in the new
 * one.
 */
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
