// What a credit note does to its invoice (https://docs.stripe.com/api/credit_notes/create): it
// first lowers what an open invoice still asks for; the rest was paid and goes back.
import type { Context } from '../../kernel/context.ts'
import { keepInvoice, paidByCredit, tellInvoice } from './collecting.ts'
import { invoices, paymentIntents, type InvoiceRow } from './rows.ts'

/** What an invoice still asks for. */
export function remainingOf(row: InvoiceRow): number {
  return row.status === 'open' ? row.amount_due - row.amount_paid : 0
}

/** Lowers an invoice by a credit note: `before` its payment, and `after` it. */
export function creditInvoice(
  context: Context,
  id: string,
  { before, after }: { readonly before: number; readonly after: number },
): void {
  const row = context.table(invoices).get(id)
  if (row === undefined) return
  const credited = {
    before: (row.credited?.before ?? 0) + before,
    after: (row.credited?.after ?? 0) + after,
  }
  const lowered = keepInvoice(context, { ...row, credited, amount_due: row.amount_due - before })
  askFor(context, lowered)
  tellInvoice(context, 'invoice.updated', lowered)
  if (before > 0 && lowered.status === 'open' && remainingOf(lowered) === 0) paidByCredit(context, lowered)
}

/** The payment of the invoice asks for the new amount. */
function askFor(context: Context, row: InvoiceRow): void {
  const intent = row.payment_intent === null ? undefined : context.table(paymentIntents).get(row.payment_intent)
  if (intent === undefined || intent.status === 'succeeded' || row.amount_due === 0) return
  context.table(paymentIntents).put({ ...intent, amount: row.amount_due })
}
