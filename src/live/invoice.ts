import type Stripe from 'stripe'

/**
 * Why Stripe failed to finalize a draft: its code, or its type without one. Undefined for a draft
 * on its way, and for invoices that were finalized later.
 */
export function finalizationError({ status, last_finalization_error: error }: Stripe.Invoice): string | undefined {
  // Parts of an invoice that a test or an older answer leaves out count as no error.
  if (status !== 'draft' || error === null || error === undefined) return undefined
  return error.code ?? error.type
}
