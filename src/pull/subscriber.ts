import { usualStatus } from '../live/subscription.ts'
import type Stripe from 'stripe'
import { formatInstant, instant } from '../core/instant.ts'
import type { Json, JsonObject } from '../core/json.ts'
import { isIdle, readSource, type SourceDiscount, type SourceItem } from '../live/source.ts'
import type { KeyTable } from './consolidate.ts'

/**
 * Fields of an entry that repeat the terms of the old account. All other fields are decisions of
 * the project.
 */
export const pulledFields = [
  'customer',
  'currency',
  'items',
  'next_invoice',
  'anchor',
  'trial_end',
  'payment_method',
  'discounts',
  'tax_rates',
  'automatic_tax',
  'collection_method',
  'days_until_due',
  'cancel_at',
  'cancel_at_period_end',
  'status',
] as const

/** An old subscription as an entry of a wave: its terms without default values. */
export function pulledSubscriber(
  subscription: Stripe.Subscription,
  customer: Stripe.Customer | undefined,
  table: KeyTable,
): JsonObject {
  const old = readSource(subscription, customer)
  const {
    cancel_at: cancelAt,
    cancel_at_period_end: ends,
    collection_method: method,
    days_until_due: days,
  } = subscription
  const rates = (subscription.default_tax_rates ?? []).map(({ id }) => table.toKey('tax_rate', id))
  const discounts = old.discounts.flatMap((one) => pulledDiscount(one, old.currency, table))
  return compact({
    customer: old.customer,
    currency: old.currency,
    items: old.items.map((item) => pulledItem(item, old.currency, table)),
    next_invoice: old.next === null ? undefined : formatInstant(old.next),
    anchor: formatInstant(instant(subscription.billing_cycle_anchor)),
    trial_end: old.trialEnd === null ? undefined : formatInstant(old.trialEnd),
    payment_method: old.payment?.id,
    discounts: discounts.length === 0 ? undefined : discounts,
    tax_rates: rates.length === 0 ? undefined : rates,
    automatic_tax: subscription.automatic_tax.enabled ? true : undefined,
    collection_method: method === 'charge_automatically' ? undefined : method,
    days_until_due: days ?? undefined,
    cancel_at: cancelAt === null ? undefined : formatInstant(instant(cancelAt)),
    cancel_at_period_end: ends ? true : undefined,
    status: subscription.status === usualStatus ? undefined : subscription.status,
  })
}

/**
 * An item without its metadata. Metadata may hold personal data, so it is carried between the
 * accounts and never written to a file.
 */
function pulledItem(item: SourceItem, currency: string, table: KeyTable): JsonObject {
  const discounts = item.discounts.flatMap((one) => pulledDiscount(one, currency, table))
  const rates = item.taxRates.map(({ id }) => table.toKey('tax_rate', id))
  return compact({
    price: table.toKey('price', item.price.id),
    quantity: item.quantity === null || item.quantity === 1 ? undefined : item.quantity,
    tax_rates: rates.length === 0 ? undefined : rates,
    discounts: discounts.length === 0 ? undefined : discounts,
  })
}

/**
 * A coupon that the lists do not show (deleted, or nested too deep) cannot be named; the plan
 * blocks its subscriber as `coupon_unmapped`. A coupon without effect in this currency is not a
 * term of the subscription.
 */
function pulledDiscount(discount: SourceDiscount, currency: string, table: KeyTable): readonly JsonObject[] {
  if (discount.coupon === null || isIdle(discount, currency)) return []
  const end = discount.old?.end ?? null
  return [
    compact({ coupon: table.toKey('coupon', discount.coupon.id), ends: end === null ? undefined : formatInstant(end) }),
  ]
}

function compact(fields: Readonly<Record<string, Json | undefined>>): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([, one]) => one !== undefined))
}
