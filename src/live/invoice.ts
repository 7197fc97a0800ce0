import type Stripe from 'stripe'

/** An invoice as Stripe returns it, typed by the SDK or as JSON. */
export interface ShownInvoice {
  readonly id?: unknown
  readonly status?: unknown
  readonly auto_advance?: unknown
  readonly next_payment_attempt?: unknown
  readonly collection_method?: unknown
  readonly amount_remaining?: unknown
  readonly metadata?: unknown
  readonly parent?: unknown
}

/**
 * Whether Stripe collects the invoice by itself, from the customer's payment method. It does not
 * collect one
 *
 * - that is no debt yet or no debt any more (a draft, paid, void, marked uncollectible)
 * - that its customer pays by hand (`send_invoice`)
 * - whose collection is stopped (`auto_advance`): by a person, by a cancel, or by the pause under
 *   which it was made; a pause does not stop the invoices from before it
 * - on which nothing is due
 *
 * Every question whether an invoice is being collected is asked here.
 */
export function isCollected(invoice: ShownInvoice): boolean {
  const { status, collection_method: method, amount_remaining: due } = invoice
  return status === 'open' && method === 'charge_automatically' && !standsStill(invoice) && due !== 0
}

/** It bills a period that a renewal began, and no change of the subscription. */
export function isRenewal({ billing_reason: reason }: Pick<Stripe.Invoice, 'billing_reason'>): boolean {
  return reason === 'subscription_cycle'
}

/** It bills a whole period: the first one or a renewal. */
export function isOfPeriod(invoice: Pick<Stripe.Invoice, 'billing_reason'>): boolean {
  return isRenewal(invoice) || invoice.billing_reason === 'subscription_create'
}

/** It waits for its customer to pay it by hand, and Stripe sends reminders. */
export function isSent(invoice: ShownInvoice): boolean {
  const { status, collection_method: method } = invoice
  return status === 'open' && method === 'send_invoice' && !standsStill(invoice)
}

/** A draft that Stripe finalizes by itself. */
export function isAdvancing(invoice: ShownInvoice): boolean {
  return invoice.status === 'draft' && !standsStill(invoice)
}

/** Stripe does nothing with the invoice by itself. */
export function standsStill({ auto_advance: advances }: ShownInvoice): boolean {
  return advances === false
}

/**
 * Why Stripe failed to finalize a draft: its code, or its type without one. Undefined for a draft
 * on its way, and for invoices that were finalized later.
 */
export function finalizationError({ status, last_finalization_error: error }: Stripe.Invoice): string | undefined {
  // Parts of an invoice that a test or an older answer leaves out count as no error.
  if (status !== 'draft' || error === null || error === undefined) return undefined
  return error.code ?? error.type
}

/**
 * Whether nothing was deducted since it was finalized: no applied balance, credit note or partial
 * payment.
 */
export function isOwedAsWritten({ amount_remaining: owed, total }: Stripe.Invoice): boolean {
  return owed === total
}
