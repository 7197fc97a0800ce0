// How payments change the status of a subscription
// (https://docs.stripe.com/billing/subscriptions/overview#subscription-statuses).
import type { Context } from '../../kernel/context.ts'
import { renderSubscription } from '../subscription-view.ts'
import { tellDiscounts } from './discounts.ts'
import {
  invoices,
  paymentIntents,
  subscriptions,
  type InvoiceRow,
  type SubscriptionRow,
  type SubscriptionStatus,
} from './rows.ts'

/** Writes a subscription and emits the event of the change. */
export function changeSubscription(context: Context, before: SubscriptionRow, after: SubscriptionRow): SubscriptionRow {
  const row = context.table(subscriptions).put(after)
  context.emit(
    'customer.subscription.updated',
    () => renderSubscription(context, row),
    () => renderSubscription(context, before),
  )
  tellDiscounts(context, before, row)
  return row
}

function withStatus(context: Context, row: SubscriptionRow, status: SubscriptionStatus): void {
  if (row.status !== status) changeSubscription(context, row, { ...row, status })
}

/**
 * A first invoice that is paid (or processing) activates an incomplete subscription; a voided one
 * ends it. The newest finalized invoice that is not void decides the status of past due and unpaid
 * subscriptions.
 */
export function standAfterPayment(
  context: Context,
  invoice: InvoiceRow,
  how: 'paid' | 'processing' | 'void' | 'uncollectible',
): void {
  if (how === 'paid') rememberMethod(context, invoice)
  const row = invoice.subscription === null ? undefined : context.table(subscriptions).get(invoice.subscription)
  if (row === undefined) return
  if (row.status === 'incomplete') {
    if (how === 'paid' || how === 'processing') withStatus(context, row, 'active')
    else if (how === 'void')
      changeSubscription(context, row, { ...row, status: 'incomplete_expired', ended_at: context.now })
    return
  }
  if ((row.status !== 'past_due' && row.status !== 'unpaid') || how === 'processing') return
  if (how === 'void') withStatus(context, row, afterVoid(context, row))
  else if (newest(context, row)?.id === invoice.id) withStatus(context, row, 'active')
}

/** The invoices that decide the status of a subscription, newest first. */
function finalized(context: Context, row: SubscriptionRow): InvoiceRow[] {
  const table = context.table(invoices)
  return table
    .by('subscription', row.id)
    .filter((invoice) => invoice.status !== 'draft' && invoice.status !== 'void')
    .toSorted((a, b) => table.compare(b, a))
}

function newest(context: Context, row: SubscriptionRow): InvoiceRow | undefined {
  return finalized(context, row)[0]
}

/**
 * From the newest invoice to the oldest: a paid or uncollectible invoice means active; an invoice
 * that was given up, or that was sent and is overdue, means not active. Without such an invoice:
 * active.
 */
function afterVoid(context: Context, row: SubscriptionRow): SubscriptionStatus {
  for (const invoice of finalized(context, row)) {
    if (invoice.status !== 'open') return 'active'
    if (invoice.collection_method === 'charge_automatically') {
      const givenUp = invoice.attempt_count > context.account.settings.dunning.retry_days.length
      if (givenUp) return row.status
    } else if (invoice.due_date !== null && invoice.due_date <= context.now) return 'past_due'
  }
  return 'active'
}

/**
 * `save_default_payment_method: on_subscription`: the method that paid becomes the subscription's
 * own (SDK, PaymentSettings).
 */
function rememberMethod(context: Context, invoice: InvoiceRow): void {
  const row = invoice.subscription === null ? undefined : context.table(subscriptions).get(invoice.subscription)
  if (row?.payment_settings.save_default_payment_method !== 'on_subscription') return
  const intent = invoice.payment_intent === null ? undefined : context.table(paymentIntents).get(invoice.payment_intent)
  const method = intent?.status === 'succeeded' ? intent.payment_method : null
  if (method === null || !method.startsWith('pm_') || row.default_payment_method === method) return
  changeSubscription(context, row, { ...row, default_payment_method: method })
}

/** A required payment that fails makes an active subscription past due. */
export function standAfterFailure(context: Context, invoice: InvoiceRow): void {
  const row = invoice.subscription === null ? undefined : context.table(subscriptions).get(invoice.subscription)
  if (row?.status === 'active' || row?.status === 'trialing') withStatus(context, row, 'past_due')
}
