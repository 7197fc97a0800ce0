// The rows of Checkout sessions and how Stripe shows them.
// https://docs.stripe.com/api/checkout/sessions
import type Stripe from 'stripe'
import type { Instant } from '../../core/instant.ts'
import type { Context } from '../kernel/context.ts'
import type { Metadata } from '../kernel/params.ts'
import type { Row, TableDefinition } from '../kernel/tables.ts'
import type { Wire } from '../kernel/wire.ts'
import { subtotalOf, type SoldItem } from './line-items.ts'

export interface CheckoutSessionRow extends Row {
  readonly allowed_payment_method_types: readonly string[] | null
  readonly cancel_url: string | null
  readonly client_reference_id: string | null
  readonly currency: string | null
  readonly customer: string | null
  readonly customer_email: string | null
  readonly expires_at: Instant
  readonly items: readonly SoldItem[]
  readonly metadata: Metadata
  readonly mode: 'payment' | 'setup' | 'subscription'
  readonly payment_link: string | null
  readonly setup_intent: string | null
  readonly status: 'open' | 'complete' | 'expired'
  readonly subscription: string | null
  readonly success_url: string | null
}

export const checkoutSessions: TableDefinition<CheckoutSessionRow> = {
  name: 'checkout_sessions',
  indexes: {
    customer: (row) => row.customer ?? undefined,
    open: (row) => (row.status === 'open' ? 'open' : undefined),
    subscription: (row) => row.subscription ?? undefined,
  },
}

export function renderSession(
  context: Context,
  row: CheckoutSessionRow,
): Wire<Omit<Stripe.Checkout.Session, 'line_items'>> {
  const amount = row.mode === 'setup' ? null : subtotalOf(context, row.items)
  return {
    id: row.id,
    object: 'checkout.session',
    adaptive_pricing: null,
    after_expiration: null,
    allow_promotion_codes: null,
    allowed_payment_method_types:
      row.allowed_payment_method_types === null ? null : [...row.allowed_payment_method_types],
    amount_subtotal: amount,
    amount_total: amount,
    automatic_tax: { enabled: false, liability: null, provider: null, status: null },
    billing_address_collection: null,
    cancel_url: row.cancel_url,
    client_reference_id: row.client_reference_id,
    client_secret: null,
    collected_information: null,
    consent: null,
    consent_collection: null,
    created: row.created,
    currency: row.currency,
    currency_conversion: null,
    custom_fields: [],
    custom_text: { after_submit: null, shipping_address: null, submit: null, terms_of_service_acceptance: null },
    customer: row.customer,
    customer_account: null,
    customer_creation: row.mode === 'payment' ? 'if_required' : null,
    customer_details: null,
    customer_email: row.customer_email,
    discounts: [],
    expires_at: row.expires_at,
    integration_identifier: null,
    invoice: null,
    invoice_creation: null,
    livemode: context.livemode,
    locale: null,
    managed_payments: null,
    metadata: row.metadata,
    mode: row.mode,
    origin_context: null,
    payment_intent: null,
    payment_link: row.payment_link,
    payment_method_collection: row.mode === 'payment' ? 'if_required' : 'always',
    payment_method_configuration_details: null,
    payment_method_options: null,
    payment_method_types: ['card'],
    payment_status: row.mode === 'setup' ? 'no_payment_required' : row.status === 'complete' ? 'paid' : 'unpaid',
    permissions: null,
    recovered_from: null,
    saved_payment_method_options: null,
    setup_intent: row.setup_intent,
    shipping_address_collection: null,
    shipping_cost: null,
    shipping_options: [],
    status: row.status,
    submit_type: null,
    subscription: row.subscription,
    success_url: row.success_url,
    total_details: { amount_discount: 0, amount_shipping: 0, amount_tax: 0 },
    ui_mode: 'hosted_page',
    url: row.status === 'open' ? `${context.world.hosted}/c/pay/${row.id}` : null,
    wallet_options: null,
  }
}
