// The next invoice: of a subscription as it is, after a change, or of one that does not exist yet.
// https://docs.stripe.com/api/invoices/create_preview
import type { Context } from '../../kernel/context.ts'
import { invalid, StripeError } from '../../kernel/errors.ts'
import {
  currency,
  fields,
  flag,
  int,
  list,
  metadata,
  oneOf,
  required,
  text,
  time,
  type Parsed,
} from '../../kernel/params.ts'
import { renderInvoice } from '../invoice-view.ts'
import { customerDetails, withDetails } from '../preview-customer.ts'
import {
  discountsGiven,
  oncePriceData,
  previewSubscription,
  type CreateGiven,
  type ItemGiven,
  type PreviewSubscription,
  type UpdateGiven,
} from '../subscription-params.ts'
import { planChange } from './changing.ts'
import { composeInvoice, pendingFor } from './composing.ts'
import { layOut } from './creating.ts'
import { planRenewal, planTrialEnd } from './cycling.ts'
import { chooseDiscounts, forget, reductionsOf, takeUp } from './discounts.ts'
import { onceCosts } from './extras.ts'
import { liveCustomer } from './lookups.ts'
import { previewMint, type Mint } from './mint.ts'
import { payingMethod } from './paying.ts'
import { subscriptions, type InvoiceItemRow, type InvoiceRow, type SubscriptionRow } from './rows.ts'
import type { LineDraft } from './totals.ts'

export const previewParams = fields({
  automatic_tax: fields({ enabled: required(flag()) }),
  currency,
  customer: text(),
  customer_details: customerDetails,
  discounts: discountsGiven,
  invoice_items: list(
    fields({
      amount: int(),
      currency,
      description: text(),
      discountable: flag(),
      metadata: metadata(),
      period: fields({ end: required(time()), start: required(time()) }),
      price: text(),
      price_data: oncePriceData,
      quantity: int({ min: 0 }),
    }),
    { max: 250 },
  ),
  preview_mode: oneOf('next', 'recurring'),
  subscription: text(),
  subscription_details: previewSubscription,
})
type PreviewGiven = Parsed<typeof previewParams>

/** The parts of a previewed invoice. */
interface Upcoming {
  readonly row: SubscriptionRow
  readonly lines: readonly LineDraft[]
  readonly pending: readonly InvoiceItemRow[]
  readonly at: number
  readonly since?: number
  readonly period: { readonly start: number; readonly end: number }
}

export function preview(context: Context, given: PreviewGiven): object {
  const mint = previewMint()
  try {
    const customer = given.customer ?? context.table(subscriptions).get(given.subscription ?? '')?.customer
    const invoice = (): object => renderInvoice(context, compose(context, given, mint))
    return customer === undefined ? invoice() : withDetails(context, customer, given.customer_details, invoice)
  } finally {
    forget(
      context,
      mint.used.filter((id) => id.startsWith('di_')),
    )
  }
}

function compose(context: Context, given: PreviewGiven, mint: Mint): InvoiceRow {
  const found = given.subscription === undefined ? hypothetical(context, given, mint) : existing(context, given, mint)
  const extra = (given.invoice_items ?? []).map((item, index) => extraItem(context, item, { found, mint, index }))
  const recurring = given.preview_mode === 'recurring'
  const { row, at } = found
  const chosen =
    given.discounts === undefined
      ? undefined
      : chooseDiscounts(context, given.discounts ?? [], { customer: row.customer, mint, at: 'discounts' })
  const shared =
    chosen === undefined
      ? undefined
      : reductionsOf(context, takeUp(context, chosen, { customer: row.customer, start: at }, mint), at)
  const invoice = composeInvoice(context, row, {
    id: `upcoming_in_${row.id.replace(/^sub_/, '')}`,
    reason: 'upcoming',
    lines: found.lines,
    pending: recurring ? [] : [...found.pending, ...extra],
    period: found.period,
    at,
    since: found.since ?? at,
    ...(shared === undefined ? {} : { shared }),
  })
  return { ...invoice, finalizes_at: at + context.account.settings.draft_seconds }
}

function existing(context: Context, given: PreviewGiven, mint: Mint): Upcoming {
  const row = context.table(subscriptions).get(given.subscription ?? '')
  if (row === undefined) throw noSubscription(given.subscription ?? '')
  if (given.customer !== undefined && given.customer !== row.customer) throw noSubscription(row.id)
  const details = given.subscription_details ?? {}
  if (row.status === 'canceled' || row.status === 'incomplete_expired' || row.status === 'paused')
    throw none(row.customer)
  if (details.cancel_now === true) return ending(context, row)
  const change = planChange(context, row, changeGiven(details), mint)
  const pending = [...pendingFor(context, change.row), ...change.items]
  const now = context.now
  if (change.bill) return { row: change.row, lines: change.lines, pending, at: now, period: { start: now, end: now } }
  return { ...upcoming(context, change.row, pending), pending }
}

function noSubscription(id: string): StripeError {
  return invalid(`No such subscription: '${id}'`, { code: 'resource_missing', param: 'subscription' })
}

function none(customer: string): StripeError {
  return new StripeError(404, {
    type: 'invalid_request_error',
    code: 'invoice_upcoming_none',
    message: `No upcoming invoices for customer: ${customer}`,
  })
}

/** At the end, only pending items are billed. */
function ending(context: Context, row: SubscriptionRow, at = context.now): Upcoming {
  const pending = pendingFor(context, row).filter((item) => item.subscription === row.id)
  if (pending.length === 0) throw none(row.customer)
  return { row, lines: [], pending, at, period: { start: row.items[0]?.current_period_start ?? at, end: at } }
}

/** The details of a preview as the equivalent update. */
function changeGiven(details: PreviewSubscription): UpdateGiven {
  const {
    billing_cycle_anchor: anchor,
    billing_mode: _mode,
    cancel_now: _cancel,
    resume_at,
    start_date,
    ...rest
  } = details
  if (anchor?.type === 'timestamp' || start_date !== undefined || resume_at !== undefined)
    throw invalid('This can only be previewed for a subscription that does not exist yet.', {
      param: 'subscription_details',
    })
  return { ...rest, ...(anchor === undefined ? {} : { billing_cycle_anchor: { type: anchor.type } }) }
}

/** The next invoice that the clock creates for a subscription. */
function upcoming(
  context: Context,
  row: SubscriptionRow,
  pending: readonly InvoiceItemRow[],
): Omit<Upcoming, 'pending'> {
  const end = Math.min(...row.items.map((item) => item.current_period_end))
  if (row.cancel_at !== null && row.cancel_at <= end) {
    const at = row.cancel_at
    if (!pending.some((item) => item.subscription === row.id)) throw none(row.customer)
    return { row, lines: [], at, period: { start: row.items[0]?.current_period_start ?? at, end: at } }
  }
  if (row.status === 'trialing') {
    // No invoice follows a trial that ends in a cancellation (recorded: `invoice_upcoming_none`).
    if (endsWithTrial(context, row) && !pending.some((item) => item.subscription === row.id)) throw none(row.customer)
    const next = planTrialEnd(context, row)
    if (next.free) return upcoming(context, next.after, pending)
    return { row: next.after, lines: next.lines, at: next.period.end, period: next.period }
  }
  const next = planRenewal(context, row, end)
  return { row: next.after, lines: next.lines, at: end, period: next.period }
}

/** Whether a trial ends in a cancellation because there is no payment method. */
function endsWithTrial(context: Context, row: SubscriptionRow): boolean {
  if (row.trial_missing !== 'cancel' || row.collection_method !== 'charge_automatically') return false
  const { customer, default_payment_method, default_source } = row
  return payingMethod(context, { customer, subscription: null, default_payment_method, default_source }) === null
}

function hypothetical(context: Context, given: PreviewGiven, mint: Mint): Upcoming {
  const details = given.subscription_details
  if (given.customer === undefined)
    throw invalid('You must pass `customer` or `subscription` to preview an invoice.', { param: 'customer' })
  if (details?.items === undefined) return ofItems(context, given)
  const { row, first, added } = layOut(context, createGiven(given, details, given.customer), mint)
  const pending = [...pendingFor(context, row), ...added]
  const { now } = context
  if (first !== null) {
    const period = { start: now, end: now }
    return { row, lines: first.lines, pending, at: now, since: row.start_date, period }
  }
  return { ...upcoming(context, row, pending), pending }
}

/** A preview of pending items alone; refused without such items. */
function ofItems(context: Context, given: PreviewGiven): Upcoming {
  const customer = liveCustomer(context, given.customer ?? '', 'customer').id
  const [row] = context.table(subscriptions).by('live', customer)
  if (row === undefined) throw none(customer)
  const pending = pendingFor(context, row)
  return { ...upcoming(context, row, pending), pending }
}

function createGiven(given: PreviewGiven, details: PreviewSubscription, customer: string): CreateGiven {
  const { billing_cycle_anchor: anchor, items, start_date } = details
  const future = (items ?? []).map(({ id: _id, deleted: _deleted, clear_usage: _usage, ...item }): ItemGiven => item)
  return {
    customer,
    items: future,
    ...(given.currency === undefined ? {} : { currency: given.currency }),
    ...(given.discounts === undefined ? {} : { discounts: given.discounts }),
    ...(given.automatic_tax === undefined ? {} : { automatic_tax: given.automatic_tax }),
    ...(anchor?.timestamp === undefined ? {} : { billing_cycle_anchor: anchor.timestamp }),
    ...(start_date === undefined ? {} : { backdate_start_date: start_date }),
    ...(details.billing_mode === undefined ? {} : { billing_mode: details.billing_mode }),
    ...(details.cancel_at === undefined || details.cancel_at === null ? {} : { cancel_at: details.cancel_at }),
    ...(details.cancel_at_period_end === undefined ? {} : { cancel_at_period_end: details.cancel_at_period_end }),
    ...(details.default_tax_rates === undefined ? {} : { default_tax_rates: details.default_tax_rates }),
    ...(details.metadata === undefined ? {} : { metadata: details.metadata }),
    ...(details.proration_behavior === undefined ? {} : { proration_behavior: details.proration_behavior }),
    ...(details.trial_end === undefined ? {} : { trial_end: details.trial_end }),
  }
}

type ExtraGiven = NonNullable<PreviewGiven['invoice_items']>[number]

function extraItem(
  context: Context,
  given: ExtraGiven,
  about: { found: Upcoming; mint: Mint; index: number },
): InvoiceItemRow {
  const { row } = about.found
  const at = `invoice_items[${about.index}]`
  const costs =
    given.amount === undefined
      ? onceCosts(context, given, { currency: row.currency, at })
      : { price: null, product: null, unit: String(given.amount), amount: given.amount, name: null }
  return {
    id: about.mint.id('ii'),
    created: context.now,
    customer: row.customer,
    subscription: row.id,
    subscription_item: null,
    invoice: null,
    amount: costs.amount,
    currency: row.currency,
    description: given.description ?? costs.name,
    discountable: given.discountable ?? costs.amount >= 0,
    discounts: [],
    metadata: {},
    period: given.period ?? { start: context.now, end: context.now },
    price: costs.price,
    product: costs.product,
    unit_amount_decimal: costs.unit,
    proration: false,
    quantity: given.quantity ?? 1,
    tax_rates: [],
  }
}
