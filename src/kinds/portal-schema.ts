import { closed, count, flag, referenceTo, listOf, metadataSchema, oneOf, optional, text, url } from './schema.ts'

const enabled = flag('Whether customers can use it')
const proration = oneOf(['none', 'create_prorations', 'always_invoice'], 'How unused time is credited')

const reasons = [
  'customer_service',
  'low_quality',
  'missing_features',
  'other',
  'switched_service',
  'too_complex',
  'too_expensive',
  'unused',
]

const cancel = closed({
  enabled,
  mode: optional(oneOf(['at_period_end', 'immediately'], 'When it ends')),
  proration_behavior: optional(proration),
  cancellation_reason: optional(
    closed({
      enabled: flag('Whether customers are asked for a reason'),
      options: listOf(oneOf(reasons, 'Reasons that customers can choose'), { uniqueItems: true }),
      feedback_options: optional(listOf(text('Id of a custom answer'), { uniqueItems: true })),
    }),
  ),
})

const offered = closed({
  product: referenceTo('products'),
  prices: listOf(referenceTo('prices'), { minItems: 1, uniqueItems: true }),
  adjustable_quantity: optional(
    closed({ enabled, minimum: optional(count('Minimum', 0)), maximum: optional(count('Maximum')) }),
  ),
})

const update = closed({
  enabled,
  billing_cycle_anchor: optional(oneOf(['now', 'unchanged'], 'Effect of a change on the renewal dates')),
  default_allowed_updates: optional(
    listOf(oneOf(['price', 'quantity', 'promotion_code'], 'What customers can change'), { uniqueItems: true }),
  ),
  products: optional(listOf(offered, { maxItems: 10, description: 'Prices to which customers can change' })),
  proration_behavior: optional(proration),
  schedule_at_period_end: optional(
    closed({
      conditions: listOf(
        closed({
          type: oneOf(['decreasing_item_amount', 'shortening_interval'], 'Changes that wait for the end of the period'),
        }),
      ),
    }),
  ),
  trial_update_behavior: optional(oneOf(['continue_trial', 'end_trial'], 'Effect of a change on a trial')),
})

/** Schema of an entry of `portal_configurations:`. */
export const portalSchema = closed({
  name: optional(text('A name for people', 100)),
  active: optional(flag('Whether portal sessions can use it')),
  business_profile: optional(
    closed({
      headline: optional(text('Headline at the top of the portal', 60)),
      privacy_policy_url: optional(url('Privacy policy')),
      terms_of_service_url: optional(url('Terms of service')),
    }),
  ),
  default_return_url: optional(url('Page to which customers return')),
  login_page: optional(closed({ enabled: flag('Whether customers can log in through a shared link') })),
  features: closed({
    customer_update: optional(
      closed({
        enabled,
        allowed_updates: optional(
          listOf(oneOf(['address', 'email', 'name', 'phone', 'shipping', 'tax_id'], 'What customers can change'), {
            uniqueItems: true,
          }),
        ),
      }),
    ),
    invoice_history: optional(closed({ enabled })),
    payment_method_update: optional(
      closed({ enabled, payment_method_configuration: optional(referenceTo('payment_method_configurations')) }),
    ),
    subscription_cancel: optional(cancel),
    subscription_pause: optional(
      closed({
        enabled,
        duration: optional(
          closed({
            type: oneOf(['indefinite', 'interval_options'], 'Duration of a pause'),
            interval_options: optional(
              listOf(
                closed({
                  interval: oneOf(['day', 'week', 'month', 'year'], 'Unit of time'),
                  interval_count: optional(count('Number of intervals')),
                }),
              ),
            ),
          }),
        ),
      }),
    ),
    subscription_update: optional(update),
  }),
  metadata: optional(metadataSchema),
})
