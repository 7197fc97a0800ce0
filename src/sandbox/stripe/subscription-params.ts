// The closed parameters of requests about subscriptions, for API version 2026-10-28.endive
// (https://docs.stripe.com/api/subscriptions).
import {
  currency,
  decimal,
  either,
  emptyable,
  fields,
  flag,
  int,
  list,
  metadata,
  oneOf,
  range,
  required,
  text,
  time,
  type Parsed,
  type Schema,
} from '../kernel/params.ts'
import type { Raw } from '../kernel/form.ts'
import { paging } from '../kernel/lists.ts'

/** A value that is stored and returned as given. */
const asGiven: Schema<Given> = { parse: (raw) => plain(raw) }

type Given = string | { readonly [key: string]: Given }

function plain(raw: Raw): Given {
  return typeof raw === 'string' ? raw : Object.fromEntries([...raw].map(([key, value]) => [key, plain(value)]))
}

const interval = oneOf('day', 'week', 'month', 'year')
const taxBehavior = oneOf('exclusive', 'inclusive', 'unspecified')

export const discountsGiven = emptyable(
  list(fields({ coupon: text(), discount: text(), promotion_code: text() }), { max: 20 }),
)
export type DiscountsGiven = Parsed<typeof discountsGiven>

const recurringPriceData = fields({
  currency: required(currency),
  product: required(text()),
  recurring: required(fields({ interval: required(interval), interval_count: int({ min: 1 }) })),
  tax_behavior: taxBehavior,
  unit_amount: int({ min: 0 }),
  unit_amount_decimal: decimal({ min: 0 }),
})
export type RecurringPriceData = Parsed<typeof recurringPriceData>

export const oncePriceData = fields({
  currency: required(currency),
  product: required(text()),
  tax_behavior: taxBehavior,
  unit_amount: int(),
  unit_amount_decimal: decimal(),
})

export const itemShape = {
  billing_thresholds: emptyable(fields({ usage_gte: required(int({ min: 1 })) })),
  current_trial: fields({ trial_offer: required(text()) }),
  discounts: discountsGiven,
  metadata: metadata(),
  plan: text(),
  price: text(),
  price_data: recurringPriceData,
  quantity: int({ min: 0 }),
  tax_rates: emptyable(list(text(), { max: 10 })),
}
const itemGiven = fields(itemShape)
export type ItemGiven = Parsed<typeof itemGiven>
const itemChange = fields({ ...itemShape, id: text(), deleted: flag(), clear_usage: flag() })
export type ItemChange = Parsed<typeof itemChange>

const timePoint = fields({ type: required(text()), timestamp: time() })
const addedItem = fields({
  discountable: flag(),
  discounts: list(fields({ coupon: text(), discount: text(), promotion_code: text() }), { max: 20 }),
  metadata: metadata(),
  period: fields({ start: required(timePoint), end: required(timePoint) }),
  price: text(),
  price_data: oncePriceData,
  quantity: int({ min: 0 }),
  tax_rates: emptyable(list(text(), { max: 10 })),
})
export type AddedItem = Parsed<typeof addedItem>

const automaticTax = fields({
  enabled: required(flag()),
  liability: fields({ account: text(), type: required(oneOf('account', 'self')) }),
})
const cancelAt = either(oneOf('max_billed_until', 'max_period_end', 'min_period_end'), time())
const trialEnd = either(oneOf('now'), time())
const trialSettings = fields({
  end_behavior: required(
    fields({
      billing_cycle_anchor: oneOf('now', 'unchanged'),
      missing_payment_method: oneOf('cancel', 'create_invoice', 'pause'),
    }),
  ),
})
const paymentSettings = fields({
  payment_method_options: asGiven,
  payment_method_types: emptyable(list(text())),
  save_default_payment_method: oneOf('off', 'on_subscription'),
})
const invoiceSettings = fields({
  account_tax_ids: emptyable(list(text())),
  custom_fields: emptyable(list(fields({ name: required(text()), value: required(text()) }), { max: 4 })),
  description: emptyable(text()),
  footer: emptyable(text()),
  issuer: fields({ account: text(), type: required(oneOf('account', 'self')) }),
})
const billingMode = fields({
  flexible: fields({ proration_discounts: oneOf('included', 'itemized') }),
  type: required(oneOf('classic', 'flexible')),
})
const pendingInterval = emptyable(fields({ interval: required(interval), interval_count: int({ min: 1 }) }))
const cancellationDetails = fields({
  comment: emptyable(text()),
  feedback: emptyable(
    oneOf(
      'customer_service',
      'low_quality',
      'missing_features',
      'other',
      'switched_service',
      'too_complex',
      'too_expensive',
      'unused',
    ),
  ),
  feedback_option: text(),
})
const prorationBehavior = oneOf('always_invoice', 'create_prorations', 'none')
const paymentBehavior = oneOf('allow_incomplete', 'default_incomplete', 'error_if_incomplete', 'pending_if_incomplete')
const thresholds = emptyable(fields({ amount_gte: int({ min: 1 }), reset_billing_cycle_anchor: flag() }))
const transferData = fields({ amount_percent: decimal({ min: 0, max: 100, places: 2 }), destination: required(text()) })

/** Parameters that creation and update share. */
const terms = {
  add_invoice_items: list(addedItem, { max: 20 }),
  application_fee_percent: emptyable(decimal({ min: 0, max: 100, places: 2 })),
  automatic_tax: automaticTax,
  billing_thresholds: thresholds,
  cancel_at_period_end: flag(),
  collection_method: oneOf('charge_automatically', 'send_invoice'),
  days_until_due: int({ min: 0 }),
  default_payment_method: text(),
  default_tax_rates: emptyable(list(text(), { max: 10 })),
  discounts: discountsGiven,
  invoice_settings: invoiceSettings,
  metadata: metadata(),
  off_session: flag(),
  on_behalf_of: emptyable(text()),
  payment_behavior: paymentBehavior,
  payment_settings: paymentSettings,
  pending_invoice_item_interval: pendingInterval,
  proration_behavior: prorationBehavior,
  trial_end: trialEnd,
  trial_from_plan: flag(),
  trial_settings: trialSettings,
}

export const createParams = fields({
  ...terms,
  backdate_start_date: time(),
  billing_cycle_anchor: time(),
  billing_cycle_anchor_config: fields({
    day_of_month: required(int({ min: 1, max: 31 })),
    hour: int({ min: 0, max: 23 }),
    minute: int({ min: 0, max: 59 }),
    month: int({ min: 1, max: 12 }),
    second: int({ min: 0, max: 59 }),
  }),
  billing_mode: billingMode,
  cancel_at: cancelAt,
  currency,
  customer: required(text()),
  default_source: text(),
  description: text({ max: 500 }),
  items: list(itemGiven, { min: 1, max: 20 }),
  transfer_data: transferData,
  trial_period_days: int({ min: 0, max: 730 }),
})
export type CreateGiven = Parsed<typeof createParams>

export const updateParams = fields({
  ...terms,
  billing_cycle_anchor: fields({ type: required(oneOf('now', 'unchanged')) }),
  cancel_at: emptyable(cancelAt),
  cancellation_details: cancellationDetails,
  default_source: emptyable(text()),
  description: emptyable(text({ max: 500 })),
  items: list(itemChange, { max: 20 }),
  pause_collection: emptyable(
    fields({ behavior: required(oneOf('keep_as_draft', 'mark_uncollectible', 'void')), resumes_at: time() }),
  ),
  proration_date: time(),
  transfer_data: emptyable(transferData),
})
export type UpdateGiven = Parsed<typeof updateParams>

export const cancelParams = fields({ cancellation_details: cancellationDetails, invoice_now: flag(), prorate: flag() })
export type CancelGiven = Parsed<typeof cancelParams>

export const listParams = fields({
  ...paging,
  automatic_tax: fields({ enabled: required(flag()) }),
  collection_method: oneOf('charge_automatically', 'send_invoice'),
  created: range(),
  current_period_end: range(),
  current_period_start: range(),
  customer: text(),
  price: text(),
  status: oneOf(
    'active',
    'all',
    'canceled',
    'ended',
    'incomplete',
    'incomplete_expired',
    'past_due',
    'paused',
    'trialing',
    'unpaid',
  ),
  test_clock: text(),
})

export const pauseParams = fields({
  bill_for: fields({
    outstanding_usage_through: fields({ type: required(oneOf('none', 'now')) }),
    unused_time_from: fields({ type: required(oneOf('item_current_period_start', 'none', 'now')) }),
  }),
  invoicing_behavior: oneOf('invoice', 'pending_invoice_item'),
  type: oneOf('subscription'),
})
export type PauseGiven = Parsed<typeof pauseParams>

export const resumeParams = fields({
  billing_cycle_anchor: fields({ type: required(oneOf('now', 'unchanged')) }),
  payment_behavior: oneOf('resume_on_payment_attempt', 'resume_on_payment_success'),
  proration_behavior: prorationBehavior,
  proration_date: time(),
})
export type ResumeGiven = Parsed<typeof resumeParams>

export const migrateParams = fields({
  billing_mode: required(
    fields({
      flexible: fields({ proration_discounts: oneOf('included', 'itemized') }),
      type: required(oneOf('flexible')),
    }),
  ),
})

/** The part of a preview request that describes an existing or a possible subscription. */
export const previewSubscription = fields({
  billing_cycle_anchor: fields({ type: required(oneOf('now', 'unchanged', 'timestamp')), timestamp: time() }),
  billing_mode: billingMode,
  cancel_at: emptyable(cancelAt),
  cancel_at_period_end: flag(),
  cancel_now: flag(),
  default_tax_rates: emptyable(list(text(), { max: 10 })),
  items: list(itemChange, { max: 20 }),
  metadata: metadata(),
  proration_behavior: prorationBehavior,
  proration_date: time(),
  resume_at: oneOf('now'),
  start_date: time(),
  trial_end: trialEnd,
})
export type PreviewSubscription = Parsed<typeof previewSubscription>
