import type Stripe from 'stripe'
import { cycleOf, nextChargeDate } from '../billing/calendar.ts'
import { instant, type Instant } from '../core/instant.ts'
import { recurrenceOf } from './source.ts'

/**
 * When a subscription renews, or renewed, for the first time: at the end of its trial, else at the anchor it was created with. With an anchor config the
 * anchor may lie whole periods behind the first renewal (see `anchorsShown`), so there the items' periods say it.
 */
export function firstRenewal(subscription: Stripe.Subscription): Instant {
  const { billing_cycle_anchor: anchor, billing_cycle_anchor_config: config, trial_end: trialEnd } = subscription
  if (trialEnd !== null) return instant(trialEnd)
  const [item] = subscription.items.data.toSorted((a, b) => a.current_period_end - b.current_period_end)
  const recurrence = item === undefined ? null : recurrenceOf(item.price)
  if (!config || item === undefined || recurrence === null) return instant(anchor)
  const created = instant(Math.max(subscription.created, subscription.start_date))
  // The part of a period that it was created in runs up to the first renewal.
  if (item.current_period_start <= created) return instant(item.current_period_end)
  const cycle = cycleOf(instant(item.current_period_start), recurrence, config.day_of_month)
  return nextChargeDate(cycle, created)
}
