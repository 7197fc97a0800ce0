// What members can do in a portal: the features of a configuration, read, merged and checked.
import type Stripe from 'stripe'
import type { Context } from '../kernel/context.ts'
import { invalid } from '../kernel/errors.ts'
import { find } from '../kernel/kind.ts'
import { emptyable, fields, flag, int, list, oneOf, required, text, type Parsed } from '../kernel/params.ts'
import type { Wire } from '../kernel/wire.ts'
import { prices } from './prices.ts'
import { productKind } from './product-row.ts'

export type PortalFeatures = Wire<Stripe.BillingPortal.Configuration.Features>

const proration = oneOf('always_invoice', 'create_prorations', 'none')
const enabled = flag()
export const portalFeatures = fields({
  customer_update: fields({
    allowed_updates: emptyable(list(oneOf('address', 'email', 'name', 'phone', 'shipping', 'tax_id'))),
    enabled,
  }),
  invoice_history: fields({ enabled: required(flag()) }),
  payment_method_update: fields({ enabled: required(flag()), payment_method_configuration: emptyable(text()) }),
  subscription_cancel: fields({
    cancellation_reason: fields({
      enabled: required(flag()),
      feedback_options: emptyable(list(text())),
      options: emptyable(
        list(
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
      ),
    }),
    enabled,
    mode: oneOf('at_period_end', 'immediately'),
    proration_behavior: proration,
  }),
  subscription_pause: fields({
    duration: fields({
      interval_options: emptyable(
        list(fields({ interval: required(oneOf('day', 'month', 'week', 'year')), interval_count: int({ min: 1 }) })),
      ),
      type: required(oneOf('indefinite', 'interval_options')),
    }),
    enabled,
  }),
  subscription_update: fields({
    billing_cycle_anchor: oneOf('now', 'unchanged'),
    default_allowed_updates: emptyable(list(oneOf('price', 'promotion_code', 'quantity'))),
    enabled,
    products: emptyable(
      list(
        fields({
          adjustable_quantity: fields({
            enabled: required(flag()),
            maximum: int({ min: 1 }),
            minimum: int({ min: 0 }),
          }),
          prices: required(list(text(), { min: 1 })),
          product: required(text()),
        }),
        { max: 10 },
      ),
    ),
    proration_behavior: proration,
    schedule_at_period_end: fields({
      conditions: emptyable(list(fields({ type: required(oneOf('decreasing_item_amount', 'shortening_interval')) }))),
    }),
    trial_update_behavior: oneOf('continue_trial', 'end_trial'),
  }),
})

/** All features disabled, with Stripe's defaults for the rest. */
export const noFeatures: PortalFeatures = {
  customer_update: { allowed_updates: [], enabled: false },
  invoice_history: { enabled: false },
  payment_method_update: { enabled: false, payment_method_configuration: null },
  subscription_cancel: {
    cancellation_reason: { enabled: false, feedback_options: null, options: [] },
    enabled: false,
    mode: 'at_period_end',
    proration_behavior: 'none',
  },
  subscription_pause: { duration: { interval_options: [], type: 'indefinite' }, enabled: false },
  subscription_update: {
    billing_cycle_anchor: null,
    default_allowed_updates: [],
    enabled: false,
    products: [],
    proration_behavior: 'none',
    schedule_at_period_end: { conditions: [] },
    trial_update_behavior: 'end_trial',
  },
}

/**
 * Merges the features of a request into the existing ones; a field that the request does not name
 * keeps its value.
 */
export function mergeFeatures(
  context: Context,
  before: PortalFeatures,
  given: Parsed<typeof portalFeatures>,
): PortalFeatures {
  const { customer_update: update, invoice_history, payment_method_update: method } = given
  const { subscription_cancel: cancel, subscription_pause: pause, subscription_update: change } = given
  if (change?.products) checkProducts(context, change.products)
  const merged: PortalFeatures = {
    customer_update: {
      allowed_updates:
        update?.allowed_updates === undefined ? before.customer_update.allowed_updates : (update.allowed_updates ?? []),
      enabled: update?.enabled ?? before.customer_update.enabled,
    },
    invoice_history: invoice_history ?? before.invoice_history,
    payment_method_update: { ...before.payment_method_update, ...method },
    subscription_cancel: {
      ...before.subscription_cancel,
      ...cancel,
      cancellation_reason:
        cancel?.cancellation_reason === undefined
          ? before.subscription_cancel.cancellation_reason
          : {
              enabled: cancel.cancellation_reason.enabled,
              feedback_options:
                cancel.cancellation_reason.feedback_options === undefined
                  ? before.subscription_cancel.cancellation_reason.feedback_options
                  : cancel.cancellation_reason.feedback_options,
              options: cancel.cancellation_reason.options ?? [],
            },
    },
    subscription_pause: {
      enabled: pause?.enabled ?? before.subscription_pause.enabled,
      duration:
        pause?.duration === undefined
          ? before.subscription_pause.duration
          : {
              type: pause.duration.type,
              interval_options: (pause.duration.interval_options ?? []).map((option) => ({
                interval_count: 1,
                ...option,
              })),
            },
    },
    subscription_update: mergeUpdate(before.subscription_update, change),
  }
  if (merged.customer_update.enabled && merged.customer_update.allowed_updates.length === 0)
    throw missingPart('customer_update', 'allowed_updates')
  if (merged.subscription_update.enabled && merged.subscription_update.default_allowed_updates.length === 0)
    throw missingPart('subscription_update', 'default_allowed_updates')
  if (merged.subscription_update.enabled && merged.subscription_update.products?.length === 0)
    throw missingPart('subscription_update', 'products')
  return merged
}

function mergeUpdate(
  before: PortalFeatures['subscription_update'],
  given: Parsed<typeof portalFeatures>['subscription_update'],
): PortalFeatures['subscription_update'] {
  if (given === undefined) return before
  const { default_allowed_updates: allowed, products, schedule_at_period_end: schedule, ...rest } = given
  return {
    ...before,
    ...rest,
    default_allowed_updates: allowed === undefined ? before.default_allowed_updates : (allowed ?? []),
    products:
      products === undefined
        ? (before.products ?? [])
        : (products ?? []).map(({ adjustable_quantity: quantity, ...product }) => ({
            ...product,
            adjustable_quantity: {
              enabled: quantity?.enabled ?? false,
              maximum: quantity?.maximum ?? null,
              minimum: quantity?.minimum ?? 1,
            },
          })),
    schedule_at_period_end:
      schedule === undefined ? before.schedule_at_period_end : { conditions: schedule.conditions ?? [] },
  }
}

function checkProducts(
  context: Context,
  given: readonly { readonly product: string; readonly prices: readonly string[] }[],
): void {
  for (const [index, { product, prices: ids }] of given.entries()) {
    const param = `features[subscription_update][products][${index}]`
    find(context, productKind, product, `${param}[product]`)
    for (const id of ids) {
      const price = find(context, { table: prices, noun: 'price' }, id, `${param}[prices]`)
      if (price.product !== product)
        throw invalid(`The price ${id} does not belong to the product ${product}.`, { param: `${param}[prices]` })
      if (price.recurring === null) throw invalid(`The price ${id} is not recurring.`, { param: `${param}[prices]` })
    }
  }
}

function missingPart(feature: string, part: string) {
  const param = `features[${feature}][${part}]`
  return invalid(`Missing required param: ${param}.`, { code: 'parameter_missing', param })
}
