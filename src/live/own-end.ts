import type Stripe from 'stripe'
import { endsByHold } from './subscription.ts'

/**
 * The subscription without the end that our hold set: it is no cancel, and a release takes it back.
 */
export function withoutOwnEnd(subscription: Stripe.Subscription): Stripe.Subscription {
  return endsByHold(subscription) ? { ...subscription, cancel_at: null, cancel_at_period_end: false } : subscription
}
