import type Stripe from 'stripe'
import type { Instant } from '../../core/instant.ts'

/**
 * Longer than one step of a hand-over, shorter than a person needs to change something and check
 * it.
 */
const secondsFresh = 60

type Seen = { readonly subscription: Stripe.Subscription; readonly at: Instant }

const seen = new WeakMap<object, Map<string, Seen>>()

/**
 * Keeps the subscription from the last read or answer, so that the next update of it needs no read.
 * In memory only.
 */
export function noteSeen(job: object, subscription: Stripe.Subscription | undefined, at: Instant): void {
  if (subscription === undefined) return
  const known = seen.get(job) ?? new Map<string, Seen>()
  seen.set(job, known)
  known.set(subscription.id, { subscription, at })
}

/**
 * The subscription if it was read within the last minute of Stripe's clock; otherwise undefined.
 */
export function justSeen(job: object, id: string, now: Instant): Stripe.Subscription | undefined {
  const one = seen.get(job)?.get(id)
  return one === undefined || now - one.at > secondsFresh ? undefined : one.subscription
}
