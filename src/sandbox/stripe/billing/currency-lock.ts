// One currency per customer (https://docs.stripe.com/invoicing/multi-currency-customers).
import type { Context } from '../../kernel/context.ts'
import { invalid } from '../../kernel/errors.ts'
import { couponOf, discounts } from '../discounts.ts'
import { customerFacts } from './lookups.ts'
import { invoiceItems, subscriptions } from './rows.ts'
import { scheduledCurrency } from './schedule-rows.ts'

/** The currency that the customer's live objects lock; null without a lock. */
export function heldCurrency(context: Context, customer: string): string | null {
  const [live] = context.table(subscriptions).by('live', customer)
  if (live !== undefined) return live.currency
  const [pending] = context.table(invoiceItems).by('pending', customer)
  if (pending !== undefined) return pending.currency
  const scheduled = scheduledCurrency(context, customer)
  if (scheduled !== null) return scheduled
  const { discount } = customerFacts(context, customer)
  const row = discount === null ? undefined : context.table(discounts).get(discount)
  const coupon = row === undefined ? undefined : couponOf(context, row)
  return coupon?.amount_off === null ? null : (coupon?.currency ?? null)
}

export function checkCurrency(context: Context, customer: string, currency: string): void {
  const held = heldCurrency(context, customer)
  if (held !== null && held !== currency)
    throw invalid(
      `You cannot combine currencies on a single customer. This customer has an active subscription, subscription schedule, discount, quote, invoice item or active subscription mode checkout session with currency ${held}.`,
    )
}
