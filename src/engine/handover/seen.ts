import type Stripe from 'stripe'
import type { Instant } from '../../core/instant.ts'

/**
 * Longer than one step of a hand-over takes, shorter than a person needs to change something and
 * look.
 */
const secondsFresh = 60

type Seen = { readonly subscription: Stripe.Subscription; readonly at: Instant }

const seen = new WeakMap<object, Map<string, Seen>>()

/**
 * Keeps what a read or an answer just showed, so that the next update of the same subscription
 * needs no read of its own. In memory only.
 */
export function noteSeen(job: object, subscription: Stripe.Subscription | undefined, at: Instant): void {
  if (subscription === undefined) return
  const known = seen.get(job) ?? new Map<string, Seen>()
  seen.set(job, known)
  known.set(subscription.id, { subscription, at })
}

/**
 * What was shown within the last minute of Stripe's clock; undefined when it was longer ago, or
 * never.
 */
export function justSeen(job: object, id: string, now: Instant): Stripe.Subscription | undefined {
  const one = seen.get(job)?.get(id)
  return one === undefined || now - one.at > secondsFresh ? undefined : one.subscription
}
