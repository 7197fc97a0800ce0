// The PAN copy between two accounts, as the Dashboard does it: customers under the same ids,
// payment methods under new ones, a CSV that maps them, and nothing else.
// https://docs.stripe.com/get-started/data-migrations/pan-copy-self-serve
import { Context } from './kernel/context.ts'
import { ControlRefusal, textOf } from './kernel/control.ts'
import type { ControlInput, Module } from './kernel/module.ts'
import type { Row, TableDefinition } from './kernel/tables.ts'
import type { World } from './kernel/world.ts'
import { type CustomerRow, customers, newCustomer } from './stripe/customer-row.ts'
import { type PaymentMethodRow, fingerprint, newPaymentMethod, paymentMethods } from './stripe/payment-method-row.ts'

/** What the copy did with one payment object of the source; kept in the recipient's account. */
interface CopiedRow extends Row {
  readonly source: string
  readonly customer: string
  readonly copy: string
}

const copied: TableDefinition<CopiedRow> = { name: 'copied', indexes: { source: (row) => row.source } }
/**
 * Customers that the copy brought. A customer that the recipient deleted afterwards is not
 * restored.
 */
interface BroughtRow extends Row {
  readonly source: string
}
const brought: TableDefinition<BroughtRow> = { name: 'copied_customers' }

export interface CopyOptions {
  readonly from: string
  readonly to: string
  /** Only these customers. */
  readonly customers?: readonly string[]
  /**
   * The recipient declared that it holds the mandates. Without them ACH and SEPA payment methods
   * are not copied. Default true.
   */
  readonly mandates?: boolean
  /** Copies the customers' default payment methods. Default: the world's `copy_brings_defaults`. */
  readonly defaults?: boolean
  /**
   * The file lists only what this copy brought. Default: the world's `second_copy_repeats_rows`.
   */
  readonly only_new?: boolean
  /**
   * 6: the file that Stripe returns today, with columns for accounts of API v2 and a row with blank
   * source cells for a customer without a payment method (recorded 2026-09-11). 4, the default: the
   * columns that the documentation names.
   */
  readonly columns?: 4 | 6
}

const fourColumns = ['customer_id_old', 'source_id_old', 'customer_id_new', 'source_id_new'] as const
const sixColumns = [
  'customer_id_old',
  'v2_account_id_old',
  'source_id_old',
  'customer_id_new',
  'v2_account_id_new',
  'source_id_new',
] as const

/**
 * Copies and returns the mapping file. A second copy brings new customers and new payment methods
 * only.
 */
export function copyCustomers(world: World, options: CopyOptions): string {
  const [from, to] = [new Context(world, world.account(options.from)), new Context(world, world.account(options.to))]
  const before = new Set([...to.table(copied).all()].map((row) => row.id))
  const wanted = options.customers === undefined ? undefined : new Set(options.customers)
  const sources = [...from.table(customers).oldest()].filter((row) => !row.deleted && (wanted?.has(row.id) ?? true))
  for (const customer of sources) {
    if (!copyCustomer(to, customer, options.from)) continue
    for (const method of from.table(paymentMethods).by('customer', customer.id))
      if (copies(method, options.mandates ?? true) && to.table(copied).get(method.id) === undefined)
        copyMethod(to, method, options.from)
    if (options.defaults ?? world.unsure.copy_brings_defaults) copyDefaults(to, customer)
  }
  const onlyNew = options.only_new ?? !world.unsure.second_copy_repeats_rows
  const rows = [...to.table(copied).oldest()].filter(
    (row) => row.source === options.from && (!onlyNew || !before.has(row.id)),
  )
  const lines = rows.map((row) => cellsOf(row.customer, row.id, row.copy))
  const withMethod = new Set(rows.map((row) => row.customer))
  const bare = options.columns === 6 ? sources.filter(({ id }) => !withMethod.has(id)) : []
  const columns = options.columns === 6 ? sixColumns : fourColumns
  return [
    columns,
    ...[...lines, ...bare.map(({ id }) => cellsOf(id, '', ''))].map((one) => columns.map((name) => one[name])),
  ]
    .map((cells) => `${cells.join(',')}\n`)
    .join('')
}

function cellsOf(customer: string, old: string, copy: string): Record<(typeof sixColumns)[number], string> {
  return {
    customer_id_old: customer,
    v2_account_id_old: '',
    source_id_old: old,
    customer_id_new: customer,
    v2_account_id_new: '',
    source_id_new: copy,
  }
}

/**
 * False when the customer was copied before and deleted since. Copies name, e-mail address, phone,
 * address and metadata, and nothing else.
 */
function copyCustomer(to: Context, source: CustomerRow, from: string): boolean {
  const known = to.table(customers).get(source.id)
  if (known !== undefined) return !known.deleted
  if (to.table(brought).has(source.id)) return false
  const { id, name, email, phone, address, metadata } = source
  newCustomer(to, { id, name, email, phone, address, metadata })
  to.table(brought).put({ id, created: to.now, source: from })
  return true
}

function copies(method: PaymentMethodRow, mandates: boolean): boolean {
  if (method.detached) return false
  if (method.form === 'bank_account') return mandates
  switch (method.type) {
    case 'card':
      return true
    case 'us_bank_account':
      return mandates
    case 'sepa_debit':
      return mandates && method.form === 'payment_method'
    default:
      // Link, Bacs, ACSS and all other types that the documentation does not name as copied.
      return false
  }
}

function copyMethod(to: Context, method: PaymentMethodRow, from: string): void {
  const { id, created: _, customer, card, details, ...about } = method
  const made = newPaymentMethod(to, {
    ...about,
    // Mandates are not copied, and a card issued in India pays nothing without one
    // (docs.stripe.com/india-recurring-payments).
    ...(card?.country === 'IN' ? { temper: { ...about.temper, declines: noMandate } } : {}),
    customer,
    // The same card number has another fingerprint in each account.
    card: card === null ? null : { ...card, fingerprint: fingerprint(to, `${card.brand}${card.last4}`) },
    details: details['fingerprint'] ? { ...details, fingerprint: fingerprint(to, details['fingerprint']) } : details,
  })
  to.table(copied).put({ id, created: to.now, source: from, customer: customer ?? '', copy: made.id })
}

const noMandate = {
  code: 'authentication_required',
  decline_code: 'authentication_required',
  from: null,
  times: null,
}

function copyDefaults(to: Context, source: CustomerRow): void {
  const row = to.table(customers).get(source.id)
  if (row === undefined) return
  const copyOf = (id: string | null): string | null => (id === null ? null : (to.table(copied).get(id)?.copy ?? null))
  to.table(customers).put({
    ...row,
    default_source: row.default_source ?? copyOf(source.default_source),
    invoice_settings: {
      ...row.invoice_settings,
      default_payment_method:
        row.invoice_settings.default_payment_method ?? copyOf(source.invoice_settings.default_payment_method),
    },
  })
}

export const copyModule: Module = {
  control: { 'POST copy': (world, input) => world.transact(() => copyCustomers(world, optionsFrom(world, input))) },
}

function optionsFrom(world: World, input: ControlInput): CopyOptions {
  const known = ['from', 'to', 'customers', 'mandates', 'defaults', 'only_new', 'columns']
  const stranger = Object.keys(input).find((name) => !known.includes(name))
  if (stranger !== undefined) throw new ControlRefusal(`a copy has no option "${stranger}"`)
  const [from, to] = [textOf(input, 'from'), textOf(input, 'to')]
  for (const name of [from, to]) if (!world.accounts.has(name)) throw new ControlRefusal(`no account "${name}"`)
  if (from === to) throw new ControlRefusal('an account cannot be copied to itself')
  const { customers: chosen } = input
  if (chosen !== undefined && !(Array.isArray(chosen) && chosen.every((id) => typeof id === 'string')))
    throw new ControlRefusal('"customers" must be a list of customer ids')
  return {
    from,
    to,
    ...(chosen === undefined ? {} : { customers: chosen }),
    mandates: input['mandates'] !== false,
    ...(typeof input['defaults'] === 'boolean' ? { defaults: input['defaults'] } : {}),
    ...(typeof input['only_new'] === 'boolean' ? { only_new: input['only_new'] } : {}),
    columns: columnsOf(input['columns']),
  }
}

function columnsOf(given: unknown): 4 | 6 {
  if (given === undefined || given === 4) return 4
  if (given === 6) return 6
  throw new ControlRefusal('"columns" must be 4 or 6')
}
