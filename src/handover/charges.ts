import { forecastInvoice, monthlyAmount, type BilledItem } from '../billing/amount.ts'
import type { Instant } from '../core/instant.ts'
import { hasRunningPeriod, paymentFailure } from '../live/subscription.ts'
import {
  appliedDiscount,
  billedItems,
  recurrenceOf,
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
  const { next, ending, currency, raw, trialEnd, items } = subscription
  if (next === null || ending !== null) return null
  const isDue = (at: number): boolean => trialEnd !== null || raw.items.data[at]?.current_period_end === next
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

function isMetered({ recurring }: SourceSubscription['items'][number]['price']): boolean {
  return recurring?.usage_type === 'metered'
}
