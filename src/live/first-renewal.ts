import type Stripe from 'stripe'
import { cycleOf, nextChargeDate } from '../billing/calendar.ts'
import { instant, type Instant } from '../core/instant.ts'
import { isRenewal } from './invoice.ts'
import { recurrenceOf } from './source.ts'

/**
 * The first renewal of a subscription, past or future: the end of its trial, or else the anchor of
 * its creation. With an anchor config, the anchor may precede the first renewal by whole periods
 * (see `anchorsShown`), so the items' periods decide.
 */
export function firstRenewal(subscription: Stripe.Subscription): Instant {
  const { billing_cycle_anchor: anchor, billing_cycle_anchor_config: config, trial_end: trialEnd } = subscription
  if (trialEnd !== null) return instant(trialEnd)
  const [item] = subscription.items.data.toSorted((a, b) => a.current_period_end - b.current_period_end)
  const recurrence = item === undefined ? null : recurrenceOf(item.price)
  if (!config || item === undefined || recurrence === null) return instant(anchor)
  const created = instant(Math.max(subscription.created, subscription.start_date))
  // The partial period of the creation ends at the first renewal.
  if (item.current_period_start <= created) return instant(item.current_period_end)
  const cycle = cycleOf(instant(item.current_period_start), recurrence, config.day_of_month)
  return nextChargeDate(cycle, created)
}

/**
 * Whether the subscription has renewed at least once. Its newest invoice may be of a change by the
 * member since, or made by hand, so the periods say it as well.
 */
export function hasRenewed(subscription: Stripe.Subscription): boolean {
  const { latest_invoice: latest, items } = subscription
  if (typeof latest === 'object' && latest !== null && isRenewal(latest)) return true
  const first = firstRenewal(subscription)
  return items.data.some(({ current_period_start: start }) => start >= first)
}
