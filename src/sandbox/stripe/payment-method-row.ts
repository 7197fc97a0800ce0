// The rows of payment methods: `pm_`, and the older `card_`, `src_` and `ba_` of the Sources API,
// which the Payment Methods API shows as well.
import { secondsPerDay } from '../../core/instant.ts'
import type { Context } from '../kernel/context.ts'
import { missing } from '../kernel/errors.ts'
import { generator } from '../kernel/ids.ts'
import type { Metadata } from '../kernel/params.ts'
import type { Row, TableDefinition } from '../kernel/tables.ts'
import { calm, type Plastic, type Temper } from './test-cards.ts'

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
  /** The same card has a different fingerprint in every account. */
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
  /** The hash with the name of the type, for types other than cards. */
  readonly details: Readonly<Record<string, string | null>>
  /** It was attached once and is detached: it can no longer be used. */
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

/** Days until a bank debit settles. */
const settlingDays: Readonly<Record<string, number>> = {
  acss_debit: 5,
  au_becs_debit: 3,
  bacs_debit: 4,
  sepa_debit: 5,
  us_bank_account: 4,
}

/** Writes a new payment method with default values for what is not given. */
export function newPaymentMethod(
  context: Context,
  about: Partial<Omit<PaymentMethodRow, 'id' | 'created'>> & { readonly type: string; readonly id?: string },
): PaymentMethodRow {
  const form = about.form ?? 'payment_method'
  const id = about.id ?? context.newId(prefixes[form])
  return context.table(paymentMethods).put({
    allow_redisplay: 'unspecified',
    billing_details: noBillingDetails,
    card: null,
    customer: null,
    detached: false,
    metadata: {},
    temper: { ...calm, settles_after: (settlingDays[about.type] ?? 0) * secondsPerDay },
    ...about,
    // A bank account always has a fingerprint; without a given number it gets its own.
    details:
      settlingDays[about.type] === undefined
        ? (about.details ?? {})
        : { fingerprint: fingerprint(context, id), ...about.details },
    form,
    id,
    created: context.now,
  })
}

/** The details of a test card; it expires some years after the simulated instant. */
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

/** 16 letters: the same for the same number within an account, and different in another account. */
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
