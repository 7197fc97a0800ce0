import { isOver } from '../live/subscription.ts'
import type Stripe from 'stripe'
import { readSource } from '../live/source.ts'
import type { Candidate } from './candidate.ts'
import type { Classification } from './types.ts'

/**
 * A subscriber with its outcome, while decisions that look at several of them are still to come.
 */
export interface Decided {
  readonly candidate: Candidate | undefined
  readonly classification: Classification
}

/**
 * Whether a subscription of the source still counts as one of its customer's: it lives and goes on.
 */
export function goesOn(subscription: Stripe.Subscription): boolean {
  return !isOver(subscription) && readSource(subscription, undefined).ending === null
}
