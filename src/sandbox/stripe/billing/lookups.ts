// What billing reads of the catalog and of customers, in the form that its calculations need.
import { present } from '../../../core/assert.ts'
import type { Context } from '../../kernel/context.ts'
import { invalid } from '../../kernel/errors.ts'
import { find } from '../../kernel/kind.ts'
import { adjustBalance } from '../customer-balance.ts'
import { changeCustomer, customer, customers, taxLocation, type CustomerRow } from '../customer-row.ts'
import { paymentMethods } from '../payment-method-row.ts'
import { createPrice, prices, usablePrice, type PriceRow } from '../prices.ts'
import type { Amounts as CatalogAmounts } from '../pricing.ts'
import { productKind } from '../product-row.ts'
import type { RecurringPriceData } from '../subscription-params.ts'
import { taxIds } from '../tax-ids.ts'
import type { Cadence } from './calendar.ts'
import { decimalString } from './money.ts'
import type { Amounts, PricingTerms } from './pricing.ts'
import type { Place } from './taxing.ts'

export interface PriceFacts {
  readonly id: string
  readonly product: string
  readonly productName: string
  readonly currency: string
  /** The other currencies that it can be charged in. */
  readonly currencies: readonly string[]
  readonly cadence: Cadence | null
  readonly metered: boolean
  readonly meter: string | null
  readonly terms: PricingTerms
  readonly taxBehavior: 'exclusive' | 'inclusive' | 'unspecified'
  readonly trialDays: number | null
  readonly amountsIn: (currency: string) => Amounts
}

/**
 * Prices rarely change and are read for every line, so their facts are cached as long as the row is
 * the same.
 */
const known = new WeakMap<PriceRow, PriceFacts>()

export function priceFacts(context: Context, id: string): PriceFacts {
  const row = present(context.table(prices).get(id), id)
  const before = known.get(row)
  if (before !== undefined) return before
  const facts = factsOf(row, context.table(productKind.table).get(row.product)?.name ?? row.product)
  known.set(row, facts)
  return facts
}

/** An active price of an active product, named by a request. */
export function usablePriceFacts(context: Context, id: string, param: string): PriceFacts {
  return priceFacts(context, usablePrice(context, id, param).id)
}

function factsOf(row: PriceRow, productName: string): PriceFacts {
  const { recurring, transform_quantity: transform } = row
  return {
    id: row.id,
    product: row.product,
    productName,
    currency: row.currency,
    currencies: Object.keys(row.currency_options),
    cadence: recurring === null ? null : { interval: recurring.interval, count: recurring.interval_count },
    metered: recurring?.usage_type === 'metered',
    meter: recurring?.meter ?? null,
    terms: {
      scheme: row.billing_scheme,
      tiersMode: row.tiers_mode,
      transform: transform === null ? null : { divideBy: transform.divide_by, round: transform.round },
    },
    taxBehavior: row.tax_behavior,
    trialDays: recurring?.trial_period_days ?? null,
    amountsIn: (currency) => amountsOf(currency === row.currency ? row : (row.currency_options[currency] ?? row)),
  }
}

function amountsOf(amounts: CatalogAmounts): Amounts {
  return {
    unit: amounts.unit_amount_decimal === null ? null : decimalString(amounts.unit_amount_decimal),
    tiers:
      amounts.tiers?.map((tier) => ({
        upTo: tier.up_to,
        unit: tier.unit_amount_decimal,
        flat: tier.flat_amount_decimal,
      })) ?? null,
  }
}

/** The price of a `price_data` parameter: created for one item, never listed. */
export function inlinePrice(context: Context, given: RecurringPriceData, param: string): PriceFacts {
  const product = productNamed(context, given.product, `${param}[product]`)
  const { currency, recurring, tax_behavior, unit_amount, unit_amount_decimal } = given
  const row = createPrice(context, {
    currency,
    product: product.id,
    recurring,
    inline: true,
    ...(tax_behavior === undefined ? {} : { tax_behavior }),
    ...(unit_amount === undefined ? {} : { unit_amount }),
    ...(unit_amount_decimal === undefined ? {} : { unit_amount_decimal }),
  })
  return priceFacts(context, row.id)
}

/** A product named by a parameter; an inactive product is refused. */
export function productNamed(context: Context, id: string, param: string): { id: string; name: string } {
  const row = find(context, productKind, id, param)
  if (!row.active)
    throw invalid(
      `The product \`${id}\` is marked as inactive, and thus no new subscriptions or invoice items can be created for it.`,
      { code: 'product_inactive', param },
    )
  return row
}

export interface CustomerFacts {
  readonly id: string
  readonly email: string | null
  /** Minor units in the currency of the query; negative is credit. */
  readonly balance: number
  /** The discount of the customer itself, by id. */
  readonly discount: string | null
  readonly default_payment_method: string | null
  readonly default_source: string | null
  readonly place: Place | null
  readonly exempt: 'none' | 'exempt' | 'reverse'
  /** The customer has a business tax id. */
  readonly business: boolean
}

export function customerFacts(context: Context, id: string, currency = ''): CustomerFacts {
  return facts(context, present(context.table(customers).get(id), id), currency)
}

/** A customer that a request names; a deleted customer is refused. */
export function liveCustomer(context: Context, id: string, param: string): CustomerFacts {
  return facts(context, customer(context, id, param), '')
}

function facts(context: Context, row: CustomerRow, currency: string): CustomerFacts {
  const place = taxLocation(row)
  return {
    id: row.id,
    email: row.email,
    balance: row.balances[currency] ?? 0,
    discount: row.discount,
    default_payment_method: row.invoice_settings.default_payment_method,
    default_source: row.default_source,
    place: place === null ? null : { country: place.country, state: place.state },
    exempt: row.tax_exempt,
    business: context.table(taxIds).count('customer', row.id) > 0,
  }
}

/** The customer's details on an invoice. */
export function invoiceCustomer(context: Context, id: string) {
  const row = present(context.table(customers).get(id), id)
  return {
    customer_address: row.address,
    customer_email: row.email,
    customer_name: row.name,
    customer_phone: row.phone,
    customer_shipping: row.shipping,
    customer_tax_exempt: row.tax_exempt,
    customer_tax_ids: context
      .table(taxIds)
      .by('customer', id)
      .map(({ type, value }) => ({ type, value })),
  }
}

/** Changes the customer's balance for an invoice. */
export function moveBalance(
  context: Context,
  id: string,
  by: {
    readonly amount: number
    readonly currency: string
    readonly invoice: string
    readonly type: 'applied_to_invoice' | 'invoice_too_small' | 'unapplied_from_invoice'
  },
): void {
  adjustBalance(context, present(context.table(customers).get(id), id), by)
}

/** The next number in the customer's series, `PREFIX-0001`. */
export function nextInvoiceNumber(context: Context, id: string): string {
  const row = present(context.table(customers).get(id), id)
  const sequence = row.next_invoice_sequence
  context.table(customers).put({ ...row, next_invoice_sequence: sequence + 1 })
  return `${row.invoice_prefix}-${String(sequence).padStart(4, '0')}`
}

/** The first object that bills a customer sets the customer's currency. */
export function settleCurrency(context: Context, id: string, currency: string): void {
  const row = present(context.table(customers).get(id), id)
  if (row.currency !== currency) changeCustomer(context, row, { currency })
}

/** An invoice used the customer's `once` discount. */
export function spendCustomerDiscount(context: Context, id: string): void {
  changeCustomer(context, present(context.table(customers).get(id), id), { discount: null })
}

/** A payment method that a request names must belong to the customer. */
export function checkMethodOf(context: Context, id: string, about: { customer: string; param: string }): void {
  const row = context.table(paymentMethods).get(id)
  if (row !== undefined && row.customer === about.customer && !row.detached) return
  throw invalid(
    about.param === 'default_source'
      ? `No such source: '${id}'`
      : `The customer does not have a payment method with the ID ${id}. The payment method must be attached to the customer.`,
    { code: 'resource_missing', param: about.param },
  )
}
