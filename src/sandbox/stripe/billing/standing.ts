// What payments make of a subscription's status (https://docs.stripe.com/billing/subscriptions/overview#subscription-statuses).
import type { Context } from '../../kernel/context.ts'
import { renderSubscription } from '../subscription-view.ts'
import {
  invoices,
  paymentIntents,
  subscriptions,
  type InvoiceRow,
  type SubscriptionRow,
  type SubscriptionStatus,
} from './rows.ts'

/** Writes a subscription and announces the change. */
export function changeSubscription(context: Context, before: SubscriptionRow, after: SubscriptionRow): SubscriptionRow {
  const row = context.table(subscriptions).put(after)
  context.emit(
    'customer.subscription.updated',
    () => renderSubscription(context, row),
    () => renderSubscription(context, before),
  )
  return row
}

function withStatus(context: Context, row: SubscriptionRow, status: SubscriptionStatus): void {
  if (row.status !== status) changeSubscription(context, row, { ...row, status })
}

/** A first invoice that is paid (or on its way) activates; a latest invoice that is paid or written off brings back from past due and unpaid. */
export function standAfterPayment(
  context: Context,
  invoice: InvoiceRow,
  how: 'paid' | 'processing' | 'written_off',
): void {
  if (how === 'paid') rememberMethod(context, invoice)
  const row = invoice.subscription === null ? undefined : context.table(subscriptions).get(invoice.subscription)
  if (row === undefined) return
  if (row.status === 'incomplete' && how !== 'written_off') withStatus(context, row, 'active')
  if (row.status !== 'past_due' && row.status !== 'unpaid') return
  if (how === 'processing') return
  const latest = row.latest_invoice === null ? undefined : context.table(invoices).get(row.latest_invoice)
  if (latest === undefined || latest.id === invoice.id || latest.status !== 'open') withStatus(context, row, 'active')
}

/** `save_default_payment_method: on_subscription`: what paid becomes the subscription's own method (SDK, PaymentSettings). */
function rememberMethod(context: Context, invoice: InvoiceRow): void {
  const row = invoice.subscription === null ? undefined : context.table(subscriptions).get(invoice.subscription)
  if (row?.payment_settings.save_default_payment_method !== 'on_subscription') return
  const intent = invoice.payment_intent === null ? undefined : context.table(paymentIntents).get(invoice.payment_intent)
  const method = intent?.status === 'succeeded' ? intent.payment_method : null
  if (method === null || !method.startsWith('pm_') || row.default_payment_method === method) return
  changeSubscription(context, row, { ...row, default_payment_method: method })
}

/** A payment that is required and does not come makes an active subscription past due. */
export function standAfterFailure(context: Context, invoice: InvoiceRow): void {
  const row = invoice.subscription === null ? undefined : context.table(subscriptions).get(invoice.subscription)
  if (row?.status === 'active' || row?.status === 'trialing') withStatus(context, row, 'past_due')
}
