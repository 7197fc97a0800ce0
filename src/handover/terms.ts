import { idOf } from '../core/reference.ts'
import type Stripe from 'stripe'
import { canonicalJson } from '../core/canonical.ts'
import { isJsonObject, type Json, type JsonObject, objectIn, objectsIn } from '../core/json.ts'
import { decimalText } from '../live/source.ts'

/**
 * Compares an object of the old account with one of this catalog: every field that affects a bill,
 * in one normal form. It finds a mapping to a price with a different amount or interval count
 * before anything is sent.
 */
export function priceDifferences(old: Stripe.Price, desired: JsonObject, currency: string): readonly string[] {
  return differences(oldPriceTerms(old, currency), desiredPriceTerms(desired, currency), unread(old, currency))
}

/** Compares two live prices in this currency, whatever their ids. */
export function livePriceDifferences(a: Stripe.Price, b: Stripe.Price, currency: string): readonly string[] {
  const skipped = [...unread(a, currency), ...unread(b, currency)]
  return differences(oldPriceTerms(a, currency), oldPriceTerms(b, currency), skipped)
}

/**
 * Fields that Stripe omits unless they are expanded (tiers, other currencies): a field that was not
 * read is not compared.
 */
function unread(price: Stripe.Price, currency: string): readonly string[] {
  const tiers = price.tiers_mode !== null && price.tiers === undefined ? ['tiers'] : []
  const otherCurrency = price.currency !== currency && price.currency_options?.[currency] === undefined
  return otherCurrency ? [...tiers, 'tiers', 'unit_amount', 'tax_behavior'] : tiers
}

/**
 * Compares amount, currency and products, but not the duration, which the carried remainder
 * decides. `productKey` gives this catalog's key for an old product id.
 */
export function couponDifferences(
  old: Stripe.Coupon,
  desired: JsonObject,
  productKey: (id: string) => string | undefined,
): readonly string[] {
  const products = old.applies_to?.products.map((id) => productKey(id) ?? id)
  return differences(
    {
      percent_off: old.percent_off,
      amount_off: old.amount_off,
      currency: old.currency,
      applies_to: sorted(products),
      currency_options: amounts(old.currency_options ?? {}, old.currency),
    },
    {
      percent_off: desired['percent_off'] ?? null,
      amount_off: desired['amount_off'] ?? null,
      currency: desired['currency'] ?? null,
      applies_to: sorted(stringsAt(desired['applies_to'], 'products')),
      currency_options: amounts(objectAt(desired, 'currency_options'), desired['currency']),
    },
  )
}

export function taxRateDifferences(old: Stripe.TaxRate, desired: JsonObject): readonly string[] {
  return differences(
    { percentage: old.percentage, inclusive: old.inclusive, country: old.country ?? null },
    {
      percentage: desired['percentage'] ?? null,
      inclusive: desired['inclusive'] ?? false,
      country: desired['country'] ?? null,
    },
  )
}

function oldPriceTerms(old: Stripe.Price, currency: string): JsonObject {
  const amount = old.currency === currency ? old : (old.currency_options?.[currency] ?? old)
  const { recurring, transform_quantity: transform } = old
  return {
    billing_scheme: old.billing_scheme,
    unit_amount: old.billing_scheme === 'tiered' ? null : decimalText(amount.unit_amount_decimal, amount.unit_amount),
    interval: recurring?.interval ?? null,
    interval_count: recurring?.interval_count ?? null,
    usage_type: recurring?.usage_type ?? null,
    tax_behavior: amount.tax_behavior ?? 'unspecified',
    transform_quantity: transform === null ? null : { divide_by: transform.divide_by, round: transform.round },
    tiers_mode: old.tiers_mode,
    tiers: (amount.tiers ?? []).map((tier) => ({
      up_to: tier.up_to,
      unit_amount: decimalText(tier.unit_amount_decimal, tier.unit_amount) ?? '0',
      flat_amount: decimalText(tier.flat_amount_decimal, tier.flat_amount) ?? '0',
    })),
  }
}

function desiredPriceTerms(desired: JsonObject, currency: string): JsonObject {
  const options = objectAt(objectAt(desired, 'currency_options'), currency)
  const amount = desired['currency'] === currency ? desired : options
  const recurring = objectAt(desired, 'recurring')
  const isRecurring = isJsonObject(desired['recurring'])
  const tiered = desired['billing_scheme'] === 'tiered'
  const transform = desired['transform_quantity']
  return {
    billing_scheme: tiered ? 'tiered' : 'per_unit',
    unit_amount: tiered ? null : decimalOf(amount, 'unit_amount'),
    interval: recurring['interval'] ?? null,
    interval_count: isRecurring ? (recurring['interval_count'] ?? 1) : null,
    usage_type: isRecurring ? (recurring['usage_type'] ?? 'licensed') : null,
    tax_behavior: amount['tax_behavior'] ?? 'unspecified',
    transform_quantity: isJsonObject(transform)
      ? { divide_by: transform['divide_by'] ?? null, round: transform['round'] ?? null }
      : null,
    tiers_mode: desired['tiers_mode'] ?? null,
    tiers: listAt(amount, 'tiers').map((tier) => ({
      up_to: tier['up_to'] === 'inf' ? null : (tier['up_to'] ?? null),
      unit_amount: decimalOf(tier, 'unit_amount') ?? '0',
      flat_amount: decimalOf(tier, 'flat_amount') ?? '0',
    })),
  }
}

function decimalOf(value: JsonObject, field: string): string | null {
  const decimal = value[`${field}_decimal`]
  const whole = value[field]
  return decimalText(
    typeof decimal === 'string' || typeof decimal === 'number' ? String(decimal) : null,
    typeof whole === 'number' ? whole : null,
  )
}

function differences(old: JsonObject, desired: JsonObject, skipped: readonly string[] = []): readonly string[] {
  const fields = [...new Set([...Object.keys(old), ...Object.keys(desired)])].filter(
    (field) => !skipped.includes(field),
  )
  return fields.filter((field) => canonicalJson(old[field] ?? null) !== canonicalJson(desired[field] ?? null))
}

/**
 * Amounts in further currencies. Stripe repeats the coupon's own currency among its options; a
 * catalog does not.
 */
function amounts(options: Readonly<Record<string, unknown>>, own: unknown): JsonObject {
  return Object.fromEntries(
    Object.entries(options).flatMap(([currency, option]) =>
      currency !== own && isJsonObject(option) && typeof option['amount_off'] === 'number'
        ? [[currency, option['amount_off']] as const]
        : [],
    ),
  )
}

function sorted(ids: readonly string[] | undefined): Json {
  return ids === undefined ? null : ids.toSorted((a, b) => (a < b ? -1 : 1))
}

function stringsAt(value: Json | undefined, field: string): readonly string[] | undefined {
  const list = isJsonObject(value) ? value[field] : undefined
  return Array.isArray(list) ? list.filter((one) => typeof one === 'string') : undefined
}

function objectAt(value: JsonObject, field: string): JsonObject {
  const one = value[field]
  return objectIn(one)
}

function listAt(value: JsonObject, field: string): readonly JsonObject[] {
  const list = value[field]
  return objectsIn(list)
}

/** Whether the old product's key in this catalog differs from the product of the price. */
export function productDiffers(
  old: Stripe.Price,
  desired: JsonObject,
  productKey: (id: string) => string | undefined,
): boolean {
  const key = productKey(idOf(old.product))
  return key !== undefined && desired['product'] !== undefined && desired['product'] !== key
}
