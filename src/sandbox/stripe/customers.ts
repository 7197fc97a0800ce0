// https://docs.stripe.com/api/customers
import { isDeepStrictEqual } from 'node:util'
import type { Context } from '../kernel/context.ts'
import { testClocks } from '../kernel/clock-rows.ts'
import { invalid, missing } from '../kernel/errors.ts'
import { listPage, paging } from '../kernel/lists.ts'
import { route, type Module } from '../kernel/module.ts'
import {
  emptyable,
  fields,
  flag,
  inRange,
  int,
  list,
  mergeMetadata,
  metadata,
  oneOf,
  range,
  required,
  text,
  type Parsed,
} from '../kernel/params.ts'
import { searchRoute } from '../kernel/search.ts'
import { addressFields } from './address.ts'
import { adjustBalance } from './customer-balance.ts'
import {
  balanceOf,
  changeCustomer,
  customer,
  customers,
  newCustomer,
  renderAnyCustomer,
  renderCustomer,
  taxLocation,
  type CustomerRow,
} from './customer-row.ts'
import { discounts, renderDiscount } from './discounts.ts'
import { attach, detach, useToken } from './attaching.ts'
import { noAddress, paymentMethods, type Address } from './payment-method-row.ts'
import { createSource } from './sources.ts'
import { createTaxId, taxIdFields } from './tax-ids.ts'

const shipping = fields({ address: required(addressFields), name: required(text()), phone: emptyable(text()) })
const invoiceSettings = fields({
  custom_fields: emptyable(
    list(fields({ name: required(text({ max: 40 })), value: required(text({ max: 140 })) }), { max: 4 }),
  ),
  default_payment_method: emptyable(text()),
  footer: emptyable(text()),
  rendering_options: emptyable(
    fields({ amount_tax_display: emptyable(oneOf('exclude_tax', 'include_inclusive_tax')), template: text() }),
  ),
})

const common = {
  address: emptyable(addressFields),
  balance: int(),
  business_name: emptyable(text({ max: 150 })),
  cash_balance: fields({ settings: fields({ reconciliation_mode: oneOf('automatic', 'manual', 'merchant_default') }) }),
  description: emptyable(text()),
  email: emptyable(text({ max: 512 })),
  individual_name: emptyable(text({ max: 150 })),
  invoice_prefix: text({ pattern: /^[A-Z0-9]{3,12}$/ }),
  invoice_settings: invoiceSettings,
  metadata: metadata(),
  name: emptyable(text({ max: 256 })),
  next_invoice_sequence: int({ min: 1 }),
  phone: emptyable(text({ max: 20 })),
  preferred_locales: list(text()),
  shipping: emptyable(shipping),
  source: text(),
  tax: fields({ ip_address: emptyable(text()), validate_location: oneOf('auto', 'deferred', 'immediately') }),
  tax_exempt: emptyable(oneOf('exempt', 'none', 'reverse')),
  validate: flag(),
}
const createFields = fields({
  ...common,
  payment_method: text(),
  tax_id_data: list(fields(taxIdFields), { max: 5 }),
  test_clock: text(),
})
const updateFields = fields({ ...common, default_source: text() })

export const customerModule: Module = {
  routes: [
    route('POST', '/v1/customers', {
      permission: 'customers',
      params: createFields,
      handle: (context, params) => renderCustomer(context, createCustomer(context, params)),
    }),
    route('GET', '/v1/customers/:id', {
      permission: 'customers',
      params: fields({}),
      handle(context) {
        const row = context.table(customers).get(context.id('id'))
        if (row === undefined) throw missing('customer', context.id('id'))
        return renderAnyCustomer(context, row)
      },
    }),
    route('POST', '/v1/customers/:id', {
      permission: 'customers',
      params: updateFields,
      handle: (context, params) =>
        renderCustomer(context, updateCustomer(context, customer(context, context.id('id')), params)),
    }),
    route('GET', '/v1/customers', {
      permission: 'customers',
      params: fields({ ...paging, created: range(), email: text(), test_clock: text() }),
      handle: (context, params) =>
        listPage(context, params, {
          table: customers,
          url: '/v1/customers',
          ...(params.email === undefined ? {} : { by: ['email', params.email] as const }),
          // Customers of a test clock are listed only with their clock.
          keep: (row) => !row.deleted && row.test_clock === params.test_clock && inRange(row.created, params.created),
          render: renderCustomer,
        }),
    }),
    route('DELETE', '/v1/customers/:id', {
      permission: 'customers',
      params: fields({}),
      handle(context) {
        const row = customer(context, context.id('id'))
        deleteCustomer(context, row)
        return { id: row.id, object: 'customer', deleted: true }
      },
    }),
    route('DELETE', '/v1/customers/:id/discount', {
      permission: 'customers',
      params: fields({}),
      handle: (context) => removeDiscount(context, customer(context, context.id('id'))),
    }),
    searchRoute(
      { table: customers, noun: 'customer', url: '/v1/customers', permission: 'customers', render: renderCustomer },
      {
        fields: { email: (row) => row.email, name: (row) => row.name, phone: (row) => row.phone },
        metadata: (row) => row.metadata,
        keep: (row) => !row.deleted,
      },
    ),
  ],
  objects: {
    cus: (context, id) => {
      const row = context.table(customers).get(id)
      return row === undefined ? undefined : renderAnyCustomer(context, row)
    },
  },
  includable: { customer: ['invoice_credit_balance', 'tax'] },
  includes: {
    customer: {
      cash_balance: (context, id) => ({
        object: 'cash_balance',
        available: null,
        customer: id,
        customer_account: null,
        livemode: context.livemode,
        settings: { reconciliation_mode: 'automatic', using_merchant_default: true },
      }),
    },
  },
}

function createCustomer(context: Context, params: Parsed<typeof createFields>): CustomerRow {
  const { balance, metadata: given, payment_method, source, tax_id_data } = params
  let row = newCustomer(context, {
    metadata: mergeMetadata({}, given),
    ...plainFields(params, undefined),
    ...(params.test_clock === undefined ? {} : { test_clock: roomOn(context, params.test_clock) }),
  })
  // A token creates one payment method per request, wherever the request names it.
  const tokens = new Map<string, string>()
  if (payment_method !== undefined) attach(context, useToken(context, payment_method, tokens), row.id)
  row = { ...row, invoice_settings: invoiceSettingsOf(context, row, params.invoice_settings, tokens) }
  checkTaxLocation(row, params.tax)
  context.table(customers).put(row)
  context.emit('customer.created', () => renderCustomer(context, row))
  for (const taxId of tax_id_data ?? []) createTaxId(context, row.id, taxId)
  if (source !== undefined)
    row = changeCustomer(context, row, { default_source: createSource(context, row.id, source).id })
  if (balance === undefined || balance === 0) return row
  const currency = context.account.settings.default_currency
  return adjustBalance(context, row, { amount: balance, currency, type: 'initial' }).customer
}

/** A clock that exists and holds fewer than three customers. */
function roomOn(context: Context, clock: string): string {
  if (!context.table(testClocks).has(clock)) throw missing('testclock', clock, 'test_clock')
  if (context.table(customers).count('test_clock', clock) < 3) return clock
  throw invalid('This test clock has reached the maximum number of customers (3).', { param: 'test_clock' })
}

function updateCustomer(context: Context, row: CustomerRow, params: Parsed<typeof updateFields>): CustomerRow {
  const { balance, default_source, source } = params
  const changed: CustomerRow = {
    ...row,
    metadata: mergeMetadata(row.metadata, params.metadata),
    ...plainFields(params, row),
    invoice_settings: invoiceSettingsOf(context, row, params.invoice_settings, new Map()),
  }
  checkTaxLocation(changed, params.tax)
  if (source !== undefined) Object.assign(changed, { default_source: createSource(context, row.id, source).id })
  if (default_source !== undefined) Object.assign(changed, { default_source: ownSource(context, row, default_source) })
  const written = isDeepStrictEqual(row, changed) ? row : changeCustomer(context, row, changed)
  if (source !== undefined) context.react('customer.new_source', row.id)
  const currency = row.currency ?? context.account.settings.default_currency
  const difference = balance === undefined ? 0 : balance - balanceOf(context, row)
  if (difference === 0) return written
  return adjustBalance(context, written, { amount: difference, currency, type: 'adjustment' }).customer
}

/** Fields that are stored as given. */
function plainFields(
  params: Parsed<typeof createFields> | Parsed<typeof updateFields>,
  row: CustomerRow | undefined,
): Partial<CustomerRow> {
  const { address, email, shipping: parcel, tax, tax_exempt } = params
  if (typeof email === 'string' && !/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(email))
    throw invalid(`Invalid email address: ${email}`, { code: 'email_invalid', param: 'email' })
  const plain = [
    'business_name',
    'description',
    'individual_name',
    'invoice_prefix',
    'name',
    'next_invoice_sequence',
    'phone',
    'preferred_locales',
  ] as const
  return {
    ...Object.fromEntries(plain.flatMap((key) => (params[key] === undefined ? [] : [[key, params[key]]]))),
    ...(email === undefined ? {} : { email }),
    ...(address === undefined ? {} : { address: addressOf(address, row?.address ?? null) }),
    ...(parcel === undefined
      ? {}
      : {
          shipping:
            parcel === null
              ? null
              : {
                  address: addressOf(parcel.address, null) ?? noAddress,
                  name: parcel.name,
                  phone: parcel.phone ?? null,
                },
        }),
    ...(tax?.ip_address === undefined ? {} : { ip_address: tax.ip_address }),
    ...(tax_exempt === undefined ? {} : { tax_exempt: tax_exempt ?? 'none' }),
  }
}

/** Given parts replace the old ones; the others stay. */
function addressOf(given: Parsed<typeof addressFields> | null, before: Address | null): Address | null {
  return given === null ? null : { ...noAddress, ...before, ...given }
}

function invoiceSettingsOf(
  context: Context,
  row: CustomerRow,
  given: Parsed<typeof invoiceSettings> | undefined,
  tokens: Map<string, string>,
): CustomerRow['invoice_settings'] {
  const { custom_fields, default_payment_method: id, footer, rendering_options } = given ?? {}
  const before = row.invoice_settings
  return {
    custom_fields: custom_fields === undefined ? before.custom_fields : custom_fields,
    default_payment_method:
      id === undefined
        ? before.default_payment_method
        : id === null
          ? null
          : ownPaymentMethod(context, row, tokens.get(id) ?? id),
    footer: footer === undefined ? before.footer : footer,
    rendering_options:
      rendering_options === undefined
        ? before.rendering_options
        : rendering_options === null
          ? null
          : {
              amount_tax_display: rendering_options.amount_tax_display ?? null,
              template: rendering_options.template ?? null,
            },
  }
}

function ownPaymentMethod(context: Context, row: CustomerRow, id: string): string {
  if (context.table(paymentMethods).get(id)?.customer === row.id) return id
  throw invalid(
    `The customer does not have a payment method with the ID ${id}. The payment method must be attached to the customer.`,
    { code: 'resource_missing', param: 'invoice_settings[default_payment_method]' },
  )
}

function ownSource(context: Context, row: CustomerRow, id: string): string {
  const source = context.table(paymentMethods).get(id)
  if (source?.customer === row.id && source.form !== 'payment_method') return id
  throw invalid(`No such source: '${id}'`, { code: 'resource_missing', param: 'default_source' })
}

function checkTaxLocation(row: CustomerRow, tax: Parsed<typeof common.tax> | undefined): void {
  const at = tax?.validate_location
  if (at === 'immediately' && taxLocation(row) === null)
    throw invalid(
      "The customer's location isn't recognized. Set a valid customer address in order to automatically calculate tax.",
      {
        code: 'customer_tax_location_invalid',
        param: 'tax[validate_location]',
      },
    )
}

/**
 * Payment methods are detached and subscriptions cancelled (by their own module); the deleted
 * customer can still be read.
 */
export function deleteCustomer(context: Context, row: CustomerRow): void {
  context.react('customer.deleted', row.id)
  for (const method of context.table(paymentMethods).by('customer', row.id)) detach(context, method)
  const last = customer(context, row.id)
  context.emit('customer.deleted', renderCustomer(context, last))
  context.table(customers).put({ ...last, deleted: true, email: null, name: null, phone: null, address: null })
}

function removeDiscount(context: Context, row: CustomerRow): object {
  const discount = row.discount === null ? undefined : context.table(discounts).get(row.discount)
  if (discount === undefined) throw missing('discount for customer', row.id)
  const { end: _, ...gone } = renderDiscount(context, discount)
  changeCustomer(context, row, { discount: null })
  context.emit('customer.discount.deleted', renderDiscount(context, discount))
  return { ...gone, deleted: true }
}
