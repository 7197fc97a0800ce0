// Payment methods in the form of each of the two APIs.
import type Stripe from 'stripe'
import type { Context } from '../kernel/context.ts'
import type { Wire } from '../kernel/wire.ts'
import { type CardDetails, type PaymentMethodRow } from './payment-method-row.ts'

/** Every field of the hash with the name of the type; unknown fields are null. */
const fieldsOf: Readonly<Record<string, readonly string[]>> = {
  acss_debit: ['bank_name', 'fingerprint', 'institution_number', 'last4', 'transit_number'],
  au_becs_debit: ['bsb_number', 'fingerprint', 'last4'],
  bacs_debit: ['fingerprint', 'last4', 'sort_code'],
  link: ['email'],
  sepa_debit: ['bank_code', 'branch_code', 'country', 'fingerprint', 'generated_from', 'last4'],
  us_bank_account: [
    'account_holder_type',
    'account_type',
    'bank_name',
    'financial_connections_account',
    'fingerprint',
    'last4',
    'networks',
    'routing_number',
    'status_details',
  ],
}

/** The hash with the name of the type, for a method that is not a card. */
function detailsShown(row: PaymentMethodRow): Readonly<Record<string, string | null>> {
  const names = fieldsOf[row.type] ?? []
  return Object.fromEntries(names.map((name) => [name, row.details[name] ?? null]))
}

/** The form of the Payment Methods API, for every method. */
export function renderPaymentMethod(context: Context, row: PaymentMethodRow): Wire<Stripe.PaymentMethod> {
  return {
    id: row.id,
    object: 'payment_method',
    allow_redisplay: row.allow_redisplay,
    billing_details: row.billing_details,
    ...(row.card === null ? { [row.type]: detailsShown(row) } : { card: renderCardHash(row.card) }),
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

/**
 * The form of the Sources API, for the older methods. https://docs.stripe.com/api/cards
 * https://docs.stripe.com/api/sources
 */
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
      fingerprint: row.details['fingerprint'] ?? '',
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
    [row.type]: row.card === null ? row.details : renderCardSource(row.card, name),
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

function renderCardSource(card: CardDetails, name: string | null): Wire<Stripe.Source.Card> {
  const { wallet, ...shown } = card
  return {
    ...shown,
    address_line1_check: null,
    address_zip_check: null,
    cvc_check: 'pass',
    dynamic_last4: null,
    name,
    three_d_secure: 'optional',
    tokenization_method: wallet,
  }
}
