// Subscriptions, and the items that belong to them.
import { present } from '../../core/assert.ts'
import type { Json } from '../../core/json.ts'
import type { Context } from '../kernel/context.ts'
import { keepSubscription } from '../stripe/billing/cycling.ts'
import {
  type InvoiceSettingsRow,
  type ItemRow,
  type PaymentSettingsRow,
  type SubscriptionRow,
  invoiceItems,
} from '../stripe/billing/rows.ts'
import { prices } from '../stripe/prices.ts'
import { taxRateKind } from '../stripe/tax-rates.ts'
import { keepDiscount, keepPrice, keepTaxRate, keepUnreadDiscount } from './catalog.ts'
import { ensureMethod, keepMethod } from './people.ts'
import { Live } from './reading.ts'
import { keepLiveSchedule } from './schedules.ts'

export function keepLiveSubscription(context: Context, live: Live): void {
  const customer = present(live.ref('customer'), `customer of ${live.id}`)
  const mode = live.inside('billing_mode')
  const pause = live.inside('pause_collection')
  const paused = live.inside('status_details')?.inside('paused') ?? null
  const trial = live.inside('trial_settings')?.inside('end_behavior') ?? null
  const tax = live.inside('automatic_tax')
  const details = live.inside('cancellation_details')
  const config = live.inside('billing_cycle_anchor_config')
  const interval = live.inside('pending_invoice_item_interval')
  const row: SubscriptionRow = {
    id: live.id,
    created: live.number('created'),
    customer,
    status: live.word('status', [
      'active',
      'canceled',
      'incomplete',
      'incomplete_expired',
      'past_due',
      'paused',
      'trialing',
      'unpaid',
    ]),
    currency: live.text('currency'),
    items: live.objects('items').map((item) => itemFrom(context, item, live.id)),
    collection_method: live.word('collection_method', ['charge_automatically', 'send_invoice']),
    days_until_due: live.numberOrNull('days_until_due'),
    billing_cycle_anchor: live.number('billing_cycle_anchor'),
    billing_cycle_anchor_config:
      config === null
        ? null
        : {
            day_of_month: config.number('day_of_month'),
            hour: config.numberOrNull('hour'),
            minute: config.numberOrNull('minute'),
            month: config.numberOrNull('month'),
            second: config.numberOrNull('second'),
          },
    billing_mode: mode?.word('type', ['classic', 'flexible']) ?? 'classic',
    proration_discounts: mode?.inside('flexible')?.word('proration_discounts', ['included', 'itemized']) ?? 'included',
    billing_mode_updated_at: mode?.numberOrNull('updated_at') ?? null,
    start_date: live.number('start_date'),
    trial_start: live.numberOrNull('trial_start'),
    trial_end: live.numberOrNull('trial_end'),
    trial_missing: trial?.word('missing_payment_method', ['create_invoice', 'cancel', 'pause']) ?? 'create_invoice',
    trial_anchor:
      trial === null || trial.any('billing_cycle_anchor') === null
        ? null
        : trial.word('billing_cycle_anchor', ['now', 'unchanged']),
    stub: 'none',
    cancel_at: live.numberOrNull('cancel_at'),
    cancel_at_period_end: live.flag('cancel_at_period_end'),
    canceled_at: live.numberOrNull('canceled_at'),
    ended_at: live.numberOrNull('ended_at'),
    cancellation_details: {
      comment: details?.textOrNull('comment') ?? null,
      feedback: details?.textOrNull('feedback') ?? null,
      feedback_option: null,
      reason:
        details === null || details.any('reason') === null
          ? null
          : details.word('reason', ['cancellation_requested', 'payment_disputed', 'payment_failed']),
    },
    default_payment_method: methodNamed(context, live, customer, 'default_payment_method'),
    default_source: methodNamed(context, live, customer, 'default_source'),
    default_tax_rates: ratesOf(context, live, 'default_tax_rates'),
    automatic_tax: { enabled: tax?.flag('enabled') ?? false, disabled_reason: null },
    description: live.textOrNull('description'),
    discounts: live.objects('discounts').map((discount) => keepDiscount(context, discount)),
    latest_invoice: live.ref('latest_invoice'),
    metadata: live.metadata(),
    pause_collection:
      pause === null
        ? null
        : {
            behavior: pause.word('behavior', ['void', 'keep_as_draft', 'mark_uncollectible']),
            resumes_at: pause.numberOrNull('resumes_at'),
          },
    paused:
      paused === null
        ? null
        : {
            at: paused.numberOrNull('transitioned_at') ?? live.number('created'),
            type:
              paused.inside('subscription')?.word('type', ['trial_end_without_payment_method', 'pause_requested']) ??
              'pause_requested',
          },
    payment_settings: paymentSettings(live),
    invoice_settings: invoiceSettings(live),
    pending_invoice_item_interval:
      interval === null
        ? null
        : {
            interval: interval.word('interval', ['month', 'day', 'week', 'year']),
            interval_count: interval.numberOrNull('interval_count') ?? 1,
          },
    next_pending: live.numberOrNull('next_pending_invoice_item_invoice'),
    billing_thresholds: live.any('billing_thresholds'),
    application: live.ref('application'),
    application_fee_percent: live.numberOrNull('application_fee_percent'),
    on_behalf_of: live.ref('on_behalf_of'),
    transfer_data: live.any('transfer_data'),
    schedule: live.ref('schedule'),
  }
  const schedule = live.inside('schedule')
  if (schedule !== null) keepLiveSchedule(context, schedule)
  keepSubscription(context, row)
}

function methodNamed(context: Context, live: Live, customer: string, field: string): string | null {
  const id = live.ref(field)
  const whole = live.inside(field)
  if (whole !== null) keepMethod(context, whole, customer)
  else if (id !== null) ensureMethod(context, id, customer)
  return id
}

function ratesOf(context: Context, live: Live, field: string): string[] {
  for (const rate of live.objects(field)) if (!context.table(taxRateKind.table).has(rate.id)) keepTaxRate(context, rate)
  return live.refs(field)
}

function itemFrom(context: Context, live: Live, subscription: string): ItemRow {
  const price = present(live.ref('price'), `price of ${live.id}`)
  const whole = live.inside('price')
  if (whole !== null && !context.table(prices).has(price)) keepPrice(context, whole, true)
  return {
    id: live.id,
    created: live.number('created'),
    price,
    quantity: live.numberOrNull('quantity'),
    metadata: live.metadata(),
    tax_rates: ratesOf(context, live, 'tax_rates'),
    discounts: live
      .each('discounts')
      .map((entry) =>
        typeof entry === 'string'
          ? keepUnreadDiscount(context, entry, { subscription, item: live.id })
          : keepDiscount(context, new Live(entry, `${live.id}.discounts`)),
      ),
    billing_thresholds: live.any('billing_thresholds'),
    current_period_start: live.number('current_period_start'),
    current_period_end: live.number('current_period_end'),
  }
}

function paymentSettings(live: Live): PaymentSettingsRow {
  const settings = live.inside('payment_settings')
  return {
    payment_method_options: settings?.any('payment_method_options') ?? null,
    payment_method_types:
      settings === null || settings.any('payment_method_types') === null ? null : settings.refs('payment_method_types'),
    save_default_payment_method: settings?.word('save_default_payment_method', ['off', 'on_subscription']) ?? 'off',
  }
}

function invoiceSettings(live: Live): InvoiceSettingsRow {
  const settings = live.inside('invoice_settings')
  const issuer: Json = settings?.any('issuer') ?? { type: 'self' }
  return { account_tax_ids: null, custom_fields: null, description: null, footer: null, issuer }
}

/** An item that is billed with the customer's next invoice. */
export function keepPendingItem(context: Context, live: Live): void {
  const amount = live.number('amount')
  const period = live.inside('period')
  context.table(invoiceItems).put({
    id: live.id,
    created: live.numberOrNull('date') ?? live.numberOrNull('created') ?? context.now,
    customer: present(live.ref('customer'), `customer of ${live.id}`),
    subscription: live.inside('parent')?.inside('subscription_details')?.ref('subscription') ?? null,
    subscription_item: null,
    invoice: null,
    amount,
    currency: live.text('currency'),
    description: live.textOrNull('description'),
    discountable: live.flag('discountable', true),
    discounts: [],
    metadata: live.metadata(),
    period: { start: period?.number('start') ?? context.now, end: period?.number('end') ?? context.now },
    price: null,
    product: null,
    unit_amount_decimal: String(amount),
    proration: live.flag('proration'),
    quantity: live.numberOrNull('quantity') ?? 1,
    tax_rates: [],
  })
}
