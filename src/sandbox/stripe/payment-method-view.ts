// Payment methods as the two APIs show them.
import type Stripe from 'stripe'
import type { Context } from '../kernel/context.ts'
import type { Wire } from '../kernel/wire.ts'
import { fingerprint, type CardDetails, type PaymentMethodRow } from './payment-method-row.ts'

/** Fields that are always there and say nothing in a sandbox. */
const unknownOf: Readonly<Record<string, Readonly<Record<string, null>>>> = {
  us_bank_account: { financial_connections_account: null, networks: null, status_details: null },
}

/** As the Payment Methods API shows any of them. */
export function renderPaymentMethod(context: Context, row: PaymentMethodRow): Wire<Stripe.PaymentMethod> {
  return {
    id: row.id,
    object: 'payment_method',
    allow_redisplay: row.allow_redisplay,
    billing_details: row.billing_details,
    ...(row.card === null
      ? { [row.type]: { ...unknownOf[row.type], ...row.details } }
      : { card: renderCardHash(row.card) }),
    created: row.created,
    customer: row.customer,
    customer_account: null,
    livemode: context.livemode,
    metadata: row.metadata,
    type: row.type,
  }
}

function renderCardHash(card: CardDetails): Wire<Stripe.PaymentMethod.Card> {
  return {
    brand: card.brand,
    checks: { address_line1_check: null, address_postal_code_check: null, cvc_check: 'pass' },
    country: card.country,
    display_brand: card.brand,
    exp_month: card.exp_month,
    exp_year: card.exp_year,
    fingerprint: card.fingerprint,
    funding: card.funding,
    generated_from: null,
    last4: card.last4,
    networks: { available: [card.brand], preferred: null },
    regulated_status: 'unregulated',
    three_d_secure_usage: { supported: true },
    wallet: card.wallet === null ? null : { type: card.wallet, dynamic_last4: null, [card.wallet]: {} },
  }
}

/** As the Sources API shows the older ones. https://docs.stripe.com/api/cards https://docs.stripe.com/api/sources */
export function renderSource(context: Context, row: PaymentMethodRow): object {
  const { address, email, name } = row.billing_details
  if (row.form === 'card' && row.card !== null) {
    const { wallet, ...card } = row.card
    return {
      id: row.id,
      object: 'card',
      address_city: address.city,
      address_country: address.country,
      address_line1: address.line1,
      address_line1_check: null,
      address_line2: address.line2,
      address_state: address.state,
      address_zip: address.postal_code,
      address_zip_check: null,
      allow_redisplay: row.allow_redisplay,
      ...card,
      customer: row.customer,
      cvc_check: 'pass',
      dynamic_last4: null,
      metadata: row.metadata,
      name,
      regulated_status: 'unregulated',
      tokenization_method: wallet,
    }
  }
  if (row.form === 'bank_account')
    return {
      id: row.id,
      object: 'bank_account',
      account_holder_name: name,
      account_holder_type: 'individual',
      account_type: null,
      bank_name: row.details['bank_name'] ?? 'STRIPE TEST BANK',
      country: 'US',
      currency: 'usd',
      customer: row.customer,
      fingerprint: row.details['fingerprint'] ?? fingerprint(context, row.id),
      last4: row.details['last4'] ?? '6789',
      metadata: row.metadata,
      routing_number: row.details['routing_number'] ?? '110000000',
      status: 'verified',
    }
  return {
    id: row.id,
    object: 'source',
    allow_redisplay: row.allow_redisplay,
    amount: null,
    [row.type]: row.card === null ? row.details : { ...row.card, three_d_secure: 'optional' },
    client_secret: `${row.id.replace('src_', 'src_client_secret_')}`,
    created: row.created,
    currency: null,
    customer: row.customer,
    flow: 'none',
    livemode: context.livemode,
    metadata: row.metadata,
    owner: {
      address,
      email,
      name,
      phone: null,
      verified_address: null,
      verified_email: null,
      verified_name: null,
      verified_phone: null,
    },
    statement_descriptor: null,
    status: 'chargeable',
    type: row.type,
    usage: 'reusable',
  }
}
