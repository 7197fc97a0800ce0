// The rows of subscription schedules
// (https://docs.stripe.com/billing/subscriptions/subscription-schedules).
import type { Context } from '../../kernel/context.ts'
import type { Row, TableDefinition } from '../../kernel/tables.ts'
import type { Metadata } from './rows.ts'

export interface PhaseRow {
  readonly start_date: number
  readonly end_date: number
  readonly currency: string
  /** The terms of the phase; at its start they become an update of the subscription. */
  readonly given: PhaseGivenRow
}

export interface PhaseItemRow {
  readonly price: string
  readonly quantity: number | null
  readonly metadata: Metadata
  readonly tax_rates: readonly string[]
  readonly discounts: readonly DiscountNamed[]
}

export interface DiscountNamed {
  readonly coupon?: string
  readonly discount?: string
  readonly promotion_code?: string
}

export interface PhaseGivenRow {
  readonly items: readonly PhaseItemRow[]
  /** Null: inherit the customer's discounts; empty: none. */
  readonly discounts: readonly DiscountNamed[] | null
  readonly proration_behavior: 'always_invoice' | 'create_prorations' | 'none'
  readonly billing_cycle_anchor: 'automatic' | 'phase_start' | null
  readonly collection_method: 'charge_automatically' | 'send_invoice' | null
  readonly days_until_due: number | null
  readonly default_payment_method: string | null
  readonly default_tax_rates: readonly string[]
  readonly automatic_tax: boolean | null
  readonly description: string | null
  readonly metadata: Metadata
  readonly trial_end: number | null
}

type ScheduleStatus = 'active' | 'canceled' | 'completed' | 'not_started' | 'released'

export interface ScheduleRow extends Row {
  readonly customer: string
  readonly status: ScheduleStatus
  readonly subscription: string | null
  readonly released_subscription: string | null
  readonly canceled_at: number | null
  readonly completed_at: number | null
  readonly released_at: number | null
  readonly end_behavior: 'cancel' | 'none' | 'release' | 'renew'
  readonly billing_mode: 'classic' | 'flexible'
  readonly metadata: Metadata
  readonly phases: readonly PhaseRow[]
  readonly default_settings: {
    readonly billing_cycle_anchor: 'automatic' | 'phase_start'
    readonly collection_method: 'charge_automatically' | 'send_invoice' | null
    readonly default_payment_method: string | null
    readonly description: string | null
    readonly days_until_due: number | null
    readonly automatic_tax: boolean
  }
}

export const schedules: TableDefinition<ScheduleRow> = {
  name: 'subscription_schedules',
  indexes: {
    customer: (row) => row.customer,
    /** Schedules that may still bill. */
    running: (row) => (row.status === 'active' || row.status === 'not_started' ? row.customer : undefined),
  },
}

/** The currency that a schedule without an end locks for a customer. */
export function scheduledCurrency(context: Context, customer: string): string | null {
  const [row] = context.table(schedules).by('running', customer)
  return row?.phases[0]?.currency ?? null
}

/** The subscription of a schedule ended without its schedule. */
export function scheduleEnded(context: Context, id: string, how: 'canceled' | 'completed'): void {
  const row = context.table(schedules).get(id)
  if (row === undefined || row.status !== 'active') return
  if (context.scheduled('schedule.phase', id) !== undefined) context.unschedule('schedule.phase', id)
  context.table(schedules).put({
    ...row,
    status: how,
    ...(how === 'canceled' ? { canceled_at: context.now } : { completed_at: context.now }),
  })
}
