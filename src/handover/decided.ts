import { isOver } from '../live/subscription.ts'
import type Stripe from 'stripe'
import { readSource } from '../live/source.ts'
import type { Candidate } from './candidate.ts'
import type { Classification } from './types.ts'

/** A subscriber with its outcome, before the decisions that compare several subscribers. */
export interface Decided {
  readonly candidate: Candidate | undefined
  readonly classification: Classification
}

/**
 * Whether a subscription of the source still counts for its customer: it is live and does not end.
 */
export function goesOn(subscription: Stripe.Subscription): boolean {
  return !isOver(subscription) && readSource(subscription, undefined).ending === null
}
