// Payment methods as they are kept: `pm_`, and the older `card_`, `src_` and `ba_` of the Sources API, which the Payment Methods API shows too.
import type Stripe from 'stripe'
import { instant, secondsPerDay, type Instant } from '../../core/instant.ts'
import type { Context } from '../kernel/context.ts'
import { missing } from '../kernel/errors.ts'
import { generator } from '../kernel/ids.ts'
import type { Metadata } from '../kernel/params.ts'
import type { Row, TableDefinition } from '../kernel/tables.ts'
import type { Wire } from '../kernel/wire.ts'
import { calm, declineMessage, type Plastic } from './test-cards.ts'

/** How it behaves when it is charged. */
export interface Temper {
  readonly declines: {
    readonly code: string
    readonly decline_code: string | null
    /** From this instant on; null: always. */
    readonly from: Instant | null
    /** So many times more; null: for ever. */
    readonly times: number | null
  } | null
  /** Seconds a payment stays `processing` (bank debits). */
  readonly settles_after: number
  /** The failure code a processing payment ends with; null: it succeeds. */
  readonly then_fails: string | null
}

export interface Address {
  readonly city: string | null
  readonly country: string | null
  readonly line1: string | null
  readonly line2: string | null
  readonly postal_code: string | null
  readonly state: string | null
}

export interface BillingDetails {
  readonly address: Address
  readonly email: string | null
  readonly name: string | null
  readonly phone: string | null
  readonly tax_id: string | null
}

export interface CardDetails {
  readonly brand: string
  readonly country: string
  readonly exp_month: number
  readonly exp_year: number
  /** The same card has another fingerprint in every account. */
  readonly fingerprint: string
  readonly funding: string
  readonly last4: string
  /** `apple_pay`, `google_pay`, `link`: where the card came from. */
  readonly wallet: string | null
}

export interface PaymentMethodRow extends Row {
  readonly form: 'payment_method' | 'card' | 'source' | 'bank_account'
  readonly type: string
  readonly allow_redisplay: 'always' | 'limited' | 'unspecified'
  readonly billing_details: BillingDetails
  readonly card: CardDetails | null
  readonly customer: string | null
  /** The hash named like the type, for types other than cards. */
  readonly details: Readonly<Record<string, string | null>>
  /** Was attached once and is not any more: of no further use. */
  readonly detached: boolean
  readonly metadata: Metadata
  readonly temper: Temper
}

export const paymentMethods: TableDefinition<PaymentMethodRow> = {
  name: 'payment_methods',
  indexes: { customer: (row) => row.customer ?? undefined },
}

export const noAddress: Address = {
  city: null,
  country: null,
  line1: null,
  line2: null,
  postal_code: null,
  state: null,
}
export const noBillingDetails: BillingDetails = {
  address: noAddress,
  email: null,
  name: null,
  phone: null,
  tax_id: null,
}

const prefixes = { payment_method: 'pm', card: 'card', source: 'src', bank_account: 'ba' } as const

/** Days until a bank debit is known to have worked. */
const settlingDays: Readonly<Record<string, number>> = {
  acss_debit: 5,
  au_becs_debit: 3,
  bacs_debit: 4,
  sepa_debit: 5,
  us_bank_account: 4,
}

/** Writes a new payment method; what is not given is what a plain one has. */
export function newPaymentMethod(
  context: Context,
  about: Partial<Omit<PaymentMethodRow, 'id' | 'created'>> & { readonly type: string; readonly id?: string },
): PaymentMethodRow {
  const form = about.form ?? 'payment_method'
  return context.table(paymentMethods).put({
    allow_redisplay: 'unspecified',
    billing_details: noBillingDetails,
    card: null,
    customer: null,
    details: {},
    detached: false,
    metadata: {},
    temper: { ...calm, settles_after: (settlingDays[about.type] ?? 0) * secondsPerDay },
    ...about,
    form,
    id: about.id ?? context.newId(prefixes[form]),
    created: context.now,
  })
}

/** The details of a test card; it expires some years after the simulated now. */
export function cardOf(context: Context, plastic: Plastic, expires?: { month: number; year: number }): CardDetails {
  const year = new Date(context.now * 1_000).getUTCFullYear()
  return {
    brand: plastic.brand,
    country: plastic.country,
    exp_month: expires?.month ?? 12,
    exp_year: expires?.year ?? year + 4,
    fingerprint: fingerprint(context, `${plastic.brand}${plastic.last4}`),
    funding: plastic.funding,
    last4: plastic.last4,
    wallet: null,
  }
}

/** 16 letters that are the same for the same number in one account, and others in another account. */
export function fingerprint(context: Context, number: string): string {
  const next = generator(context.world.seed, `${context.account.name}/fingerprint/${number}`)
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
  return Array.from({ length: 16 }, () => letters[Math.floor(next() * letters.length)] ?? 'A').join('')
}

export function paymentMethod(context: Context, id: string, param?: string): PaymentMethodRow {
  const row = context.table(paymentMethods).get(id)
  if (row === undefined) throw missing('PaymentMethod', id, param)
  return row
}

export interface PaymentFailure {
  readonly code: string
  readonly decline_code: string | null
  readonly message: string
}

export type PaymentOutcome =
  | { readonly status: 'succeeded' }
  | { readonly status: 'failed'; readonly failure: PaymentFailure }
  | { readonly status: 'processing'; readonly settlesAt: Instant; readonly failure: PaymentFailure | null }

/** What comes of charging a payment method now; a decline that was set for some times is counted down. */
export function attemptPayment(context: Context, id: string): PaymentOutcome {
  const row = paymentMethod(context, id)
  const { declines, settles_after, then_fails } = row.temper
  if (declines !== null && (declines.from === null || declines.from <= context.now) && declines.times !== 0) {
    if (declines.times !== null)
      context
        .table(paymentMethods)
        .put({ ...row, temper: { ...row.temper, declines: { ...declines, times: declines.times - 1 } } })
    return { status: 'failed', failure: failureOf(declines.code, declines.decline_code) }
  }
  if (row.card !== null && isExpired(context, row.card))
    return { status: 'failed', failure: failureOf('expired_card', 'expired_card') }
  if (settles_after === 0) return { status: 'succeeded' }
  return {
    status: 'processing',
    settlesAt: instant(context.now + settles_after),
    failure: then_fails === null ? null : failureOf(then_fails, null),
  }
}

function failureOf(code: string, decline_code: string | null): PaymentFailure {
  return { code, decline_code, message: declineMessage(decline_code ?? code) }
}

/** A card is good until the end of its month. */
function isExpired(context: Context, card: CardDetails): boolean {
  const now = new Date(context.now * 1_000)
  return card.exp_year * 12 + card.exp_month < now.getUTCFullYear() * 12 + now.getUTCMonth() + 1
}

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
