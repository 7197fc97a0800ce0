// Invoice lines of subscription items: the cost of one item for one stretch of time.
import type { Context } from '../../kernel/context.ts'
import { periodAround, type Anchor, type Cadence, type Period } from './calendar.ts'
import { usageOf } from '../meters.ts'
import { isFree, reductionsOf } from './discounts.ts'
import { priceFacts, type PriceFacts } from './lookups.ts'
import { fraction, hasThreeDecimals } from './money.ts'
import { amountFor } from './pricing.ts'
import type { InvoiceItemRow, ItemRow, SubscriptionRow } from './rows.ts'
import { ratesFor } from './tax-of.ts'
import type { LineDraft } from './totals.ts'

function anchorOf(subscription: SubscriptionRow): Anchor {
  return { at: subscription.billing_cycle_anchor, day: subscription.billing_cycle_anchor_config?.day_of_month }
}

/** The whole period that contains a shorter stretch: proration divides by its length. */
export function fullPeriod(subscription: SubscriptionRow, cadence: Cadence, at: number): Period {
  return periodAround(anchorOf(subscription), cadence, at)
}

export interface ItemCharge {
  readonly period: Period
  /** Set when `period` is only a part: the whole period that contains it. */
  readonly whole?: Period
  readonly free?: boolean
  /** A debit or credit of a change, not the ordinary price of a period. */
  readonly proration?: boolean
  readonly sign?: 1 | -1
  /** The usage of a metered price. */
  readonly usage?: number
  readonly description?: string
}

/**
 * The cost of an item for a period in the subscription's currency, prorated when the period is a
 * part.
 */
export function itemAmount(price: PriceFacts, currency: string, item: ItemRow, charge: ItemCharge): number {
  if (charge.free === true) return 0
  if (price.metered) return amountFor(price.amountsIn(currency), price.terms, charge.usage ?? 0)
  const full = amountFor(price.amountsIn(currency), price.terms, item.quantity ?? 1)
  const { period, whole } = charge
  const part =
    whole === undefined || (whole.start === period.start && whole.end === period.end)
      ? full
      : fraction(full, period.end - period.start, whole.end - whole.start)
  return charge.sign === -1 ? -part : part
}

/** One line of a subscription item, with the discounts and rates that apply at `at`. */
export function itemLine(
  context: Context,
  subscription: SubscriptionRow,
  item: ItemRow,
  charge: ItemCharge & { at: number },
): LineDraft {
  const price = priceFacts(context, item.price)
  const quantity = price.metered ? (charge.usage ?? 0) : (item.quantity ?? 1)
  return {
    amount: itemAmount(price, subscription.currency, item, charge),
    description: charge.description ?? describe(price, subscription, { quantity, trial: charge.free === true }),
    quantity,
    price: price.id,
    product: price.product,
    unitAmount: charge.free === true ? '0' : price.amountsIn(subscription.currency).unit,
    period: charge.period,
    discountable: charge.proration !== true,
    own: reductionsOf(
      context,
      item.discounts.filter((id) => isFree(context, subscription.customer, id)),
      charge.at,
    ),
    rates: ratesFor(context, { subscription, own: item.tax_rates, taxBehavior: price.taxBehavior }),
    proration: charge.proration === true,
    subscription: subscription.id,
    subscriptionItem: item.id,
    invoiceItem: null,
    metadata: subscription.metadata,
  }
}

/**
 * The line for the usage of a metered item in its period so far
 * (https://docs.stripe.com/billing/subscriptions/usage-based).
 */
export function usageLine(context: Context, subscription: SubscriptionRow, item: ItemRow, at: number): LineDraft {
  const { meter } = priceFacts(context, item.price)
  const period = { start: item.current_period_start, end: at }
  const { customer } = subscription
  const usage = meter === null ? 0 : usageOf(context, { meter, customer, from: period.start, to: period.end })
  return itemLine(context, subscription, item, { period, usage, at })
}

/** The invoice line of a pending invoice item. */
export function pendingLine(
  context: Context,
  item: InvoiceItemRow,
  about: { subscription: SubscriptionRow | null; customer: string; at: number; automatic?: boolean },
): LineDraft {
  const price = item.price === null ? null : priceFacts(context, item.price)
  return {
    amount: item.amount,
    description: item.description,
    quantity: item.quantity,
    price: item.price,
    product: item.product,
    unitAmount: item.unit_amount_decimal,
    period: item.period,
    discountable: item.discountable,
    own: reductionsOf(context, item.discounts, about.at),
    rates: ratesFor(context, {
      subscription: about.subscription,
      customer: about.customer,
      own: item.tax_rates,
      taxBehavior: price?.taxBehavior ?? item.tax_behavior ?? 'unspecified',
      ...(about.automatic === undefined ? {} : { automatic: about.automatic }),
    }),
    proration: item.proration,
    subscription: item.subscription,
    subscriptionItem: item.subscription_item,
    invoiceItem: item.id,
    metadata: item.metadata,
  }
}

function describe(
  price: PriceFacts,
  subscription: SubscriptionRow,
  about: { quantity: number; trial: boolean },
): string {
  const { currency } = subscription
  const { quantity } = about
  // The description of a trial differs by billing mode (billing mode comparison).
  if (about.trial)
    return subscription.billing_mode === 'flexible'
      ? `Free trial for ${quantity} × ${price.productName}`
      : `Trial period for ${price.productName}`
  const { interval, count } = price.cadence ?? { interval: 'month', count: 1 }
  const every = count === 1 ? interval : `every ${count} ${interval}s`
  const unit = price.amountsIn(currency).unit
  if (unit === null) return `${quantity} × ${price.productName} (Tier 1 at ${every})`
  return `${quantity} × ${price.productName} (at ${money(unit, currency)} / ${every})`
}

const whole = new Set([
  'jpy',
  'krw',
  'vnd',
  'clp',
  'xaf',
  'xof',
  'xpf',
  'bif',
  'djf',
  'gnf',
  'kmf',
  'mga',
  'pyg',
  'rwf',
  'ugx',
  'vuv',
])

function money(minor: string, currency: string): string {
  const places = whole.has(currency) ? 0 : hasThreeDecimals(currency) ? 3 : 2
  const amount = (Number(minor) / 10 ** places).toFixed(places)
  const sign: Record<string, string> = { usd: '$', eur: '€', gbp: '£', jpy: '¥' }
  return sign[currency] === undefined ? `${amount} ${currency.toUpperCase()}` : `${sign[currency]}${amount}`
}
