// Which payment method pays an invoice, and the result of the payment.
import type { Context } from '../../kernel/context.ts'
import { threeDecimals } from '../../kernel/currencies.ts'
import { renderCharge, renderPaymentIntent } from '../charge-view.ts'
import { attemptPayment, type PaymentFailure, type PaymentOutcome } from '../charging.ts'
import { paymentMethods } from '../payment-method-row.ts'
import { customerFacts } from './lookups.ts'
import {
  charges,
  paymentIntents,
  subscriptions,
  type ChargeRow,
  type InvoiceRow,
  type PaymentError,
  type PaymentIntentRow,
} from './rows.ts'

export type Attempted =
  | { readonly kind: 'paid' }
  | { readonly kind: 'processing' }
  | { readonly kind: 'no_method' }
  | { readonly kind: 'failed'; readonly error: PaymentError; readonly charge: string | null; readonly action: boolean }

/**
 * The method that pays: the invoice's own, the subscription's method, its source, then the
 * customer's defaults
 * (https://docs.stripe.com/billing/subscriptions/payment-methods-setting#payment-method-priority).
 */
export function payingMethod(
  context: Context,
  invoice: Pick<InvoiceRow, 'customer' | 'subscription'> & Partial<InvoiceRow>,
): string | null {
  const subscription =
    invoice.subscription === null ? undefined : context.table(subscriptions).get(invoice.subscription)
  const customer = customerFacts(context, invoice.customer)
  return (
    invoice.default_payment_method ??
    invoice.default_source ??
    subscription?.default_payment_method ??
    subscription?.default_source ??
    customer.default_payment_method ??
    customer.default_source
  )
}

/**
 * Charges a payment method for the rest of an invoice. Writes the charge (the ledger has every
 * attempt) and the intent.
 */
export function payWith(context: Context, invoice: InvoiceRow, method: string | null): Attempted {
  const intent = invoice.payment_intent === null ? undefined : context.table(paymentIntents).get(invoice.payment_intent)
  if (intent === undefined) return { kind: 'no_method' }
  if (method === null) {
    context.table(paymentIntents).put({ ...intent, status: 'requires_payment_method' })
    return { kind: 'no_method' }
  }
  // A default that was detached can no longer pay.
  if (context.table(paymentMethods).get(method)?.customer !== invoice.customer) {
    context.table(paymentIntents).put({ ...intent, status: 'requires_payment_method' })
    return { kind: 'no_method' }
  }
  return ask(context, { invoice, intent, method, outcome: attemptPayment(context, method) })
}

interface Asking {
  readonly invoice: InvoiceRow
  readonly intent: PaymentIntentRow
  readonly method: string
  readonly outcome: PaymentOutcome
}

function ask(context: Context, asking: Asking): Attempted {
  const { intent, method, outcome } = asking
  const table = context.table(paymentIntents)
  const error = outcome.status === 'failed' ? errorOf(outcome.failure) : null
  if (error?.code === 'authentication_required') {
    // The bank requires the cardholder to be present; until then nothing is charged.
    const asking = table.put({
      ...intent,
      status: 'requires_action',
      payment_method: method,
      last_payment_error: error,
    })
    context.emit('payment_intent.requires_action', () => renderPaymentIntent(context, asking))
    return { kind: 'failed', error, charge: null, action: true }
  }
  const charge = writeCharge(context, asking, error)
  const base = { ...intent, payment_method: method, latest_charge: charge.id }
  if (error !== null) {
    const failed = table.put({ ...base, status: 'requires_payment_method', last_payment_error: error })
    context.emit('payment_intent.payment_failed', () => renderPaymentIntent(context, failed))
    return { kind: 'failed', error, charge: charge.id, action: false }
  }
  if (outcome.status === 'processing') {
    const waiting = table.put({ ...base, status: 'processing', last_payment_error: null, failing: outcome.failure })
    context.emit('payment_intent.processing', () => renderPaymentIntent(context, waiting))
    context.schedule(outcome.settlesAt, 'payment.settle', intent.id)
    return { kind: 'processing' }
  }
  const paid = table.put({ ...base, status: 'succeeded', last_payment_error: null })
  context.emit('payment_intent.succeeded', () => renderPaymentIntent(context, paid))
  return { kind: 'paid' }
}

function errorOf(failure: PaymentFailure): PaymentError {
  return { type: 'card_error', ...failure }
}

/** Direct payments in a currency of three decimals need multiples of ten. */
function chargedFor(context: Context, { amount, currency }: PaymentIntentRow): number {
  if (context.world.unsure.three_decimal_charges === 'exact' || !threeDecimals.has(currency)) return amount
  return Math.round(amount / 10) * 10
}

function writeCharge(context: Context, asking: Asking, failure: PaymentError | null): ChargeRow {
  const { invoice, intent, method, outcome } = asking
  const row = context.table(charges).put({
    id: context.newId(outcome.status === 'processing' ? 'py' : 'ch'),
    created: context.now,
    customer: invoice.customer,
    invoice: invoice.id,
    subscription: invoice.subscription,
    payment_intent: intent.id,
    payment_method: method,
    amount: chargedFor(context, intent),
    amount_refunded: 0,
    currency: intent.currency,
    status: failure !== null ? 'failed' : outcome.status === 'processing' ? 'pending' : 'succeeded',
    failure,
    description: intent.description,
    disputed: false,
    metadata: {},
  })
  context.emit(`charge.${row.status}`, () => renderCharge(context, row))
  return row
}

/** The end of a `processing` payment; returns whether it succeeded. */
export function settle(context: Context, intentId: string): boolean {
  const intent = context.table(paymentIntents).get(intentId)
  const charge = intent?.latest_charge === null ? undefined : context.table(charges).get(intent?.latest_charge ?? '')
  if (intent === undefined || charge === undefined || intent.status !== 'processing') return false
  const bounced = intent.failing === null ? null : errorOf(intent.failing)
  const cleared = context
    .table(charges)
    .put({ ...charge, status: bounced === null ? 'succeeded' : 'failed', failure: bounced })
  context.emit(`charge.${cleared.status}`, () => renderCharge(context, cleared))
  const ended = context
    .table(paymentIntents)
    .put(
      bounced === null
        ? { ...intent, status: 'succeeded', failing: null }
        : { ...intent, status: 'requires_payment_method', last_payment_error: bounced, failing: null },
    )
  context.emit(bounced === null ? 'payment_intent.succeeded' : 'payment_intent.payment_failed', () =>
    renderPaymentIntent(context, ended),
  )
  return bounced === null
}
