// Creates a subscription: first everything is checked and planned, then it is written, billed and
// paid. https://docs.stripe.com/api/subscriptions/create
import { present } from '../../../core/assert.ts'
import type { Context } from '../../kernel/context.ts'
import { invalid, type StripeError } from '../../kernel/errors.ts'
import { mergeMetadata } from '../../kernel/params.ts'
import type { CreateGiven } from '../subscription-params.ts'
import { renderSubscription } from '../subscription-view.ts'
import { attempt, finalize, keepInvoice, openDraft, tellInvoice } from './collecting.ts'
import { composeInvoice, pendingFor } from './composing.ts'
import { checkCurrency } from './currency-lock.ts'
import { keepSubscription } from './cycling.ts'
import { checkMinimum, chooseDiscounts, takeUp, tellDiscounts, withoutSpent } from './discounts.ts'
import { addedItems } from './extras.ts'
import { askedItem, cadenceOf, checkedRates, checkTogether, commonCurrency, itemRow, type AskedItem } from './items.ts'
import { itemAmount, itemLine } from './lines.ts'
import { liveCustomer, priceFacts, settleCurrency } from './lookups.ts'
import type { Mint } from './mint.ts'
import { payingMethod } from './paying.ts'
import { declinedBy } from './refusals.ts'
import {
  invoiceItems,
  subscriptions,
  type InvoiceItemRow,
  type InvoiceRow,
  type ItemRow,
  type SubscriptionRow,
} from './rows.ts'
import { setUp } from '../setup-intents.ts'
import { firstPeriods, startOf, type Charged, type Start } from './starting.ts'
import { mustLocate } from './tax-of.ts'
import { checkCollection, checkMethods, endOf, nextPending, settingsGiven } from './terms.ts'
import type { LineDraft } from './totals.ts'

/**
 * What the first invoice charges for; null without a first invoice (anchor ahead, proration none).
 */
interface First {
  readonly lines: readonly LineDraft[]
  readonly trial: boolean
}

export interface Layout {
  readonly row: SubscriptionRow
  readonly first: First | null
  readonly added: readonly InvoiceItemRow[]
}

const mostLines = 250
/** A stretch of any length: it has the price of a whole period. */
const wholePeriod = { period: { start: 0, end: 1 } }

/**
 * Checks a request and plans the subscription and its first invoice. Writes only discounts (a
 * preview removes them).
 */
export function layOut(context: Context, given: CreateGiven, mint: Mint): Layout {
  const customer = liveCustomer(context, given.customer, 'customer')
  const asker = { customer: customer.id, mint }
  const mode = given.billing_mode?.type ?? 'flexible'
  const asked = (given.items ?? []).map((item, index) => askedItem(context, item, { ...asker, at: `items[${index}]` }))
  if (asked.length === 0) throw invalid('Missing required param: items.', { code: 'parameter_missing', param: 'items' })
  const prices = asked.map((item) => item.price)
  checkTogether(prices, mode)
  const currency = commonCurrency(prices, given.currency)
  checkCurrency(context, customer.id, currency)
  checkLimits(context, customer.id)
  checkCollection(given, customer)
  checkMethods(context, given, customer.id)
  if (given.automatic_tax?.enabled === true) {
    if ((given.default_tax_rates ?? []).length > 0 || asked.some((item) => item.tax_rates.length > 0))
      throw invalid('You cannot set tax rates when `automatic_tax[enabled]` is `true`.', { param: 'automatic_tax' })
    mustLocate(context, customer)
  }
  const begin = startOf(context, given, { prices, mode })
  const chosen =
    given.discounts === undefined || given.discounts === null
      ? []
      : chooseDiscounts(context, given.discounts, { ...asker, at: 'discounts' })
  const id = mint.id('sub')
  const discountStart = context.world.unsure.discount_starts_backdated ? begin.start : context.now
  const bare = bareRow(context, given, { id, currency, begin, mode })
  const plan = planItems(context, given, { asked, begin, row: bare, mint, discountStart })
  const row: SubscriptionRow = {
    ...bare,
    items: plan.items,
    discounts: takeUp(context, chosen, { customer: customer.id, subscription: id, start: discountStart }, mint),
  }
  const full = plan.items.reduce(
    (sum, item, index) =>
      sum + itemAmount(prices[index] ?? priceFacts(context, item.price), currency, item, wholePeriod),
    0,
  )
  checkMinimum(context, chosen, { amount: full, currency })
  const ended = endOf(context, given, { ...row, next_pending: nextPending(context, row) })
  const lines = linesOf(context, ended, plan.stretches)
  if (lines.length > mostLines)
    throw invalid(`The backdated range creates more than ${mostLines} line items.`, { param: 'backdate_start_date' })
  const trial = begin.trialEnd !== null
  return {
    row: ended,
    first: lines.length === 0 ? null : { lines, trial },
    added: addedItems(context, given.add_invoice_items, { subscription: ended, mint }),
  }
}

function checkLimits(context: Context, customer: string): void {
  if (context.table(subscriptions).count('live', customer) >= 500)
    throw invalid('A customer can have at most 500 active subscriptions.', { code: 'customer_max_subscriptions' })
}

function bareRow(
  context: Context,
  given: CreateGiven,
  about: { id: string; currency: string; begin: Start; mode: SubscriptionRow['billing_mode'] },
): SubscriptionRow {
  const { begin, mode } = about
  const behavior = given.trial_settings?.end_behavior
  return {
    id: about.id,
    created: context.now,
    customer: given.customer,
    status: begin.trialEnd === null ? 'active' : 'trialing',
    currency: about.currency,
    items: [],
    collection_method: given.collection_method ?? 'charge_automatically',
    days_until_due: given.days_until_due ?? null,
    billing_cycle_anchor: begin.anchor.at,
    billing_cycle_anchor_config: begin.config,
    billing_mode: mode,
    proration_discounts: given.billing_mode?.flexible?.proration_discounts ?? 'included',
    billing_mode_updated_at: null,
    start_date: begin.start,
    trial_start: begin.trialEnd === null ? null : begin.start,
    trial_end: begin.trialEnd,
    trial_missing: behavior?.missing_payment_method ?? 'create_invoice',
    trial_anchor: behavior?.billing_cycle_anchor ?? null,
    stub: given.proration_behavior === 'none' ? 'none' : 'create_prorations',
    cancel_at: null,
    cancel_at_period_end: given.cancel_at_period_end ?? false,
    canceled_at: given.cancel_at_period_end === true ? context.now : null,
    ended_at: null,
    cancellation_details: { comment: null, feedback: null, feedback_option: null, reason: null },
    default_payment_method: given.default_payment_method ?? null,
    default_source: given.default_source ?? null,
    default_tax_rates: checkedRates(context, given.default_tax_rates, 'default_tax_rates'),
    automatic_tax: { enabled: given.automatic_tax?.enabled ?? false, disabled_reason: null },
    description: given.description ?? null,
    discounts: [],
    latest_invoice: null,
    metadata: mergeMetadata({}, given.metadata),
    pause_collection: null,
    paused: null,
    ...settingsGiven(given),
    next_pending: null,
    application: null,
    application_fee_percent: given.application_fee_percent == null ? null : Number(given.application_fee_percent),
    on_behalf_of: given.on_behalf_of ?? null,
    transfer_data: given.transfer_data ?? null,
    schedule: null,
  }
}

interface ItemStretch {
  readonly item: ItemRow
  readonly charged: readonly Charged[]
}

function planItems(
  context: Context,
  given: CreateGiven,
  about: {
    asked: readonly AskedItem[]
    begin: Start
    row: SubscriptionRow
    mint: Mint
    discountStart: number
  },
): { items: ItemRow[]; stretches: ItemStretch[] } {
  const { begin, row, mint, discountStart } = about
  const free = given.proration_behavior === 'none'
  const cancelAt = typeof given.cancel_at === 'number' ? given.cancel_at : null
  const stretches = about.asked.map((asked) => {
    const when = { now: context.now, free, mode: row.billing_mode, cancelAt }
    const { charged, current } = firstPeriods(begin, cadenceOf(asked.price), when)
    const item = itemRow(context, asked, {
      mint,
      customer: row.customer,
      subscription: row.id,
      created: context.now,
      discountStart,
      ...current,
    })
    return { item, charged }
  })
  return { items: stretches.map((one) => one.item), stretches }
}

function linesOf(context: Context, row: SubscriptionRow, stretches: readonly ItemStretch[]): LineDraft[] {
  const at = context.now
  return stretches.flatMap(({ item, charged }) => {
    // Flexible mode has no zero line for a metered item that starts (billing mode comparison).
    if (row.billing_mode === 'flexible' && priceFacts(context, item.price).metered) return []
    if (row.status === 'trialing') {
      const period = { start: item.current_period_start, end: item.current_period_end }
      return [itemLine(context, row, item, { period, free: true, at })]
    }
    return charged.map(({ period, parts }) => {
      const lines = parts.map((part) => itemLine(context, row, item, { ...part, at: Math.min(at, part.period.start) }))
      const amount = lines.reduce((sum, line) => sum + line.amount, 0)
      return { ...present(lines[0], 'a part'), period, amount }
    })
  })
}

/** Writes a planned subscription and handles its first invoice as `payment_behavior` says. */
export function create(
  context: Context,
  given: CreateGiven,
  layout: Layout,
  how: { draftFirst?: boolean } = {},
): SubscriptionRow {
  const { first, added } = layout
  const row = { ...layout.row, ...setUpFor(context, given, layout) }
  keepSubscription(context, row)
  settleCurrency(context, row.customer, row.currency)
  for (const item of added) context.table(invoiceItems).put(item)
  context.emit('customer.subscription.created', () => renderSubscription(context, row))
  tellDiscounts(context, null, row)
  if (first === null) return row
  const { invoice, after } = firstInvoice(context, row, first)
  if (row.collection_method === 'send_invoice' || how.draftFirst === true) {
    openDraft(context, invoice)
    return after
  }
  const kept = keepInvoice(context, invoice)
  tellInvoice(context, 'invoice.created', kept)
  const open = finalize(context, kept)
  if (open.status === 'paid') return current(context, row.id)
  return payFirst(context, given, open)
}

/** Without an initial payment, the payment method is set up for the renewals. */
function setUpFor(context: Context, given: CreateGiven, layout: Layout): Pick<SubscriptionRow, 'setup_intent'> {
  const { row, first } = layout
  const paysNow = first !== null && !first.trial
  if (paysNow || row.collection_method !== 'charge_automatically') return {}
  const waits =
    given.payment_behavior === 'default_incomplete' &&
    context.world.unsure.setup_intent_with_default_incomplete === 'waits'
  // A default that was detached can no longer pay.
  const method = payingMethod(context, { customer: row.customer, subscription: null, ...ownMethods(row) })
  return { setup_intent: setUp(context, { customer: row.customer, method, confirm: !waits }) }
}

function ownMethods(row: SubscriptionRow): Pick<InvoiceRow, 'default_payment_method' | 'default_source'> {
  return { default_payment_method: row.default_payment_method, default_source: row.default_source }
}

function current(context: Context, id: string): SubscriptionRow {
  return present(context.table(subscriptions).get(id), id)
}

function firstInvoice(
  context: Context,
  row: SubscriptionRow,
  first: First,
): { invoice: InvoiceRow; after: SubscriptionRow } {
  const pending = pendingFor(context, row)
  const invoice = composeInvoice(context, row, {
    id: context.newId('in'),
    reason: 'subscription_create',
    lines: first.lines,
    pending,
    period: { start: context.now, end: context.now },
    at: context.now,
    since: row.start_date,
  })
  for (const item of pending) context.table(invoiceItems).put({ ...item, invoice: invoice.id })
  const after = keepSubscription(
    context,
    withoutSpent(context, { ...row, latest_invoice: invoice.id }, { at: context.now }),
  )
  tellDiscounts(context, row, after)
  return { invoice, after }
}

/** The first payment (`payment_behavior`, API reference of subscription creation). */
function payFirst(context: Context, given: CreateGiven, open: InvoiceRow): SubscriptionRow {
  const id = open.subscription ?? ''
  const behavior = given.payment_behavior ?? 'allow_incomplete'
  const method = payingMethod(context, open)
  const waiting = keepSubscription(context, { ...current(context, id), status: 'incomplete' })
  if (behavior === 'default_incomplete') return waiting
  if (method === null) throw noMethod()
  const { outcome } = attempt(context, open, { by: 'request' })
  if (behavior === 'error_if_incomplete' && outcome.kind === 'failed') throw declinedBy(outcome, { undone: true })
  const after = current(context, id)
  return keepSubscription(context, after)
}

/** A payment is due and the customer has no payment method. */
export function noMethod(): StripeError {
  return invalid(
    'This customer has no attached payment source or default payment method. Please consider adding a default payment method. For more information, visit https://stripe.com/docs/billing/subscriptions/payment-methods-setting#payment-method-priority.',
    { code: 'resource_missing' },
  )
}
