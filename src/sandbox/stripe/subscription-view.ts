// A subscription as Stripe shows it (https://docs.stripe.com/api/subscriptions/object), API version
// 2026-10-28.endive.
import type Stripe from 'stripe'
import { present } from '../../core/assert.ts'
import type { Context } from '../kernel/context.ts'
import type { Wire } from '../kernel/wire.ts'
import { running } from './billing/discounts.ts'
import type { ItemRow, SubscriptionRow } from './billing/rows.ts'
import { clockOfCustomer } from './customer-row.ts'
import { prices, renderPrice, type PriceRow } from './prices.ts'
import { pendingSetup } from './setup-intents.ts'
import { renderTaxRate, taxRateKind } from './tax-rates.ts'

export function renderSubscription(context: Context, row: SubscriptionRow): Wire<Stripe.Subscription> {
  return {
    id: row.id,
    object: 'subscription',
    application: row.application,
    application_fee_percent: row.application_fee_percent,
    automatic_tax: {
      disabled_reason: row.automatic_tax.disabled_reason,
      enabled: row.automatic_tax.enabled,
      liability: row.automatic_tax.enabled ? { type: 'self' } : null,
    },
    billing_cycle_anchor: row.billing_cycle_anchor,
    billing_cycle_anchor_config: row.billing_cycle_anchor_config,
    billing_mode: {
      flexible: row.billing_mode === 'flexible' ? { proration_discounts: row.proration_discounts } : null,
      type: row.billing_mode,
      ...(row.billing_mode_updated_at === null ? {} : { updated_at: row.billing_mode_updated_at }),
    },
    billing_schedules: [],
    billing_thresholds: row.billing_thresholds as Wire<Stripe.Subscription.BillingThresholds> | null,
    cancel_at: row.cancel_at,
    cancel_at_period_end: row.cancel_at_period_end,
    canceled_at: row.canceled_at,
    cancellation_details: row.cancellation_details,
    collection_method: row.collection_method,
    created: row.created,
    currency: row.currency,
    customer: row.customer,
    customer_account: null,
    days_until_due: row.days_until_due,
    default_payment_method: row.default_payment_method,
    default_source: row.default_source,
    default_tax_rates: ratesShown(context, row.default_tax_rates),
    description: row.description,
    discounts: discountsShown(context, row, row.discounts),
    ended_at: row.ended_at,
    invoice_settings: {
      ...row.invoice_settings,
      issuer: row.invoice_settings.issuer as Wire<Stripe.Subscription.InvoiceSettings.Issuer>,
    },
    items: itemsShown(context, row),
    latest_invoice: row.latest_invoice,
    livemode: context.livemode,
    managed_payments: null,
    metadata: row.metadata,
    next_pending_invoice_item_invoice: row.next_pending,
    on_behalf_of: row.on_behalf_of,
    pause_collection: row.pause_collection,
    payment_settings: row.payment_settings as Wire<Stripe.Subscription.PaymentSettings>,
    pending_invoice_item_interval: row.pending_invoice_item_interval,
    pending_setup_intent: pendingSetup(context, row.setup_intent),
    pending_update: null,
    schedule: row.schedule,
    start_date: row.start_date,
    status: row.status,
    ...pausedShown(row),
    test_clock: clockOfCustomer(context, row.customer),
    transfer_data: row.transfer_data as Wire<Stripe.Subscription.TransferData> | null,
    trial_end: row.trial_end,
    trial_settings: {
      end_behavior: { billing_cycle_anchor: row.trial_anchor, missing_payment_method: row.trial_missing },
    },
    trial_start: row.trial_start,
  }
}

/**
 * Embedded lists show ten entries; whether this list shows all is open. `/v1/subscription_items`
 * has the rest.
 */
const shownItems = 10

function itemsShown(context: Context, row: SubscriptionRow): Wire<Stripe.ApiList<Stripe.SubscriptionItem>> {
  const shown = context.world.unsure.items_shown === 'all' ? row.items.length : shownItems
  const list = {
    object: 'list',
    data: row.items.slice(0, shown).map((item) => renderItem(context, row, item)),
    has_more: row.items.length > shown,
    total_count: row.items.length,
    url: `/v1/subscription_items?subscription=${row.id}`,
  }
  return list as unknown as Wire<Stripe.ApiList<Stripe.SubscriptionItem>>
}

/** The reason and the start of the status `paused`; absent otherwise. */
function pausedShown(row: SubscriptionRow): { readonly status_details?: Wire<Stripe.Subscription.StatusDetails> } {
  if (row.paused === null) return {}
  const { at, type } = row.paused
  return {
    status_details: { paused: { subscription: { type }, transitioned_at: at, type: 'subscription' } },
  }
}

/**
 * Discounts that ended are not shown, even before the next invoice; an ended subscription keeps its
 * discounts.
 */
function discountsShown(context: Context, row: SubscriptionRow, ids: readonly string[]): readonly string[] {
  if (ids.length === 0) return ids
  return running(context, ids, row.ended_at ?? context.now).map((discount) => discount.id)
}

export function renderItem(context: Context, row: SubscriptionRow, item: ItemRow): Wire<Stripe.SubscriptionItem> {
  const price = present(context.table(prices).get(item.price), item.price)
  return {
    id: item.id,
    object: 'subscription_item',
    billing_thresholds: item.billing_thresholds as Wire<Stripe.SubscriptionItem.BillingThresholds> | null,
    created: item.created,
    current_period_end: item.current_period_end,
    current_period_start: item.current_period_start,
    current_trial: null,
    discounts: discountsShown(context, row, item.discounts),
    metadata: item.metadata,
    plan: renderPlan(context, price),
    price: renderPrice(context, price),
    ...(item.quantity === null ? {} : { quantity: item.quantity }),
    subscription: row.id,
    tax_rates: ratesShown(context, item.tax_rates),
  }
}

export function ratesShown(context: Context, ids: readonly string[]): readonly Wire<Stripe.TaxRate>[] {
  return ids.map((id) => renderTaxRate(context, present(context.table(taxRateKind.table).get(id), id)))
}

/** The old form of a price, which Stripe still shows. */
function renderPlan(context: Context, price: PriceRow): Wire<Stripe.Plan> {
  const { recurring, transform_quantity } = price
  return {
    id: price.id,
    object: 'plan',
    active: price.active,
    amount: price.unit_amount,
    amount_decimal: price.unit_amount_decimal,
    billing_scheme: price.billing_scheme,
    created: price.created,
    currency: price.currency,
    interval: recurring?.interval ?? 'month',
    interval_count: recurring?.interval_count ?? 1,
    livemode: context.livemode,
    metadata: price.metadata,
    meter: recurring?.meter ?? null,
    nickname: price.nickname,
    product: price.product,
    tiers_mode: price.tiers_mode,
    transform_usage: transform_quantity,
    trial_period_days: recurring?.trial_period_days ?? null,
    usage_type: recurring?.usage_type ?? 'licensed',
  }
}
