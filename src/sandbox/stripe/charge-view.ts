// Charges, payment intents and refunds as Stripe shows them.
import type Stripe from 'stripe'
import type { Context } from '../kernel/context.ts'
import type { Wire } from '../kernel/wire.ts'
import { blockedByRadar } from './test-cards.ts'
import { paymentIntents, refunds, type ChargeRow, type PaymentIntentRow, type RefundRow } from './billing/rows.ts'
import { methodShown } from './method-shown.ts'

const noDetails = { address: null, email: null, name: null, phone: null, tax_id: null }

/** https://docs.stripe.com/api/charges/object */
export function renderCharge(context: Context, row: ChargeRow): Wire<Stripe.Charge> {
  return {
    id: row.id,
    object: 'charge',
    amount: row.amount,
    amount_captured: row.status === 'succeeded' ? row.amount : 0,
    amount_refunded: row.amount_refunded,
    application: null,
    application_fee: null,
    application_fee_amount: null,
    balance_transaction: row.status === 'succeeded' ? `txn_${row.id.slice(3)}` : null,
    billing_details: noDetails,
    calculated_statement_descriptor: null,
    captured: row.status !== 'failed',
    created: row.created,
    currency: row.currency,
    customer: row.customer,
    description: row.description,
    disputed: row.disputed,
    failure_balance_transaction: null,
    failure_code: row.failure?.code ?? null,
    failure_message: row.failure?.message ?? null,
    fraud_details: {},
    livemode: context.livemode,
    metadata: row.metadata,
    on_behalf_of: null,
    outcome: row.failure?.decline_code === blockedByRadar ? blocked : outcomeOf(row),
    paid: row.status === 'succeeded',
    payment_intent: rememberedIntent(context, row),
    payment_method: row.payment_method,
    payment_method_details: methodShown(context, row.payment_method),
    receipt_email: null,
    receipt_number: null,
    receipt_url: null,
    refunded: row.amount_refunded === row.amount && row.amount > 0,
    refunds: {
      object: 'list',
      data: context
        .table(refunds)
        .by('charge', row.id)
        .map((refund) => renderRefund(refund)),
      has_more: false,
      url: `/v1/charges/${row.id}/refunds`,
    } as unknown as Wire<Stripe.ApiList<Stripe.Refund>>,
    review: null,
    shipping: null,
    source: null,
    source_transfer: null,
    statement_descriptor: null,
    statement_descriptor_suffix: null,
    status: row.status,
    transfer_data: null,
    transfer_group: null,
  }
}

/**
 * A world without events deletes old invoices and their intents; an answer must not name an object
 * that cannot be read.
 */
function rememberedIntent(context: Context, row: ChargeRow): string | null {
  const { payment_intent: id } = row
  return id !== null && context.table(paymentIntents).has(id) ? id : null
}

/** https://docs.stripe.com/api/payment_intents/object */
export function renderPaymentIntent(context: Context, row: PaymentIntentRow): Wire<Stripe.PaymentIntent> {
  const error = row.last_payment_error
  return {
    id: row.id,
    object: 'payment_intent',
    allowed_payment_method_types: null,
    amount: row.amount,
    amount_capturable: 0,
    amount_received: row.status === 'succeeded' ? row.amount : 0,
    application: null,
    application_fee_amount: null,
    automatic_payment_methods: null,
    canceled_at: row.canceled_at,
    cancellation_reason: row.status === 'canceled' ? 'void_invoice' : null,
    capture_method: 'automatic',
    client_secret: `${row.id}_secret_sandbox`,
    confirmation_method: 'automatic',
    created: row.created,
    currency: row.currency,
    customer: row.customer,
    customer_account: null,
    description: row.description,
    excluded_payment_method_types: null,
    last_payment_error:
      error === null
        ? null
        : {
            ...(row.latest_charge === null ? {} : { charge: row.latest_charge }),
            code: error.code,
            ...(error.decline_code === null ? {} : { decline_code: error.decline_code }),
            message: error.message,
            type: error.type,
          },
    latest_charge: row.latest_charge,
    livemode: context.livemode,
    managed_payments: null,
    metadata: row.metadata,
    next_action: row.status === 'requires_action' ? { type: 'use_stripe_sdk' } : null,
    on_behalf_of: null,
    payment_method: row.payment_method,
    payment_method_configuration_details: null,
    payment_method_options: {},
    payment_method_types: ['card'],
    payment_record: null,
    processing: null,
    receipt_email: null,
    review: null,
    setup_future_usage: null,
    shipping: null,
    source: null,
    statement_descriptor: null,
    statement_descriptor_suffix: null,
    status: row.status,
    transfer_data: null,
    transfer_group: null,
  }
}

/** https://docs.stripe.com/api/refunds/object */
export function renderRefund(row: RefundRow): Wire<Stripe.Refund> {
  return {
    id: row.id,
    object: 'refund',
    amount: row.amount,
    balance_transaction: row.status === 'succeeded' ? `txn_${row.id.slice(3)}` : null,
    charge: row.charge,
    created: row.created,
    currency: row.currency,
    customer: row.customer,
    customer_account: null,
    metadata: row.metadata,
    payment_intent: row.payment_intent,
    payment_method: null,
    reason: row.reason,
    receipt_number: null,
    source_transfer_reversal: null,
    status: row.status,
    transfer_reversal: null,
  }
}

/** A payment that Radar blocked: no bank was asked. */
const blocked = {
  advice_code: null,
  network_advice_code: null,
  network_decline_code: null,
  network_status: 'not_sent_to_network',
  reason: 'highest_risk_level',
  risk_level: 'highest',
  risk_score: 90,
  seller_message: 'Stripe blocked this payment as too risky.',
  type: 'blocked',
}

function outcomeOf({ status, failure }: ChargeRow): Wire<Stripe.Charge.Outcome> {
  const failed = status === 'failed'
  return {
    advice_code: null,
    network_advice_code: null,
    network_decline_code: null,
    network_status: failed ? 'declined_by_network' : 'approved_by_network',
    reason: failure?.decline_code ?? null,
    risk_level: 'normal',
    risk_score: 5,
    seller_message: failed ? 'The bank did not return any further details with this decline.' : 'Payment complete.',
    type: failed ? 'issuer_declined' : 'authorized',
  }
}
