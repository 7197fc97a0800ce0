// Recomputes a draft after its items or discounts changed; and invoices created through the API.
import type { Context } from '../../kernel/context.ts'
import { present } from '../../../core/assert.ts'
import { withTotals } from './composing.ts'
import { reductionsOf } from './discounts.ts'
import { keepInvoice, subscriptionOf } from './collecting.ts'
import { itemLine, pendingLine } from './lines.ts'
import { invoiceItems, invoices, type InvoiceRow } from './rows.ts'
import type { Line, LineDraft } from './totals.ts'

/** Recomputes a draft: its subscription lines as before, its invoice items as they are now. */
export function recompose(context: Context, id: string, shared?: readonly string[]): InvoiceRow {
  const row = present(context.table(invoices).get(id), id)
  const subscription = subscriptionOf(context, row) ?? null
  const at = row.created
  const carried = context
    .table(invoiceItems)
    .by('invoice', id)
    .map((item) =>
      pendingLine(context, item, { subscription, customer: row.customer, at, automatic: row.automatic_tax.enabled }),
    )
  const own = row.lines.flatMap((line) => (line.invoiceItem === null ? [again(context, row, line)] : []))
  const { lines: _lines, discounts, taken: _taken, taxes: _taxes, ...rest } = row
  return keepInvoice(
    context,
    withTotals(context, {
      ...rest,
      drafts: [...carried, ...own],
      shared: reductionsOf(context, shared ?? discounts, at),
    }),
  )
}

/** The line of a subscription item at its earlier price, with its present discounts and rates. */
function again(context: Context, row: InvoiceRow, line: Line): LineDraft {
  const subscription = subscriptionOf(context, row)
  const item = subscription?.items.find((one) => one.id === line.subscriptionItem)
  const { discounts, taken: _taken, taxes: _taxes, ...rest } = line
  const own = reductionsOf(context, discounts, row.created)
  if (subscription === undefined || item === undefined) return { ...rest, own, rates: [] }
  return { ...rest, own, rates: itemLine(context, subscription, item, { period: line.period, at: row.created }).rates }
}
