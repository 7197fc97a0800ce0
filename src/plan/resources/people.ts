import type Stripe from 'stripe'
import type { Instant } from '../../core/instant.ts'
import { isOver } from '../../live/subscription.ts'
import { firstRenewal } from '../../live/first-renewal.ts'

/** A subscription item of the target, with respect to an object that it uses. */
export interface Holder {
  readonly subscription: string
  readonly item: string
  /** Why Crossbill must not write to it now; undefined when it may. */
  readonly untouchable?: 'first_renewal_ahead' | 'schedule'
}

/**
 * The subscriptions that use a price, a tax rate or a coupon, by the object's id. Ended
 * subscriptions do not count.
 */
export interface People {
  readonly onPrice: ReadonlyMap<string, readonly Holder[]>
  /** Subscriptions by the id of a tax rate or coupon they use. */
  readonly using: ReadonlyMap<string, ReadonlySet<string>>
}

export function peopleIn(subscriptions: readonly Stripe.Subscription[], now: Instant): People {
  const onPrice = new Map<string, Holder[]>()
  const using = new Map<string, Set<string>>()
  const use = (id: string, subscription: string): void => {
    const users = using.get(id)
    if (users === undefined) using.set(id, new Set([subscription]))
    else users.add(subscription)
  }
  for (const subscription of subscriptions) {
    if (isOver(subscription)) continue
    const untouchable = whyUntouchable(subscription, now)
    for (const item of subscription.items.data) {
      const holder = {
        subscription: subscription.id,
        item: item.id,
        ...(untouchable === undefined ? {} : { untouchable }),
      }
      const holders = onPrice.get(item.price.id)
      if (holders === undefined) onPrice.set(item.price.id, [holder])
      else holders.push(holder)
      for (const rate of item.tax_rates ?? []) use(rate.id, subscription.id)
    }
    for (const rate of subscription.default_tax_rates ?? []) use(rate.id, subscription.id)
    for (const discount of subscription.discounts) {
      const coupon = typeof discount === 'string' ? undefined : discount.source.coupon
      if (coupon !== undefined && coupon !== null) use(typeof coupon === 'string' ? coupon : coupon.id, subscription.id)
    }
  }
  return { onPrice, using }
}

/**
 * An update before the anchor may unset discounts
 * (https://docs.stripe.com/billing/subscriptions/billing-cycle), and a schedule would undo it.
 */
function whyUntouchable(subscription: Stripe.Subscription, now: Instant): Holder['untouchable'] {
  if (subscription.schedule !== null && subscription.schedule !== undefined) return 'schedule'
  if (subscription.billing_cycle_anchor <= now) return undefined
  // The anchor of a config may precede renewals; without discounts, no discount can be lost.
  const { billing_cycle_anchor_config: config, discounts, items } = subscription
  const discounted = discounts.length > 0 || items.data.some((item) => item.discounts.length > 0)
  return config && !discounted && firstRenewal(subscription) <= now ? undefined : 'first_renewal_ahead'
}
