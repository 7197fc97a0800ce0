// Invoices created through the API (https://docs.stripe.com/api/invoices/create): from pending
// items, or empty.
import type { Context } from '../kernel/context.ts'
import { invalid } from '../kernel/errors.ts'
import {
  currency,
  emptyable,
  fields,
  flag,
  int,
  list,
  mergeMetadata,
  metadata,
  oneOf,
  required,
  text,
  time,
  type Parsed,
} from '../kernel/params.ts'
import { openDraft } from './billing/collecting.ts'
import { blank, pendingFor, withTotals } from './billing/composing.ts'
import { checkCurrency, heldCurrency } from './billing/currency-lock.ts'
import { chooseDiscounts, reductionsOf, running, takeUp } from './billing/discounts.ts'
import { checkedRates } from './billing/items.ts'
import { pendingLine } from './billing/lines.ts'
import { checkMethodOf, liveCustomer, settleCurrency } from './billing/lookups.ts'
import { realMint } from './billing/mint.ts'
import {
  invoiceItems,
  subscriptions,
  type InvoiceItemRow,
  type InvoiceRow,
  type SubscriptionRow,
} from './billing/rows.ts'
import { mustLocate } from './billing/tax-of.ts'
import { discountsGiven } from './subscription-params.ts'

export const createInvoiceParams = fields({
  auto_advance: flag(),
  automatic_tax: fields({ enabled: required(flag()) }),
  collection_method: oneOf('charge_automatically', 'send_invoice'),
  currency,
  custom_fields: emptyable(list(fields({ name: required(text()), value: required(text()) }), { max: 4 })),
  customer: required(text()),
  days_until_due: int({ min: 0 }),
  default_payment_method: text(),
  default_source: text(),
  default_tax_rates: list(text(), { max: 10 }),
  description: text(),
  discounts: discountsGiven,
  due_date: time(),
  footer: text(),
  metadata: metadata(),
  pending_invoice_items_behavior: oneOf('exclude', 'include'),
  statement_descriptor: text({ max: 22 }),
  subscription: text(),
})
type Given = Parsed<typeof createInvoiceParams>

/**
 * A draft of the customer's pending items (`include`, or those of a subscription), or an empty one.
 */
export function createInvoice(context: Context, given: Given): InvoiceRow {
  const customer = liveCustomer(context, given.customer, 'customer')
  const subscription = subscriptionNamed(context, given)
  const inCurrency =
    given.currency ??
    subscription?.currency ??
    heldCurrency(context, customer.id) ??
    context.account.settings.default_currency
  checkCurrency(context, customer.id, inCurrency)
  checkTerms(context, given, customer.id)
  if (given.automatic_tax?.enabled === true) mustLocate(context, customer)
  const pending = itemsOf(context, given, { subscription, currency: inCurrency })
  if (subscription !== null && pending.length === 0)
    throw invalid('Nothing to invoice for subscription', { code: 'invoice_no_subscription_line_items' })
  const id = context.newId('in')
  const shared = reductionsOf(context, sharedOf(context, given, { id, discount: customer.discount }), context.now)
  const method = given.collection_method ?? 'charge_automatically'
  const row = withTotals(context, {
    ...blank(context, customer.id, inCurrency),
    id,
    subscription: subscription?.id ?? null,
    subscription_metadata: subscription?.metadata ?? {},
    auto_advance: given.auto_advance ?? false,
    collection_method: method,
    days_until_due: daysOf(context, given),
    default_payment_method: given.default_payment_method ?? null,
    default_source: given.default_source ?? null,
    default_tax_rates: checkedRates(context, given.default_tax_rates, 'default_tax_rates'),
    automatic_tax: {
      enabled: given.automatic_tax?.enabled ?? false,
      status: given.automatic_tax?.enabled === true ? 'complete' : null,
    },
    custom_fields: given.custom_fields ?? null,
    description: given.description ?? null,
    footer: given.footer ?? null,
    metadata: mergeMetadata({}, given.metadata),
    statement_descriptor: given.statement_descriptor ?? null,
    drafts: pending.map((item) =>
      pendingLine(context, withRates(item, given), {
        subscription,
        customer: customer.id,
        at: context.now,
        automatic: given.automatic_tax?.enabled ?? false,
      }),
    ),
    shared,
  })
  for (const item of pending) context.table(invoiceItems).put({ ...item, invoice: id })
  settleCurrency(context, customer.id, inCurrency)
  return openDraft(context, row)
}

function withRates(item: InvoiceItemRow, given: Given): InvoiceItemRow {
  return item.tax_rates.length > 0 || given.default_tax_rates === undefined
    ? item
    : { ...item, tax_rates: given.default_tax_rates }
}

function subscriptionNamed(context: Context, given: Given): SubscriptionRow | null {
  if (given.subscription === undefined) return null
  const row = context.table(subscriptions).get(given.subscription)
  if (row?.customer !== given.customer)
    throw invalid(`No such subscription: '${given.subscription}'`, { code: 'resource_missing', param: 'subscription' })
  return row
}

function itemsOf(
  context: Context,
  given: Given,
  about: { subscription: SubscriptionRow | null; currency: string },
): InvoiceItemRow[] {
  if (about.subscription !== null) return pendingFor(context, about.subscription)
  if (given.pending_invoice_items_behavior !== 'include') return []
  return context
    .table(invoiceItems)
    .by('pending', given.customer)
    .filter((item) => item.currency === about.currency)
}

/** Default: the discount of the customer (https://docs.stripe.com/api/invoices/create). */
function sharedOf(context: Context, given: Given, about: { id: string; discount: string | null }): string[] {
  if (given.discounts === null) return []
  if (given.discounts === undefined)
    return about.discount === null ? [] : running(context, [about.discount], context.now).map((row) => row.id)
  const asker = { customer: given.customer, mint: realMint(context), at: 'discounts' }
  const chosen = chooseDiscounts(context, given.discounts, asker)
  return takeUp(context, chosen, { customer: given.customer, invoice: about.id, start: context.now }, asker.mint)
}

function checkTerms(context: Context, given: Given, customer: string): void {
  const sent = given.collection_method === 'send_invoice'
  const due = given.days_until_due !== undefined || given.due_date !== undefined
  if (sent && !due)
    throw invalid('You must pass `days_until_due` or `due_date` when `collection_method` is `send_invoice`.', {
      code: 'parameter_missing',
      param: 'days_until_due',
    })
  if (!sent && due)
    throw invalid('`days_until_due` can only be set if `collection_method` is `send_invoice`.', {
      param: 'days_until_due',
    })
  for (const param of ['default_payment_method', 'default_source'] as const) {
    const id = given[param]
    if (id !== undefined) checkMethodOf(context, id, { customer, param })
  }
}

function daysOf(context: Context, given: Given): number | null {
  if (given.due_date !== undefined) return Math.max(0, Math.ceil((given.due_date - context.now) / 86_400))
  return given.days_until_due ?? null
}
