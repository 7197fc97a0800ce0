// https://docs.stripe.com/api/customers/object
import type Stripe from 'stripe'
import type { Context } from '../kernel/context.ts'
import { missing } from '../kernel/errors.ts'
import type { Metadata } from '../kernel/params.ts'
import type { Row, TableDefinition } from '../kernel/tables.ts'
import type { Wire } from '../kernel/wire.ts'
import { collectsIn } from './tax-registrations.ts'
import { discounts, renderDiscount } from './discounts.ts'
import type { Address } from './payment-method-row.ts'

export interface CustomerRow extends Row {
  readonly address: Address | null
  /** Minor units by currency, with Stripe's sign for `balance`: negative is credit. */
  readonly balances: Readonly<Record<string, number>>
  readonly business_name: string | null
  /**
   * The first subscription, invoice or balance sets it. It is locked as long as an object bills in
   * it.
   */
  readonly currency: string | null
  readonly default_source: string | null
  readonly deleted: boolean
  readonly delinquent: boolean
  readonly description: string | null
  /** The id of a discount. */
  readonly discount: string | null
  readonly email: string | null
  readonly individual_name: string | null
  readonly invoice_prefix: string
  readonly invoice_settings: {
    readonly custom_fields: readonly { readonly name: string; readonly value: string }[] | null
    readonly default_payment_method: string | null
    readonly footer: string | null
    readonly rendering_options: { readonly amount_tax_display: string | null; readonly template: string | null } | null
  }
  readonly ip_address: string | null
  readonly metadata: Metadata
  readonly name: string | null
  readonly next_invoice_sequence: number
  readonly phone: string | null
  readonly preferred_locales: readonly string[]
  readonly shipping: { readonly address: Address; readonly name: string; readonly phone: string | null } | null
  readonly tax_exempt: 'exempt' | 'none' | 'reverse'
  /** The clock at whose time the customer lives; absent in the world's own time. */
  readonly test_clock?: string
}

export const customers: TableDefinition<CustomerRow> = {
  name: 'customers',
  indexes: {
    email: (row) => (row.deleted ? undefined : (row.email ?? undefined)),
    test_clock: (row) => (row.deleted ? undefined : row.test_clock),
  },
}

/** The test clock of a customer, as their objects show it. */
export function clockOfCustomer(context: Context, id: string): string | null {
  return context.table(customers).get(id)?.test_clock ?? null
}

/** A customer that is not deleted, or `resource_missing`. */
export function customer(context: Context, id: string, param?: string): CustomerRow {
  const row = context.table(customers).get(id)
  if (row === undefined || row.deleted) throw missing('customer', id, param)
  return row
}

/**
 * Narrows a list to one customer, also a deleted one. A customer that the account never had is
 * refused like any unknown id.
 */
export function ofCustomer(context: Context, id: string | undefined): { readonly by?: readonly ['customer', string] } {
  if (id === undefined) return {}
  if (context.world.unsure.list_refuses_unknown_customer && !context.table(customers).has(id))
    throw missing('customer', id, 'customer')
  return { by: ['customer', id] }
}

/** Writes a changed customer and emits the event. */
export function changeCustomer(context: Context, row: CustomerRow, change: Partial<CustomerRow>): CustomerRow {
  const changed = context.table(customers).put({ ...row, ...change })
  context.emit(
    'customer.updated',
    () => renderCustomer(context, changed),
    () => renderCustomer(context, row),
  )
  return changed
}

/** Writes a new customer with default values for what is not given. Emits no event. */
export function newCustomer(context: Context, about: Partial<CustomerRow>): CustomerRow {
  const id = about.id ?? context.newId('cus')
  return context.table(customers).put({
    address: null,
    balances: {},
    business_name: null,
    currency: null,
    default_source: null,
    deleted: false,
    delinquent: false,
    description: null,
    discount: null,
    email: null,
    individual_name: null,
    invoice_prefix: id.replace('cus_', '').slice(0, 8).toUpperCase(),
    invoice_settings: { custom_fields: null, default_payment_method: null, footer: null, rendering_options: null },
    ip_address: null,
    metadata: {},
    name: null,
    next_invoice_sequence: 1,
    phone: null,
    preferred_locales: [],
    shipping: null,
    tax_exempt: 'none',
    created: context.now,
    ...about,
    id,
  })
}

/** The balance in the customer's own currency. */
export function balanceOf(context: Context, row: CustomerRow): number {
  return row.balances[row.currency ?? context.account.settings.default_currency] ?? 0
}

/** The customer's location for Stripe Tax; null when the address is too vague. */
export function taxLocation(row: CustomerRow): { country: string; state: string | null; source: string } | null {
  const [address, source] =
    row.shipping?.address.country == null
      ? [row.address, 'billing_address']
      : [row.shipping.address, 'shipping_destination']
  const country = address?.country ?? null
  if (address === null || country === null || !/^[A-Z]{2}$/.test(country)) return null
  // In the United States and Canada, tax needs more than the country.
  if ((country === 'US' || country === 'CA') && address.postal_code === null && address.state === null) return null
  return { country, state: address.state, source }
}

/** A customer read by id; a deleted one has only its id and `deleted`. */
export function renderAnyCustomer(context: Context, row: CustomerRow): object {
  return row.deleted ? { id: row.id, object: 'customer', deleted: true } : renderCustomer(context, row)
}

/**
 * Their own modules make the lists of sources, tax ids and subscriptions when they are expanded.
 */
export function renderCustomer(
  context: Context,
  row: CustomerRow,
): Wire<Omit<Stripe.Customer, 'sources' | 'subscriptions' | 'tax_ids' | 'cash_balance'>> {
  const discount = row.discount === null ? undefined : context.table(discounts).get(row.discount)
  return {
    id: row.id,
    object: 'customer',
    address: row.address,
    balance: balanceOf(context, row),
    ...(row.business_name === null ? {} : { business_name: row.business_name }),
    created: row.created,
    currency: row.currency,
    customer_account: null,
    default_source: row.default_source,
    delinquent: row.delinquent,
    description: row.description,
    discount: discount === undefined ? null : renderDiscount(context, discount),
    email: row.email,
    ...(row.individual_name === null ? {} : { individual_name: row.individual_name }),
    // The opposite sign of `balance`: positive is credit.
    invoice_credit_balance: Object.fromEntries(
      Object.entries(row.balances).flatMap(([name, amount]) => (amount === 0 ? [] : [[name, -amount]])),
    ),
    invoice_prefix: row.invoice_prefix,
    invoice_settings: row.invoice_settings,
    livemode: context.livemode,
    metadata: row.metadata,
    name: row.name,
    next_invoice_sequence: row.next_invoice_sequence,
    phone: row.phone,
    preferred_locales: row.preferred_locales,
    shipping: row.shipping,
    tax: renderTax(context, row),
    tax_exempt: row.tax_exempt,
    test_clock: row.test_clock ?? null,
  }
}

function renderTax(context: Context, row: CustomerRow): Wire<Stripe.Customer.Tax> {
  const location = taxLocation(row)
  const registered = location !== null && collectsIn(context).has(location.country)
  return {
    automatic_tax: location === null ? 'unrecognized_location' : registered ? 'supported' : 'not_collecting',
    ip_address: row.ip_address,
    location,
    provider: 'stripe',
  }
}
