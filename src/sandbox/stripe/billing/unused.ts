// The value of a stretch of an item's time, for credits and debits
// (https://docs.stripe.com/billing/subscriptions/prorations, …/billing-mode/compare). Classic mode
// uses the present price and discounts, flexible mode the amounts that were debited.
import type { Context } from '../../kernel/context.ts'
import type { Period } from './calendar.ts'
import { sharedDiscounts } from './composing.ts'
import { reductionsOf } from './discounts.ts'
import { takeOff } from './discounting.ts'
import { cadenceOf } from './items.ts'
import { fullPeriod, itemLine } from './lines.ts'
import { priceFacts } from './lookups.ts'
import { fraction } from './money.ts'
import { invoiceItems, invoices, type ItemRow, type SubscriptionRow } from './rows.ts'

/** The price of an item for a stretch of its period, after discounts. */
export function worthOf(context: Context, row: SubscriptionRow, item: ItemRow, stretch: Period): number {
  const price = priceFacts(context, item.price)
  if (price.metered || stretch.end <= stretch.start) return 0
  const whole = fullPeriod(row, cadenceOf(price), stretch.start)
  const at = context.now
  const lines = row.items.map((one) => itemLine(context, row, one, { period: whole, at }))
  const taken = takeOff(lines, reductionsOf(context, sharedDiscounts(context, row, at), at), row.currency)
  const index = row.items.findIndex((one) => one.id === item.id)
  const off = (taken[index] ?? []).reduce((sum, one) => sum + one.amount, 0)
  return fraction((lines[index]?.amount ?? 0) - off, stretch.end - stretch.start, whole.end - whole.start)
}

/**
 * The credit for a stretch: zero or negative. A free stretch had no debit, so flexible mode gives
 * no credit for it.
 */
export function creditFor(context: Context, row: SubscriptionRow, item: ItemRow, stretch: Period): number {
  if (stretch.end <= stretch.start) return 0
  // An account read from outside has subscriptions without their past invoices; the present price
  // is then the best value.
  const known = row.latest_invoice === null || context.table(invoices).has(row.latest_invoice)
  const amount =
    row.billing_mode === 'flexible' && known
      ? debited(context, row, item, stretch)
      : worthOf(context, row, item, stretch)
  return amount <= 0 ? 0 : -amount
}

/** The part of all debits of an item, prorations included, that falls into a stretch. */
function debited(context: Context, row: SubscriptionRow, item: ItemRow, stretch: Period): number {
  const billed = context
    .table(invoices)
    .by('subscription', row.id)
    .filter((invoice) => invoice.status !== 'void' && invoice.status !== 'uncollectible')
    .flatMap((invoice) => invoice.lines)
    .filter((line) => line.subscriptionItem === item.id)
    .map((line) => ({
      amount: line.amount - line.taken.reduce((sum, one) => sum + one.amount, 0),
      period: line.period,
    }))
  const waiting = context
    .table(invoiceItems)
    .by('pending', row.customer)
    .filter((one) => one.subscription_item === item.id)
    .map(({ amount, period }) => ({ amount, period }))
  return [...billed, ...waiting].reduce((sum, one) => sum + overlapping(one, stretch), 0)
}

function overlapping(one: { amount: number; period: Period }, stretch: Period): number {
  const length = one.period.end - one.period.start
  const overlap = Math.min(one.period.end, stretch.end) - Math.max(one.period.start, stretch.start)
  return length <= 0 || overlap <= 0 ? 0 : fraction(one.amount, overlap, length)
}
