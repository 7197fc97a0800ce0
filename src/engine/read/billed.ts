import { addTo, least } from '../../core/lists.ts'
import type Stripe from 'stripe'
import { isProration } from '../../handover/taken-lines.ts'
import { invoiceSubscription } from '../../live/collection.ts'
import type { Params, StripeAccount } from '../ports.ts'
import { sideBySide } from '../side-by-side.ts'
import { wholeInvoice } from './invoices-in-target.ts'
import { listAll } from './lists.ts'

const atOnce = 8
/** More subscriptions than these are not read one by one: one list of the account has them all. */
const listedOneByOne = 100

/** The invoices of one subscription that are neither void nor uncollectible, of any age. */
export async function readBilled(account: StripeAccount, subscription: string): Promise<readonly Stripe.Invoice[]> {
  // The adapter returns what Stripe sent; the types are the SDK's for the pinned version.
  const all = (await listAll(account, '/v1/invoices', { subscription })) as unknown as Stripe.Invoice[]
  return Promise.all(all.filter(isBilled).map((one) => withAllLines(account, one)))
}

/**
 * The invoices of these subscriptions that have a proration, by subscription. `since`: the instant
 * from which the invoices of a subscription matter. Few subscriptions are read one by one. Many
 * (their owner changed everybody's price) are read from one list of the account, page by page.
 */
export async function readProrated(
  account: StripeAccount,
  since: ReadonlyMap<string, number>,
): Promise<ReadonlyMap<string, readonly Stripe.Invoice[]>> {
  const found = new Map<string, Stripe.Invoice[]>()
  if (since.size <= listedOneByOne) {
    const all = [...since].map(([id]) => [id])
    await sideBySide(all, atOnce, async (id) => {
      found.set(id, (await readBilled(account, id)).filter(hasProration))
      return true
    })
    return found
  }
  const created = { gte: least(since.values()) }
  for await (const one of account.list('/v1/invoices', { created })) {
    const id = invoiceSubscription(one)
    // The adapter returns what Stripe sent; the types are the SDK's for the pinned version.
    const invoice = one as unknown as Stripe.Invoice
    if (id === undefined || !since.has(id) || !isBilled(invoice)) continue
    const whole = await withAllLines(account, invoice)
    if (hasProration(whole)) addTo(found, id, whole)
  }
  return found
}

/** The same invoices with their payments and charges, which no list shows. */
export async function withCharges(
  account: StripeAccount,
  invoices: readonly Stripe.Invoice[],
): Promise<readonly Stripe.Invoice[]> {
  const reader = { get: async (path: string, params: Params) => account.retrieve(path, params) }
  return Promise.all(
    invoices.map(async (one) => {
      const whole = await wholeInvoice(reader, one.id ?? '')
      return whole === undefined ? one : { ...whole, lines: one.lines }
    }),
  )
}

function isBilled({ status }: Stripe.Invoice): boolean {
  return status !== 'void' && status !== 'uncollectible'
}

function hasProration({ lines }: Stripe.Invoice): boolean {
  return lines.data.some(isProration)
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
