import type { TSchema } from 'typebox'
import { closed, count, flag, keyOf, listOf, metadataSchema, oneOf, optional, text, url } from './schema.ts'

const enabled = flag('Whether customers can do it')
const proration = oneOf(['none', 'create_prorations', 'always_invoice'], 'What happens to the unused time')

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
      enabled: flag('Whether customers are asked why'),
      options: listOf(oneOf(reasons, 'What they can answer'), { uniqueItems: true }),
      feedback_options: optional(listOf(text('Id of an answer of your own'), { uniqueItems: true })),
    }),
  ),
})

const offered = closed({
  product: keyOf('products'),
  prices: listOf(keyOf('prices'), { minItems: 1, uniqueItems: true }),
  adjustable_quantity: optional(
    closed({ enabled, minimum: optional(count('Least', 0)), maximum: optional(count('Most')) }),
  ),
})

const update = closed({
  enabled,
  billing_cycle_anchor: optional(oneOf(['now', 'unchanged'], 'What a change does to the renewal dates')),
  default_allowed_updates: optional(
    listOf(oneOf(['price', 'quantity', 'promotion_code'], 'What they can change'), { uniqueItems: true }),
  ),
  products: optional(listOf(offered, { maxItems: 10, description: 'What they can change to' })),
  proration_behavior: optional(proration),
  schedule_at_period_end: optional(
    closed({
      conditions: listOf(
        closed({ type: oneOf(['decreasing_item_amount', 'shortening_interval'], 'Which changes wait') }),
      ),
    }),
  ),
  trial_update_behavior: optional(oneOf(['continue_trial', 'end_trial'], 'What a change does to a trial')),
})

/** What an entry of `portal_configurations:` may say. */
export const portalSchema: TSchema = closed({
  name: optional(text('A name for people', 100)),
  active: optional(flag('Whether portal sessions can use it')),
  business_profile: optional(
    closed({
      headline: optional(text('What customers read at the top', 60)),
      privacy_policy_url: optional(url('Privacy policy')),
      terms_of_service_url: optional(url('Terms of service')),
    }),
  ),
  default_return_url: optional(url('Where customers go back to')),
  login_page: optional(closed({ enabled: flag('Whether there is a link that everybody can log in with') })),
  features: closed({
    customer_update: optional(
      closed({
        enabled,
        allowed_updates: optional(
          listOf(oneOf(['address', 'email', 'name', 'phone', 'shipping', 'tax_id'], 'What they can change'), {
            uniqueItems: true,
          }),
        ),
      }),
    ),
    invoice_history: optional(closed({ enabled })),
    payment_method_update: optional(closed({ enabled, payment_method_configuration: optional(text('pmc_…', 100)) })),
    subscription_cancel: optional(cancel),
    subscription_pause: optional(
      closed({
        enabled,
        duration: optional(
          closed({
            type: oneOf(['indefinite', 'interval_options'], 'How long'),
            interval_options: optional(
              listOf(
                closed({
                  interval: oneOf(['day', 'week', 'month', 'year'], 'Unit of time'),
                  interval_count: optional(count('How many')),
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
