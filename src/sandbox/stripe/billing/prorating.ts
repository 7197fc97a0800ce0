import type { Context } from '../../kernel/context.ts'
import type { Period } from './calendar.ts'
import type { PriceFacts } from './lookups.ts'
import type { InvoiceItemRow, ItemRow, SubscriptionRow } from './rows.ts'

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** `10 Jan 2027`, the form in the descriptions of prorations. */
function dayOf(at: number): string {
  const date = new Date(at * 1_000)
  return `${String(date.getUTCDate()).padStart(2, '0')} ${months[date.getUTCMonth()]} ${date.getUTCFullYear()}`
}

/** A pending invoice item for the rest of a period; negative is a credit. Not yet written. */
export function proration(
  context: Context,
  about: {
    id: string
    subscription: SubscriptionRow
    item: ItemRow
    price: PriceFacts
    amount: number
    period: Period
  },
): InvoiceItemRow {
  const { subscription, item, price, amount, period } = about
  const quantity = item.quantity ?? 1
  const name = quantity > 1 ? `${quantity} × ${price.productName}` : price.productName
  return {
    id: about.id,
    created: context.now,
    customer: subscription.customer,
    subscription: subscription.id,
    subscription_item: item.id,
    invoice: null,
    amount,
    currency: subscription.currency,
    description: `${amount < 0 ? 'Unused' : 'Remaining'} time on ${name} after ${dayOf(period.start)}`,
    discountable: false,
    discounts: [],
    metadata: {},
    period,
    price: item.price,
    product: price.product,
    unit_amount_decimal: String(amount),
    proration: true,
    quantity,
    tax_rates: item.tax_rates,
  }
}
