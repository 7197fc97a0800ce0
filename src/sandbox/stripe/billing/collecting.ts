// From draft to paid: finalization, attempts, retries, and the other ends of an invoice.
// https://docs.stripe.com/invoicing/integration/workflow-transitions
import { instant } from '../../../core/instant.ts'
import type { Context } from '../../kernel/context.ts'
import { events } from '../../kernel/events.ts'
import { renderPaymentIntent } from '../charge-view.ts'
import { renderInvoice } from '../invoice-view.ts'
import { longestDraftSeconds, nextAttempt, overdueGraceSeconds } from './dunning.ts'
import { discountsOn, isOnce, withoutSpent } from './discounts.ts'
import { customerFacts, moveBalance, nextInvoiceNumber, spendCustomerDiscount } from './lookups.ts'
import { chargeStep, smallestCharge } from './money.ts'
import { payWith, payingMethod, settle, type Attempted } from './paying.ts'
import { invoices, paymentIntents, subscriptions, type InvoiceRow, type SubscriptionRow } from './rows.ts'
import { changeSubscription, standAfterFailure, standAfterPayment } from './standing.ts'
import { settleBalance } from './totals.ts'

/** Writes an invoice and schedules its next automatic step. */
export function keepInvoice(context: Context, row: InvoiceRow): InvoiceRow {
  put(context, 'invoice.finalize', row.id, row.status === 'draft' ? row.finalizes_at : null)
  put(context, 'invoice.attempt', row.id, row.status === 'open' ? row.next_payment_attempt : null)
  return context.table(invoices).put(row)
}

function put(context: Context, kind: string, key: string, at: number | null): void {
  if (at !== null) context.schedule(instant(at), kind, key)
  else if (context.scheduled(kind, key) !== undefined) context.unschedule(kind, key)
}

/** Emits an event for a change of an invoice. */
export function tellInvoice(context: Context, type: string, row: InvoiceRow): string {
  return context.emit(type, () => renderInvoice(context, row))
}

/** Writes a new draft. With automatic advancement it finalizes after the account's draft time. */
export function openDraft(context: Context, row: InvoiceRow): InvoiceRow {
  const finalizes_at = row.auto_advance ? context.now + context.account.settings.draft_seconds : null
  const kept = keepInvoice(context, { ...row, finalizes_at })
  return keepInvoice(context, { ...kept, created_event: tellInvoice(context, 'invoice.created', kept) })
}

/**
 * Finalization by the clock. A draft whose webhook no endpoint acknowledged waits, up to 72 hours.
 */
export function finalizeOnTime(context: Context, id: string): void {
  const row = context.table(invoices).get(id)
  if (row === undefined || row.status !== 'draft' || !row.auto_advance) return
  const event = row.created_event === null ? undefined : context.table(events).get(row.created_event)
  const latest = row.created + longestDraftSeconds
  if (event !== undefined && event.waiting.length > 0 && context.now < latest) {
    const again = Math.min(latest, context.now + context.account.settings.draft_seconds)
    keepInvoice(context, { ...row, finalizes_at: again })
    return
  }
  if (row.automatic_tax.status === 'requires_location_inputs') return failToFinalize(context, row)
  const open = finalize(context, { ...row, webhooks_delivered_at: row.webhooks_delivered_at ?? row.created })
  if (open.status === 'open' && open.collection_method === 'charge_automatically')
    attempt(context, open, { by: 'clock' })
}

/**
 * The tax of an invoice cannot be computed: it stays a draft, and nothing is charged
 * (https://docs.stripe.com/billing/subscriptions/webhooks).
 */
function failToFinalize(context: Context, row: InvoiceRow): void {
  const message =
    "The customer's location isn't recognized. Set a valid customer address in order to automatically calculate tax."
  const failed = keepInvoice(context, {
    ...row,
    finalizes_at: null,
    finalization_error: { code: 'customer_tax_location_invalid', message },
  })
  tellInvoice(context, 'invoice.finalization_failed', failed)
}

/**
 * Finalizes a draft: number, balance, payment intent. A zero invoice becomes `paid` at once. Does
 * not attempt payment.
 */
export function finalize(context: Context, row: InvoiceRow): InvoiceRow {
  const { balance } = customerFacts(context, row.customer, row.currency)
  const smallest = context.account.settings.smallest_charges?.[row.currency] ?? smallestCharge(row.currency)
  const settled = settleBalance(row.total, balance, { smallest, step: chargeStep(row.currency) })
  if (settled.endingBalance !== balance)
    moveBalance(context, row.customer, {
      amount: settled.endingBalance - balance,
      currency: row.currency,
      invoice: row.id,
      type: settled.endingBalance > 0 && settled.amountDue === 0 ? 'invoice_too_small' : 'applied_to_invoice',
    })
  const frozen: InvoiceRow = {
    ...row,
    status: 'open',
    finalizes_at: null,
    finalized_at: context.now,
    number: nextInvoiceNumber(context, row.customer),
    starting_balance: balance,
    ending_balance: settled.endingBalance,
    amount_due: settled.amountDue,
    due_date: row.collection_method === 'send_invoice' ? context.now + (row.days_until_due ?? 30) * 86_400 : null,
    next_payment_attempt: null,
  }
  spendOnce(context, frozen)
  if (frozen.amount_due === 0) {
    const paid = keepInvoice(context, {
      ...frozen,
      status: 'paid',
      attempted: true,
      paid_at: context.now,
      auto_advance: false,
    })
    tellInvoice(context, 'invoice.finalized', paid)
    return afterPaid(context, paid)
  }
  const intent = context.table(paymentIntents).put({
    id: context.newId('pi'),
    created: context.now,
    customer: row.customer,
    invoice: row.id,
    amount: frozen.amount_due,
    currency: row.currency,
    status: payingMethod(context, frozen) === null ? 'requires_payment_method' : 'requires_confirmation',
    payment_method: null,
    latest_charge: null,
    last_payment_error: null,
    failing: null,
    description: row.billing_reason === 'subscription_create' ? 'Subscription creation' : 'Subscription update',
    metadata: {},
    canceled_at: null,
  })
  const open = keepInvoice(context, { ...frozen, payment_intent: intent.id })
  context.emit('payment_intent.created', () => renderPaymentIntent(context, intent))
  tellInvoice(context, 'invoice.finalized', open)
  if (open.due_date !== null) context.schedule(instant(open.due_date), 'invoice.overdue', open.id)
  return open
}

/**
 * A `once` discount is used up when an invoice is finalized
 * (https://docs.stripe.com/billing/subscriptions/coupons). For an invoice of zero, the world's
 * reading decides.
 */
export function spendOnce(context: Context, row: InvoiceRow): void {
  if (row.subtotal === 0 && !context.world.unsure.zero_invoice_consumes_once) return
  const spent = new Set([...discountsOn(row)].filter((id) => isOnce(context, id)))
  if (spent.size === 0) return
  const { discount } = customerFacts(context, row.customer)
  if (discount !== null && spent.has(discount)) spendCustomerDiscount(context, row.customer)
  const subscription = subscriptionOf(context, row)
  if (subscription === undefined) return
  const held = [...subscription.discounts, ...subscription.items.flatMap((item) => item.discounts)]
  if (!held.some((id) => spent.has(id))) return
  changeSubscription(context, subscription, withoutSpent(context, subscription, { at: context.now, spent }))
}

export interface AttemptOptions {
  readonly by: 'clock' | 'request'
  /** Pay with this method instead of the default. */
  readonly method?: string
}

export interface Attempt {
  readonly invoice: InvoiceRow
  readonly outcome: Attempted
}

/** One attempt to collect an open invoice, with all its consequences. */
export function attempt(context: Context, row: InvoiceRow, options: AttemptOptions): Attempt {
  const outcome = payWith(context, row, options.method ?? payingMethod(context, row))
  const first = row.first_attempt ?? context.now
  // Only the first attempt and automatic retries count (Invoice.attempt_count in the SDK).
  const counts = options.by === 'clock' || row.attempt_count === 0
  const tried: InvoiceRow = {
    ...row,
    attempted: true,
    first_attempt: first,
    attempt_count: row.attempt_count + (counts ? 1 : 0),
  }
  if (outcome.kind === 'paid') return { outcome, invoice: markPaid(context, tried) }
  if (outcome.kind === 'processing') {
    const waiting = keepInvoice(context, { ...tried, next_payment_attempt: null })
    standAfterPayment(context, waiting, 'processing')
    return { outcome, invoice: waiting }
  }
  if (outcome.kind === 'failed' && outcome.action) tellInvoice(context, 'invoice.payment_action_required', tried)
  return { outcome, invoice: markFailed(context, tried, options.by) }
}

/** The invoice is paid: by an attempt, out of band, or by a bank debit that settled later. */
export function markPaid(context: Context, row: InvoiceRow): InvoiceRow {
  const paid = keepInvoice(context, {
    ...row,
    status: 'paid',
    amount_paid: row.amount_due,
    paid_at: context.now,
    next_payment_attempt: null,
    auto_advance: false,
  })
  return afterPaid(context, paid)
}

/** Credit notes have lowered an open invoice to nothing: it is paid without a payment. */
export function paidByCredit(context: Context, row: InvoiceRow): InvoiceRow {
  cancelIntent(context, row)
  return markPaid(context, row)
}

function afterPaid(context: Context, paid: InvoiceRow): InvoiceRow {
  tellInvoice(context, 'invoice.paid', paid)
  tellInvoice(context, 'invoice.payment_succeeded', paid)
  standAfterPayment(context, paid, 'paid')
  return paid
}

/** Schedules the next automatic attempt, or gives up as the settings of the account say. */
function markFailed(context: Context, row: InvoiceRow, by: 'clock' | 'request'): InvoiceRow {
  const { retry_days } = context.account.settings.dunning
  // A first invoice is not retried: its subscription is incomplete and expires
  // (docs.stripe.com/billing/subscriptions/overview).
  const retried = row.auto_advance && row.billing_reason !== 'subscription_create'
  const next = retried ? nextAttempt(retry_days, context.now, row.attempt_count) : null
  const failed = keepInvoice(context, {
    ...row,
    status: 'open',
    next_payment_attempt: by === 'clock' || row.next_payment_attempt === null ? next : row.next_payment_attempt,
    ...(next === null && retried ? { auto_advance: false } : {}),
  })
  tellInvoice(context, 'invoice.payment_failed', failed)
  standAfterFailure(context, failed)
  if (retried && next === null && failed.subscription !== null)
    context.schedule(context.now, 'subscription.give_up', failed.subscription)
  return failed
}

/** An automatic retry is due. */
export function retryOnTime(context: Context, id: string): void {
  const row = context.table(invoices).get(id)
  if (row?.status === 'open' && row.auto_advance) attempt(context, row, { by: 'clock' })
}

/** A bank debit settled or failed. */
export function settleOnTime(context: Context, intentId: string): void {
  const paid = settle(context, intentId)
  const intent = context.table(paymentIntents).get(intentId)
  const row = intent?.invoice === null || intent === undefined ? undefined : context.table(invoices).get(intent.invoice)
  if (row === undefined || row.status !== 'open') return
  if (paid) markPaid(context, row)
  // "If the payment fails later, Stripe voids the invoice but the subscription remains active"
  // (docs, overview). This applies to a first payment.
  else if (row.billing_reason === 'subscription_create') voidInvoice(context, row)
  else markFailed(context, row, 'clock')
}

/** A sent invoice is past its due date. */
export function overdueOnTime(context: Context, id: string): void {
  const row = context.table(invoices).get(id)
  if (row === undefined || row.status !== 'open' || row.subscription === null) return
  tellInvoice(context, 'invoice.overdue', row)
  standAfterFailure(context, row)
  context.schedule(instant(context.now + overdueGraceSeconds), 'invoice.long_overdue', id)
}

export function longOverdueOnTime(context: Context, id: string): void {
  const row = context.table(invoices).get(id)
  if (row?.status === 'open' && row.subscription !== null)
    context.schedule(context.now, 'subscription.give_up', row.subscription)
}

export function voidInvoice(context: Context, row: InvoiceRow): InvoiceRow {
  cancelIntent(context, row)
  const returned = (row.ending_balance ?? row.starting_balance) - row.starting_balance
  // What the balance paid returns to it (docs.stripe.com/invoicing/customer/balance).
  if (row.status !== 'draft' && returned !== 0)
    moveBalance(context, row.customer, {
      amount: -returned,
      currency: row.currency,
      invoice: row.id,
      type: 'unapplied_from_invoice',
    })
  const gone = keepInvoice(context, {
    ...row,
    status: 'void',
    voided_at: context.now,
    next_payment_attempt: null,
    finalizes_at: null,
    auto_advance: false,
  })
  tellInvoice(context, 'invoice.voided', gone)
  standAfterPayment(context, gone, 'void')
  return gone
}

export function markUncollectible(context: Context, row: InvoiceRow): InvoiceRow {
  const written = keepInvoice(context, {
    ...row,
    status: 'uncollectible',
    marked_uncollectible_at: context.now,
    next_payment_attempt: null,
    auto_advance: false,
  })
  tellInvoice(context, 'invoice.marked_uncollectible', written)
  standAfterPayment(context, written, 'uncollectible')
  return written
}

function cancelIntent(context: Context, row: InvoiceRow): void {
  const intent = row.payment_intent === null ? undefined : context.table(paymentIntents).get(row.payment_intent)
  if (intent === undefined || intent.status === 'succeeded') return
  const canceled = context.table(paymentIntents).put({ ...intent, status: 'canceled', canceled_at: context.now })
  context.emit('payment_intent.canceled', () => renderPaymentIntent(context, canceled))
}

/**
 * "By default, upon subscription cancellation, Stripe stops automatic collection of all finalized
 * invoices for the customer" (SDK, Subscriptions.cancel); in other worlds only those of the
 * subscription. Drafts of the subscription itself stop as well. The final invoice of the
 * cancellation is collected.
 */
export function stopCollection(context: Context, subscription: SubscriptionRow, final: string | null): void {
  for (const row of context.table(invoices).by('unsettled', subscription.customer)) {
    const reaches = row.status === 'open' && context.world.unsure.cancel_stops_collection_of === 'customer'
    if (row.id === final || (row.subscription !== subscription.id && !reaches)) continue
    if (!row.auto_advance && row.next_payment_attempt === null) continue
    const stopped = keepInvoice(context, {
      ...row,
      auto_advance: false,
      finalizes_at: null,
      next_payment_attempt: null,
    })
    tellInvoice(context, 'invoice.updated', stopped)
  }
}

/** The subscription that an invoice belongs to. */
export function subscriptionOf(context: Context, row: InvoiceRow): SubscriptionRow | undefined {
  return row.subscription === null ? undefined : context.table(subscriptions).get(row.subscription)
}
