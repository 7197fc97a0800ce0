import type Stripe from 'stripe'
import type { Instant } from '../../core/instant.ts'
import { isOver } from '../../live/subscription.ts'
import { firstRenewal } from '../../live/first-renewal.ts'

/** A subscription of the target or one of its items, with respect to an object that it uses. */
export interface Holder {
  readonly subscription: string
  /** Absent where the subscription itself has the object: its default tax rates. */
  readonly item?: string
  /** For a tax rate: all rates of this subscription or item, in order. */
  readonly rates?: readonly string[]
  /** Why Crossbill must not write to it now; undefined when it may. */
  readonly untouchable?: 'first_renewal_ahead' | 'schedule'
}

/**
 * The subscriptions that use a price, a tax rate or a coupon, by the object's id. Ended
 * subscriptions do not count.
 */
export interface People {
  readonly onPrice: ReadonlyMap<string, readonly Holder[]>
  readonly onRate: ReadonlyMap<string, readonly Holder[]>
  /** Subscriptions by the id of a tax rate or coupon they use. */
  readonly using: ReadonlyMap<string, ReadonlySet<string>>
}

export function peopleIn(subscriptions: readonly Stripe.Subscription[], now: Instant): People {
  const onPrice = new Map<string, Holder[]>()
  const onRate = new Map<string, Holder[]>()
  const hold = (all: Map<string, Holder[]>, id: string, holder: Holder): void => {
    const holders = all.get(id)
    if (holders === undefined) all.set(id, [holder])
    else holders.push(holder)
  }
  const using = new Map<string, Set<string>>()
  const use = (id: string, subscription: string): void => {
    const users = using.get(id)
    if (users === undefined) using.set(id, new Set([subscription]))
    else users.add(subscription)
  }
  for (const subscription of subscriptions) {
    if (isOver(subscription)) continue
    const untouchable = whyUntouchable(subscription, now)
    const about = { subscription: subscription.id, ...(untouchable === undefined ? {} : { untouchable }) }
    for (const { id: item, price, tax_rates: own } of subscription.items.data) {
      hold(onPrice, price.id, { ...about, item })
      const rates = (own ?? []).map(({ id }) => id)
      for (const rate of rates) {
        use(rate, subscription.id)
        hold(onRate, rate, { ...about, item, rates })
      }
    }
    const rates = (subscription.default_tax_rates ?? []).map(({ id }) => id)
    for (const rate of rates) {
      use(rate, subscription.id)
      hold(onRate, rate, { ...about, rates })
    }
    for (const discount of subscription.discounts) {
      const coupon = typeof discount === 'string' ? undefined : discount.source.coupon
      if (coupon !== undefined && coupon !== null) use(typeof coupon === 'string' ? coupon : coupon.id, subscription.id)
    }
  }
  return { onPrice, onRate, using }
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
