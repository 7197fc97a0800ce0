// The rows of billing. They are immutable. They name other objects by id, which are looked up for
// each answer.
import type { Json } from '../../../core/json.ts'
import type { Row, TableDefinition } from '../../kernel/tables.ts'
import type { Interval } from './calendar.ts'
import type { Line, LineTax } from './totals.ts'
import type { TakenOff } from './discounting.ts'

export type Metadata = Readonly<Record<string, string>>

export interface ItemRow {
  readonly id: string
  readonly created: number
  readonly price: string
  /** Null for metered prices. */
  readonly quantity: number | null
  readonly metadata: Metadata
  readonly tax_rates: readonly string[]
  readonly discounts: readonly string[]
  readonly billing_thresholds: Json
  readonly current_period_start: number
  readonly current_period_end: number
}

export type SubscriptionStatus =
  | 'active'
  | 'canceled'
  | 'incomplete'
  | 'incomplete_expired'
  | 'past_due'
  | 'paused'
  | 'trialing'
  | 'unpaid'

export interface CancellationDetails {
  readonly comment: string | null
  readonly feedback: string | null
  readonly feedback_option: string | null
  readonly reason: 'cancellation_requested' | 'payment_disputed' | 'payment_failed' | null
}

export interface AnchorConfigRow {
  readonly day_of_month: number
  readonly hour: number | null
  readonly minute: number | null
  readonly month: number | null
  readonly second: number | null
}

interface AutomaticTaxRow {
  readonly enabled: boolean
  readonly disabled_reason: 'requires_location_inputs' | null
}

type PauseBehavior = 'keep_as_draft' | 'mark_uncollectible' | 'void'

export interface SubscriptionRow extends Row {
  readonly customer: string
  readonly status: SubscriptionStatus
  readonly currency: string
  readonly items: readonly ItemRow[]
  readonly collection_method: 'charge_automatically' | 'send_invoice'
  readonly days_until_due: number | null
  readonly billing_cycle_anchor: number
  readonly billing_cycle_anchor_config: AnchorConfigRow | null
  readonly billing_mode: 'classic' | 'flexible'
  readonly proration_discounts: 'included' | 'itemized'
  /** When a classic subscription became flexible. */
  readonly billing_mode_updated_at: number | null
  readonly start_date: number
  readonly trial_start: number | null
  readonly trial_end: number | null
  readonly trial_missing: 'cancel' | 'create_invoice' | 'pause'
  readonly trial_anchor: 'now' | 'unchanged' | null
  /**
   * Whether the time between the end of a trial and a later anchor is charged; the creation
   * decides.
   */
  readonly stub: 'create_prorations' | 'none'
  readonly cancel_at: number | null
  readonly cancel_at_period_end: boolean
  readonly canceled_at: number | null
  readonly ended_at: number | null
  readonly cancellation_details: CancellationDetails
  readonly default_payment_method: string | null
  readonly default_source: string | null
  readonly default_tax_rates: readonly string[]
  readonly automatic_tax: AutomaticTaxRow
  readonly description: string | null
  readonly discounts: readonly string[]
  readonly latest_invoice: string | null
  readonly metadata: Metadata
  readonly pause_collection: { readonly behavior: PauseBehavior; readonly resumes_at: number | null } | null
  /** The reason and the start of the status `paused`. */
  readonly paused: { readonly at: number; readonly type: 'pause_requested' | 'trial_end_without_payment_method' } | null
  readonly payment_settings: PaymentSettingsRow
  readonly invoice_settings: InvoiceSettingsRow
  readonly pending_invoice_item_interval: { readonly interval: Interval; readonly interval_count: number } | null
  /** The next instant at which this interval bills pending items. */
  readonly next_pending: number | null
  readonly billing_thresholds: Json
  readonly application: string | null
  readonly application_fee_percent: number | null
  readonly on_behalf_of: string | null
  readonly transfer_data: Json
  readonly schedule: string | null
  /** Exists when the creation had nothing to pay; not cancelled together with the subscription. */
  readonly setup_intent?: string | null
}

export interface PaymentSettingsRow {
  readonly payment_method_options: Json
  readonly payment_method_types: readonly string[] | null
  readonly save_default_payment_method: 'off' | 'on_subscription'
}

export interface InvoiceSettingsRow {
  readonly account_tax_ids: readonly string[] | null
  readonly custom_fields: readonly { readonly name: string; readonly value: string }[] | null
  readonly description: string | null
  readonly footer: string | null
  readonly issuer: Json
}

const live = new Set<SubscriptionStatus>(['active', 'incomplete', 'past_due', 'paused', 'trialing', 'unpaid'])

export const subscriptions: TableDefinition<SubscriptionRow> = {
  name: 'subscriptions',
  indexes: {
    customer: (row) => row.customer,
    live: (row) => (live.has(row.status) ? row.customer : undefined),
    price: (row) => [...new Set(row.items.map((item) => item.price))],
    item: (row) => row.items.map((item) => item.id),
    status: (row) => row.status,
  },
}

type InvoiceStatus = 'draft' | 'open' | 'paid' | 'uncollectible' | 'void'

export type BillingReason =
  | 'manual'
  | 'subscription_create'
  | 'subscription_cycle'
  | 'subscription_update'
  | 'automatic_pending_invoice_item_invoice'
  | 'upcoming'

export interface InvoiceRow extends Row {
  readonly customer: string
  readonly subscription: string | null
  readonly subscription_metadata: Metadata
  readonly status: InvoiceStatus
  readonly currency: string
  readonly billing_reason: BillingReason
  readonly collection_method: 'charge_automatically' | 'send_invoice'
  readonly auto_advance: boolean
  /** When the draft finalizes automatically; null when it does not. */
  readonly finalizes_at: number | null
  readonly next_payment_attempt: number | null
  readonly attempt_count: number
  readonly attempted: boolean
  /** The instant of the first attempt: retries are counted from it. */
  readonly first_attempt: number | null
  readonly due_date: number | null
  readonly days_until_due: number | null
  readonly period_start: number
  readonly period_end: number
  readonly lines: readonly Line[]
  /** Invoice-level discounts, by id. */
  readonly discounts: readonly string[]
  readonly default_payment_method: string | null
  readonly default_source: string | null
  readonly default_tax_rates: readonly string[]
  readonly automatic_tax: { readonly enabled: boolean; readonly status: 'complete' | 'requires_location_inputs' | null }
  readonly payment_settings: PaymentSettingsRow
  readonly description: string | null
  readonly footer: string | null
  readonly custom_fields: InvoiceSettingsRow['custom_fields']
  readonly statement_descriptor: string | null
  readonly metadata: Metadata
  readonly number: string | null
  readonly subtotal: number
  readonly subtotal_excluding_tax: number
  readonly total: number
  readonly total_excluding_tax: number
  readonly taken: readonly TakenOff[]
  readonly taxes: readonly LineTax[]
  readonly starting_balance: number
  readonly ending_balance: number | null
  readonly amount_due: number
  readonly amount_paid: number
  /** The sums of its credit notes, before and after its payment. */
  readonly credited?: { readonly before: number; readonly after: number }
  readonly payment_intent: string | null
  readonly finalized_at: number | null
  readonly paid_at: number | null
  readonly voided_at: number | null
  readonly marked_uncollectible_at: number | null
  readonly webhooks_delivered_at: number | null
  /** Why the last finalization failed. */
  readonly finalization_error?: { readonly code: string; readonly message: string }
  /** The `invoice.created` event: the draft waits until an endpoint has acknowledged it. */
  readonly created_event: string | null
}

export const invoices: TableDefinition<InvoiceRow> = {
  name: 'invoices',
  indexes: {
    customer: (row) => row.customer,
    subscription: (row) => row.subscription ?? undefined,
    /** Every invoice that may still be collected, by customer. */
    unsettled: (row) => (row.status === 'open' || row.status === 'draft' ? row.customer : undefined),
    status: (row) => (row.status === 'paid' || row.status === 'void' ? undefined : row.status),
  },
}

export interface InvoiceItemRow extends Row {
  readonly customer: string
  readonly subscription: string | null
  readonly subscription_item: string | null
  readonly invoice: string | null
  readonly amount: number
  readonly currency: string
  readonly description: string | null
  readonly discountable: boolean
  readonly discounts: readonly string[]
  readonly metadata: Metadata
  readonly period: { readonly start: number; readonly end: number }
  readonly price: string | null
  readonly product: string | null
  readonly unit_amount_decimal: string
  readonly proration: boolean
  readonly quantity: number
  /** For an amount or a price of this item alone; a price of the catalog has its own. */
  readonly tax_behavior?: 'exclusive' | 'inclusive' | 'unspecified'
  readonly tax_rates: readonly string[]
}

export const invoiceItems: TableDefinition<InvoiceItemRow> = {
  name: 'invoice_items',
  indexes: {
    customer: (row) => row.customer,
    pending: (row) => (row.invoice === null ? row.customer : undefined),
    invoice: (row) => row.invoice ?? undefined,
  },
}

type IntentStatus =
  | 'requires_payment_method'
  | 'requires_confirmation'
  | 'requires_action'
  | 'processing'
  | 'succeeded'
  | 'canceled'

export interface PaymentError {
  readonly type: 'card_error' | 'invalid_request_error'
  readonly code: string
  readonly decline_code: string | null
  readonly message: string
}

export interface PaymentIntentRow extends Row {
  readonly customer: string
  readonly invoice: string | null
  readonly amount: number
  readonly currency: string
  readonly status: IntentStatus
  readonly payment_method: string | null
  readonly latest_charge: string | null
  readonly last_payment_error: PaymentError | null
  /** How a `processing` payment will fail; null: it succeeds. */
  readonly failing: { readonly code: string; readonly decline_code: string | null; readonly message: string } | null
  readonly description: string | null
  readonly metadata: Metadata
  readonly canceled_at: number | null
}

export const paymentIntents: TableDefinition<PaymentIntentRow> = {
  name: 'payment_intents',
  indexes: { customer: (row) => row.customer },
}

export interface ChargeRow extends Row {
  readonly customer: string
  readonly invoice: string | null
  readonly subscription: string | null
  readonly payment_intent: string | null
  readonly payment_method: string | null
  readonly amount: number
  readonly amount_refunded: number
  readonly currency: string
  readonly status: 'succeeded' | 'failed' | 'pending'
  readonly failure: PaymentError | null
  readonly description: string | null
  readonly disputed: boolean
  readonly metadata: Metadata
}

export const charges: TableDefinition<ChargeRow> = {
  name: 'charges',
  indexes: { customer: (row) => row.customer },
}

export interface RefundRow extends Row {
  readonly customer: string
  readonly charge: string
  readonly payment_intent: string | null
  readonly amount: number
  readonly currency: string
  readonly reason: 'duplicate' | 'fraudulent' | 'requested_by_customer' | null
  readonly status: 'succeeded' | 'pending' | 'failed' | 'canceled'
  readonly metadata: Metadata
}

export const refunds: TableDefinition<RefundRow> = {
  name: 'refunds',
  indexes: {
    charge: (row) => row.charge,
    intent: (row) => row.payment_intent ?? undefined,
  },
}
