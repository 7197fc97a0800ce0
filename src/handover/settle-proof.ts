import type Stripe from 'stripe'
import type { Instant } from '../core/instant.ts'
import { isRenewalCaptured, isLaterRenewal } from '../live/captured.ts'
import { isMetered } from '../live/metered.ts'
import { readSource } from '../live/source.ts'
import type { Candidate } from './candidate.ts'
import { nextChargeOf } from './charges.ts'

/**
 * Any paid renewal counts, whatever the newest invoice is: it may be a draft in its first hour, or
 * a later one that failed.
 */
export function hasCaptured(
  { id, latest_invoice: latest }: Stripe.Subscription,
  first: Instant,
  { captured }: Candidate['around']['target'],
): boolean {
  if (captured?.has(id) === true) return true
  return latest !== null && typeof latest === 'object' && isRenewalCaptured(latest, first)
}

/**
 * A complimentary member: this renewal and the next one are zero, so no payment could prove more.
 */
export function owesNothing(
  { customerNew, around }: Candidate,
  successor: Stripe.Subscription,
  first: Instant,
): boolean {
  const { latest_invoice: latest } = successor
  if (latest === null || typeof latest === 'string' || latest.created < first || latest.total !== 0) return false
  if (latest.status !== 'paid' && !isLaterRenewal(latest, first)) return false
  const { prices, coupons } = around.target
  const now = readSource(successor, customerNew, prices, coupons)
  const isByUsage = now.items.some(({ price }) => isMetered(price))
  return !isByUsage && (nextChargeOf(now)?.amount ?? 0) === 0
}
