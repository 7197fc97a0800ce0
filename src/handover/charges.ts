import { forecastInvoice, monthlyAmount, type BilledItem } from '../billing/amount.ts'
import { nextChargeDate } from '../billing/calendar.ts'
import { instant, type Instant } from '../core/instant.ts'
import { isMetered } from '../live/metered.ts'
import { hasRunningPeriod, paymentFailure } from '../live/subscription.ts'
import {
  appliedDiscount,
  billedItems,
  recurrenceOf,
  type PauseImage,
  type SourceDiscount,
  type SourceSubscription,
} from '../live/source.ts'

/** The next invoice of a subscription, from its own items alone. */
export interface Charge {
  readonly at: Instant
  readonly amount: number
  readonly currency: string
}

/**
 * Null where nothing more will be billed. Items with another interval that are not due at that date
 * are not on the invoice.
 */
export function nextChargeOf(subscription: SourceSubscription): Charge | null {
  const { next } = subscription
  return next === null ? null : chargeAt(subscription, next)
}

export type PausedCharge = Charge & { readonly paused?: { readonly until: Instant | null } }

/**
 * The next charge under this pause: of the first renewal after it, or nothing while it has no end.
 * A pause that ends before the next renewal changes nothing.
 */
export function nextChargeUnder(pause: PauseImage | null, subscription: SourceSubscription): PausedCharge | null {
  const { next, cycle } = subscription
  const charge = nextChargeOf(subscription)
  if (pause === null || charge === null || next === null) return charge
  const { resumes_at: resumes } = pause
  if (resumes === null) return { ...charge, amount: 0, paused: { until: null } }
  const until = instant(resumes)
  if (until <= next || cycle === null) return charge
  const later = chargeAt(subscription, nextChargeDate(cycle, instant(until - 1)))
  return later && { ...later, paused: { until } }
}

function chargeAt(subscription: SourceSubscription, next: Instant): Charge | null {
  const { ending, currency, raw, trialEnd, items } = subscription
  if (ending !== null) return null
  // At a later date, items of other intervals are not told apart.
  const isDue = (at: number): boolean =>
    trialEnd !== null || next !== subscription.next || raw.items.data[at]?.current_period_end === next
  const billed = billedItems(subscription)
  const due = items.flatMap((item, at): BilledItem[] => {
    const one = billed[at]
    if (one === undefined || isMetered(item.price) || !isDue(at)) return []
    return [{ ...one, discounts: item.discounts.flatMap((discount) => running(discount, next, currency)) }]
  })
  const discounts = subscription.discounts.flatMap((discount) => running(discount, next, currency))
  return { at: next, amount: forecastInvoice(due, discounts).total, currency }
}

/** A repeating discount that ends at or before the renewal does not reduce it. */
function running({ old, coupon }: SourceDiscount, next: Instant, currency: string): ReturnType<typeof appliedDiscount> {
  const isOver = old !== null && old.duration === 'repeating' && old.end !== null && old.end <= next
  return isOver ? [] : appliedDiscount(coupon, currency)
}

/**
 * Monthly recurring revenue of one subscription, before discounts and taxes. Usage is not known in
 * advance and counts as zero, and so does a subscription that collects nothing: paused, unpaid, or
 * not begun.
 */
export function monthlyOf(subscription: SourceSubscription): { readonly amount: number; readonly currency: string } {
  const billed = billedItems(subscription)
  const items = subscription.items.flatMap(({ price }, at) => {
    const recurrence = recurrenceOf(price)
    const item = billed[at]
    return recurrence === null || item === undefined || isMetered(price) ? [] : [{ item, recurrence }]
  })
  return { amount: earns(subscription) ? monthlyAmount(items) : 0, currency: subscription.currency }
}

/** Crossbill's own hold is no pause: the successor bills. */
function earns({ raw, pause }: SourceSubscription): boolean {
  return hasRunningPeriod(raw) && paymentFailure(raw) !== 'given up' && pause === null
}
