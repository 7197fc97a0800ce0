// The payment method as a charge shows it
// (https://docs.stripe.com/api/charges/object#charge_object-payment_method_details).
import type Stripe from 'stripe'
import type { Context } from '../kernel/context.ts'
import type { Wire } from '../kernel/wire.ts'
import { paymentMethods, type CardDetails } from './payment-method-row.ts'

type Details = Wire<Stripe.Charge.PaymentMethodDetails>

/** The fields of each kind of bank debit; unknown fields are null. */
const fieldsOf: Readonly<Record<string, readonly string[]>> = {
  acss_debit: ['bank_name', 'fingerprint', 'institution_number', 'last4', 'transit_number'],
  ach_debit: ['account_holder_type', 'bank_name', 'country', 'fingerprint', 'last4', 'routing_number'],
  au_becs_debit: ['bsb_number', 'fingerprint', 'last4'],
  bacs_debit: ['fingerprint', 'last4', 'mandate', 'sort_code'],
  link: ['country'],
  sepa_debit: ['bank_code', 'branch_code', 'country', 'fingerprint', 'last4', 'mandate'],
  us_bank_account: [
    'account_holder_type',
    'account_type',
    'bank_name',
    'fingerprint',
    'last4',
    'payment_reference',
    'routing_number',
  ],
}

export function methodShown(context: Context, id: string | null): Details | null {
  const row = id === null ? undefined : context.table(paymentMethods).get(id)
  if (row === undefined) return null
  if (row.card !== null) return { card: cardShown(row.card), type: 'card' }
  const names = fieldsOf[row.type] ?? []
  const details = Object.fromEntries(names.map((name) => [name, row.details[name] ?? null]))
  return { [row.type]: details, type: row.type }
}

function cardShown(card: CardDetails): Wire<Stripe.Charge.PaymentMethodDetails.Card> {
  return {
    amount_authorized: null,
    authorization_code: null,
    brand: card.brand,
    checks: { address_line1_check: null, address_postal_code_check: null, cvc_check: null },
    country: card.country,
    electronic_commerce_indicator: null,
    exp_month: card.exp_month,
    exp_year: card.exp_year,
    fingerprint: card.fingerprint,
    funding: card.funding,
    installments: null,
    last4: card.last4,
    mandate: null,
    network: card.brand,
    network_transaction_id: null,
    regulated_status: 'unregulated',
    three_d_secure: null,
    transaction_link_id: null,
    wallet: null,
  }
}
