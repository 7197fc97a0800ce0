import type Stripe from 'stripe'
import { nextChargeDate } from '../billing/calendar.ts'
import type { Instant } from '../core/instant.ts'
import { readSource, type Hold } from './source.ts'
import { runningTrialEnd } from './subscription.ts'

/** The dates that decide when a subscription renews, in unix seconds; the trial's end 0 without. */
export type HeldDates = readonly [anchor: number, trialEnd: number]

export function datesOf({ billing_cycle_anchor: anchor, trial_end: trial }: Stripe.Subscription): HeldDates {
  return [anchor, trial ?? 0]
}

/**
 * Which of the dates a person moved in the old account since the hold. A trial that ends by itself
 * keeps its end and makes it the anchor. A schedule and a threshold move dates as planned.
 */
export function movedDates(subscription: Stripe.Subscription, { dates }: Pick<Hold, 'dates'>): readonly MovedDate[] {
  if (dates === undefined || subscription.schedule !== null) return []
  const [anchor, trial] = dates
  const [anchorNow, trialNow] = datesOf(subscription)
  const moved: readonly MovedDate[] = [
    { field: 'trial_end', before: trial === 0 ? null : trial, now: trialNow === 0 ? null : trialNow },
    { field: 'billing_cycle_anchor', before: anchor, now: anchorNow },
  ]
  const isFollowing = anchorNow === trial || subscription.billing_thresholds?.reset_billing_cycle_anchor === true
  return moved.filter(({ field, before, now }) => before !== now && !(field === 'billing_cycle_anchor' && isFollowing))
}

export interface MovedDate {
  readonly field: 'trial_end' | 'billing_cycle_anchor'
  readonly before: number | null
  readonly now: number | null
}

/**
 * The old subscription with the dates of its hold: those from which the new one was created. A date
 * that a person moved in the old account since says nothing about the new one.
 */
export function asHeld(subscription: Stripe.Subscription, hold: Hold | null, now: Instant): Stripe.Subscription {
  if (hold?.dates === undefined || movedDates(subscription, hold).length === 0) return subscription
  const [anchor, end] = hold.dates
  const inTrial = end > now
  const { status } = subscription
  const before: Stripe.Subscription = {
    ...subscription,
    billing_cycle_anchor: end > 0 && !inTrial ? Math.max(anchor, end) : anchor,
    trial_end: end === 0 ? null : end,
    status: inTrial ? 'trialing' : runningTrialEnd(subscription) === null ? status : 'active',
  }
  const { cycle } = readSource(before, undefined)
  const next = inTrial ? end : cycle === null ? undefined : nextChargeDate(cycle, now)
  if (next === undefined) return before
  const data = before.items.data.map((item) => ({ ...item, current_period_end: next }))
  return { ...before, items: { ...before.items, data } }
}
