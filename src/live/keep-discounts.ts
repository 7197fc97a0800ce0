import type Stripe from 'stripe'
import type { Instant } from '../core/instant.ts'
import type { JsonObject } from '../core/json.ts'
import { firstRenewal } from './first-renewal.ts'
import { idOf } from '../core/reference.ts'

/**
 * Whether an update of this subscription may unset its discounts: its first billing date is still ahead, and it has discounts. Stripe's documents say so of
 * subscriptions with a future anchor in general (https://docs.stripe.com/billing/subscriptions/import-subscriptions-toolkit), so it concerns old and new ones.
 */
export function mayLoseDiscounts(subscription: Stripe.Subscription, now: Instant): boolean {
  const { discounts, items } = subscription
  const isDiscounted = discounts.length > 0 || items.data.some((item) => item.discounts.length > 0)
  return isDiscounted && firstRenewal(subscription) > now
}

/**
 * The parameters of an update, with the discounts of the subscription sent again where the update may unset them: by the id of the discount, which keeps its
 * clock and its terms, never by the coupon. Parameters that set discounts or items themselves keep what they say.
 */
export function keepingDiscounts(params: JsonObject, subscription: Stripe.Subscription, now: Instant): JsonObject {
  if (!mayLoseDiscounts(subscription, now)) return params
  const own = kept(subscription.discounts)
  const items = subscription.items.data.flatMap((item) =>
    item.discounts.length === 0 ? [] : [{ id: item.id, discounts: kept(item.discounts) }],
  )
  return {
    ...(own.length === 0 ? {} : { discounts: own }),
    ...(items.length === 0 ? {} : { items }),
    ...params,
  }
}

function kept(discounts: readonly (string | { readonly id: string })[]): JsonObject[] {
  return discounts.map((discount) => ({ discount: idOf(discount) }))
}

/** Whether a request updates an existing subscription as a whole. */
export function isSubscriptionUpdate(method: string, path: string): boolean {
  return method === 'POST' && /^\/v1\/subscriptions\/[^/]+$/.test(path)
}
