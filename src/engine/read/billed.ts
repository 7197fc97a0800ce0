import type Stripe from 'stripe'
import type { StripeAccount } from '../ports.ts'
import { listAll } from './lists.ts'

/** The invoices of one subscription that are neither void nor uncollectible, of any age. */
export async function readBilled(account: StripeAccount, subscription: string): Promise<readonly Stripe.Invoice[]> {
  // The adapter returns what Stripe sent; the types are the SDK's for the pinned version.
  const all = (await listAll(account, '/v1/invoices', { subscription })) as unknown as Stripe.Invoice[]
  const billed = all.filter(({ status }) => status !== 'void' && status !== 'uncollectible')
  return Promise.all(billed.map((one) => withAllLines(account, one)))
}

/** An invoice embeds its first lines only (https://docs.stripe.com/api/invoices/invoice_lines). */
async function withAllLines(account: StripeAccount, invoice: Stripe.Invoice): Promise<Stripe.Invoice> {
  if (!invoice.lines.has_more) return invoice
  const data = (await listAll(account, `/v1/invoices/${invoice.id}/lines`, {})) as unknown as Stripe.InvoiceLineItem[]
  return { ...invoice, lines: { ...invoice.lines, data, has_more: false } }
}

/** What changed a customer's balance. */
export async function readBalance(
  account: StripeAccount,
  customer: string,
): Promise<readonly Stripe.CustomerBalanceTransaction[]> {
  const all = await listAll(account, `/v1/customers/${customer}/balance_transactions`, {})
  // The adapter returns what Stripe sent; the types are the SDK's for the pinned version.
  return all as unknown as Stripe.CustomerBalanceTransaction[]
}
