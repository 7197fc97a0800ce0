// Terms of a subscription that creation and update share: how it is collected, with which method,
// and when it ends.
import type { Context } from '../../kernel/context.ts'
import { invalid } from '../../kernel/errors.ts'
import type { CreateGiven, UpdateGiven } from '../subscription-params.ts'
import { nextBoundary } from './calendar.ts'
import { checkMethodOf, type CustomerFacts } from './lookups.ts'
import type { InvoiceSettingsRow, PaymentSettingsRow, SubscriptionRow } from './rows.ts'

type Collection = Pick<CreateGiven, 'collection_method' | 'days_until_due' | 'payment_behavior'>

/**
 * `send_invoice` needs `days_until_due` and an e-mail address; `charge_automatically` accepts no
 * due date.
 */
export function checkCollection(given: Collection, customer: CustomerFacts): void {
  if (given.payment_behavior === 'pending_if_incomplete')
    throw invalid('`payment_behavior` of `pending_if_incomplete` is only supported when updating a subscription.', {
      param: 'payment_behavior',
    })
  if (given.collection_method === 'send_invoice') {
    if (given.days_until_due === undefined)
      throw invalid('You must pass `days_until_due` when `collection_method` is `send_invoice`.', {
        code: 'parameter_missing',
        param: 'days_until_due',
      })
    if (customer.email === null)
      throw invalid('Customers must have an email address when `collection_method` is `send_invoice`.', {
        param: 'collection_method',
      })
  } else if (given.days_until_due !== undefined)
    throw invalid('`days_until_due` can only be set if `collection_method` is `send_invoice`.', {
      param: 'days_until_due',
    })
}

/** The named payment methods must belong to the customer. */
export function checkMethods(
  context: Context,
  given: { readonly default_payment_method?: string; readonly default_source?: string | null },
  customer: string,
): void {
  const { default_payment_method: method, default_source: source } = given
  if (method !== undefined) checkMethodOf(context, method, { customer, param: 'default_payment_method' })
  if (source !== undefined && source !== null) checkMethodOf(context, source, { customer, param: 'default_source' })
}

type Settings = Pick<
  UpdateGiven,
  'billing_thresholds' | 'invoice_settings' | 'payment_settings' | 'pending_invoice_item_interval'
>
type SettingsRow = Pick<
  SubscriptionRow,
  'billing_thresholds' | 'invoice_settings' | 'payment_settings' | 'pending_invoice_item_interval'
>

const noPaymentSettings: PaymentSettingsRow = {
  payment_method_options: null,
  payment_method_types: null,
  save_default_payment_method: 'off',
}
const noInvoiceSettings: InvoiceSettingsRow = {
  account_tax_ids: null,
  custom_fields: null,
  description: null,
  footer: null,
  issuer: { type: 'self' },
}

/** The given settings, merged into the existing ones. */
export function settingsGiven(given: Settings, before?: SettingsRow): SettingsRow {
  const { payment_settings: payment, invoice_settings: invoice, pending_invoice_item_interval: every } = given
  const paymentBefore = before?.payment_settings ?? noPaymentSettings
  const invoiceBefore = before?.invoice_settings ?? noInvoiceSettings
  return {
    billing_thresholds:
      given.billing_thresholds === undefined
        ? (before?.billing_thresholds ?? null)
        : given.billing_thresholds === null
          ? null
          : {
              amount_gte: given.billing_thresholds.amount_gte ?? null,
              reset_billing_cycle_anchor: given.billing_thresholds.reset_billing_cycle_anchor ?? false,
            },
    payment_settings:
      payment === undefined
        ? paymentBefore
        : {
            payment_method_options: payment.payment_method_options ?? paymentBefore.payment_method_options,
            payment_method_types:
              payment.payment_method_types === undefined
                ? paymentBefore.payment_method_types
                : payment.payment_method_types,
            save_default_payment_method:
              payment.save_default_payment_method ?? paymentBefore.save_default_payment_method,
          },
    invoice_settings: {
      ...invoiceBefore,
      ...Object.fromEntries(Object.entries(invoice ?? {}).filter(([, value]) => value !== undefined)),
    },
    pending_invoice_item_interval:
      every === undefined
        ? (before?.pending_invoice_item_interval ?? null)
        : every === null
          ? null
          : { interval: every.interval, interval_count: every.interval_count ?? 1 },
  }
}

/**
 * The next instant at which pending items are billed, counted from the anchor (API reference,
 * `pending_invoice_item_interval`).
 */
export function nextPending(context: Context, row: SubscriptionRow): number | null {
  const every = row.pending_invoice_item_interval
  if (every === null) return null
  const anchor = { at: row.billing_cycle_anchor }
  return nextBoundary(anchor, { interval: every.interval, count: every.interval_count }, context.now)
}

/**
 * The subscription with the requested end: `cancel_at` names an instant or the end of a period,
 * `cancel_at_period_end` moves with the period.
 */
export function endOf(
  context: Context,
  given: { readonly cancel_at?: UpdateGiven['cancel_at']; readonly cancel_at_period_end?: boolean },
  row: SubscriptionRow,
): SubscriptionRow {
  const { cancel_at: at, cancel_at_period_end: atEnd } = given
  if (at !== undefined && at !== null && atEnd === true)
    throw invalid('You may only specify one of these parameters: cancel_at, cancel_at_period_end.', {
      param: 'cancel_at',
    })
  if (at === undefined && atEnd === undefined) return row
  if (at === undefined)
    return {
      ...row,
      cancel_at_period_end: atEnd === true,
      cancel_at: atEnd === true ? firstEnd(row) : null,
      ...marked(context, row, atEnd === true),
    }
  if (at === null)
    return { ...row, cancel_at: null, cancel_at_period_end: atEnd ?? false, ...marked(context, row, atEnd === true) }
  const resolved = typeof at === 'number' ? at : namedEnd(row, at)
  if (resolved <= context.now) throw invalid('`cancel_at` must be a timestamp in the future.', { param: 'cancel_at' })
  return { ...row, cancel_at: resolved, cancel_at_period_end: false, ...marked(context, row, true) }
}

function marked(
  context: Context,
  row: SubscriptionRow,
  ends: boolean,
): Pick<SubscriptionRow, 'canceled_at' | 'cancellation_details'> {
  return {
    canceled_at: ends ? context.now : null,
    cancellation_details: { ...row.cancellation_details, reason: ends ? 'cancellation_requested' : null },
  }
}

function firstEnd(row: SubscriptionRow): number {
  return Math.min(...row.items.map((item) => item.current_period_end))
}

function namedEnd(row: SubscriptionRow, name: 'max_billed_until' | 'max_period_end' | 'min_period_end'): number {
  return name === 'min_period_end' ? firstEnd(row) : Math.max(...row.items.map((item) => item.current_period_end))
}
