import type Stripe from 'stripe'
import { markReverting, oldIdOf } from '../live/marks.ts'
import type { KeptBack, TakenLine } from './state.ts'
import type { Expectation } from './types.ts'
import { otherLines } from './while-held.ts'

/*
 * Items on an invoice that a revert voids in the target: an item was pending when the renewal took
 * it. The invoice of the old subscription never had it, so the old account bills it together with
 * the period.
 */

/** Invoices of the successors that a revert of this subscriber voided. */
export function takenBack(
  invoices: readonly Stripe.Invoice[],
  { key, held_since: since }: Pick<Expectation, 'key' | 'held_since'>,
): readonly Stripe.Invoice[] {
  return invoices.filter(
    ({ status, metadata, created }) =>
      status === 'void' && created >= since && oldIdOf(metadata?.[markReverting]) === oldIdOf(key),
  )
}

/** What the old account bills with the period. */
export function takenLines(invoices: readonly Stripe.Invoice[]): readonly TakenLine[] {
  return invoices.flatMap((invoice) =>
    otherLines(invoice)
      .filter((line) => line.amount !== 0 && !isProration(line))
      .map(takenLine),
  )
}

/**
 * A proration belongs to a change in the target. The same change to the old subscription brings a
 * proration there, so this one is listed and not billed.
 */
export function prorationsOf(invoice: Stripe.Invoice): readonly KeptBack[] {
  return leftOf(invoice, otherLines(invoice).filter(isProration))
}

/** Items of an invoice for which the old account has no period to bill. */
export function itemsLeft(invoice: Stripe.Invoice): readonly KeptBack[] {
  return leftOf(
    invoice,
    otherLines(invoice).filter((line) => !isProration(line)),
  )
}

function leftOf({ id, created, currency }: Stripe.Invoice, lines: readonly Stripe.InvoiceLineItem[]): KeptBack[] {
  const amount = grossOf(lines.map(takenLine))
  return amount === 0 ? [] : [{ invoice: id ?? '', at: created, amount, currency, itemsOnly: true }]
}

/** What the customer pays for these lines. */
export function grossOf(lines: readonly TakenLine[]): number {
  return lines.reduce((sum, { amount, added }) => sum + amount + added, 0)
}

export function isProration({ parent }: Stripe.InvoiceLineItem): boolean {
  return (parent?.invoice_item_details?.proration ?? parent?.subscription_item_details?.proration) === true
}

/** The amount of a line after discounts, and the taxes added to it. */
export function takenLine({ amount, discount_amounts: discounts, taxes, period }: Stripe.InvoiceLineItem): TakenLine {
  const off = (discounts ?? []).reduce((sum, one) => sum + one.amount, 0)
  const added = (taxes ?? []).reduce((sum, one) => sum + (one.tax_behavior === 'exclusive' ? one.amount : 0), 0)
  const rates = (taxes ?? []).flatMap(({ tax_rate_details: rate }) => rate?.tax_rate ?? [])
  return { amount: amount - off, added, start: period.start, end: period.end, rates }
}
