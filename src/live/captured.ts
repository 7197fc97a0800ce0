import type Stripe from 'stripe'
import { secondsPerDay, type Instant } from '../core/instant.ts'

/** A payment that really took money for a renewal: from the first one on, whichever it is. */
export function isCaptured({ status, amount_paid: paid, created }: Stripe.Invoice, first: Instant): boolean {
  return status === 'paid' && paid > 0 && created >= first
}

/**
 * Whether the newest invoice may stand before an earlier renewal that was paid: it is a draft of its first hour, a later renewal that failed, or made by hand.
 * Only then the other invoices have to be read.
 */
export function mayHideCapture(latest: Stripe.Invoice, first: Instant): boolean {
  if (latest.created < first || isCaptured(latest, first)) return false
  return latest.billing_reason !== 'subscription_cycle' || isLaterRenewal(latest, first)
}

/** A renewal's invoice is made within hours of its date; the shortest interval is a day. */
export function isLaterRenewal({ created }: Stripe.Invoice, first: Instant): boolean {
  return created > first + secondsPerDay / 2
}
