import type Stripe from 'stripe'
import { secondsPerDay, type Instant } from '../core/instant.ts'
import { isRenewal } from './invoice.ts'

/** Whether an invoice captured money at the first renewal or later, for whatever it billed. */
export function isCaptured({ status, amount_paid: paid, created }: Stripe.Invoice, first: Instant): boolean {
  return status === 'paid' && paid > 0 && created >= first
}

/**
 * Whether an invoice captured money for the first renewal or a later one. The invoice of a change,
 * or one by hand, may be paid while the renewal is not.
 */
export function isRenewalCaptured(invoice: Stripe.Invoice, first: Instant): boolean {
  return isRenewal(invoice) && isCaptured(invoice, first)
}

/**
 * Whether the newest invoice may hide an earlier renewal that was paid: it is a draft in its first
 * hour, a failed later renewal, or a manual invoice. Only then must the other invoices be read.
 */
export function mayHideCapture(latest: Stripe.Invoice, first: Instant): boolean {
  if (latest.created < first || isRenewalCaptured(latest, first)) return false
  return !isRenewal(latest) || isLaterRenewal(latest, first)
}

/** Stripe creates a renewal's invoice within hours of its date; the shortest interval is a day. */
export function isLaterRenewal({ created }: Stripe.Invoice, first: Instant): boolean {
  return created > first + secondsPerDay / 2
}
