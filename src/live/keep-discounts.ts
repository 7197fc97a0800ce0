import type Stripe from 'stripe'
import type { Instant } from '../core/instant.ts'
import type { JsonObject } from '../core/json.ts'
import { firstRenewal } from './first-renewal.ts'
import { idOf } from '../core/reference.ts'

/**
 * Whether an update of this subscription may remove its discounts: it has discounts, and its first
 * billing date is in the future. Stripe documents this for all subscriptions with a future anchor
 * (https://docs.stripe.com/billing/subscriptions/import-subscriptions-toolkit), so it applies to
 * old and new ones.
 */
function mayLoseDiscounts(subscription: Stripe.Subscription, now: Instant): boolean {
  const { discounts, items } = subscription
  const isDiscounted = discounts.length > 0 || items.data.some((item) => item.discounts.length > 0)
  return isDiscounted && firstRenewal(subscription) > now
}

/**
 * The parameters of an update. If the update may remove the subscription's discounts, they are sent
 * again by the id of the discount, which keeps its clock and terms, and never by the coupon.
 * Parameters that already set discounts or items keep their values.
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
