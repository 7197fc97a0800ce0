import type Stripe from 'stripe'
import { secondsPerDay, type Instant } from '../core/instant.ts'

/** Whether an invoice captured money for the first renewal or a later one. */
export function isCaptured({ status, amount_paid: paid, created }: Stripe.Invoice, first: Instant): boolean {
  return status === 'paid' && paid > 0 && created >= first
}

/**
 * Whether the newest invoice may hide an earlier renewal that was paid: it is a draft in its first
 * hour, a failed later renewal, or a manual invoice. Only then must the other invoices be read.
 */
export function mayHideCapture(latest: Stripe.Invoice, first: Instant): boolean {
  if (latest.created < first || isCaptured(latest, first)) return false
  return latest.billing_reason !== 'subscription_cycle' || isLaterRenewal(latest, first)
}

/** Stripe creates a renewal's invoice within hours of its date; the shortest interval is a day. */
export function isLaterRenewal({ created }: Stripe.Invoice, first: Instant): boolean {
  return created > first + secondsPerDay / 2
}
