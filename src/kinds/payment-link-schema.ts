import Type from 'typebox'
import {
  closed,
  count,
  currency,
  flag,
  referenceTo,
  listOf,
  metadataSchema,
  oneOf,
  optional,
  text,
  url,
} from './schema.ts'

const enabled = flag('Whether it is on')

const adjustable = optional(
  closed({ enabled, minimum: optional(count('Minimum', 0)), maximum: optional(count('Maximum')) }),
)

const item = closed({
  price: referenceTo('prices'),
  quantity: count('Quantity'),
  adjustable_quantity: adjustable,
})

const limits = optional(
  closed({
    default_value: optional(text('Value that is filled in')),
    minimum_length: optional(count('Minimum length')),
    maximum_length: optional(count('Maximum length')),
  }),
)

const customField = closed({
  key: Type.String({ pattern: '^[A-Za-z0-9]{1,200}$', description: 'Name of the answer: letters and digits' }),
  label: closed({ type: Type.Literal('custom'), custom: text('Label that customers see', 50) }),
  type: oneOf(['dropdown', 'numeric', 'text'], 'Kind of field'),
  optional: optional(flag('Whether customers can leave it empty')),
  dropdown: optional(
    closed({
      default_value: optional(text('Value that is chosen at first')),
      options: listOf(
        closed({ label: text('Text that customers see', 100), value: text('Value of the answer', 100) }),
        {
          minItems: 1,
          maxItems: 200,
        },
      ),
    }),
  ),
  numeric: limits,
  text: limits,
})

const message = optional(closed({ message: text('Text', 1_200) }))
const name = optional(closed({ enabled, optional: optional(flag('Whether customers can leave it empty')) }))

/** Schema of an entry of `payment_links:`. */
export const paymentLinkSchema = closed({
  line_items: listOf(item, { minItems: 1, maxItems: 20, description: 'What it sells; its prices never change' }),
  active: optional(flag('Whether customers can buy through it')),
  after_completion: optional(
    closed({
      type: oneOf(['hosted_confirmation', 'redirect'], 'What customers see after the purchase'),
      hosted_confirmation: optional(closed({ custom_message: text('Text of the confirmation', 500) })),
      redirect: optional(closed({ url: url('Page to which customers go') })),
    }),
  ),
  allow_promotion_codes: optional(flag('Whether customers can enter a promotion code')),
  automatic_tax: optional(closed({ enabled })),
  billing_address_collection: optional(oneOf(['auto', 'required'], 'Whether customers must enter an address')),
  consent_collection: optional(
    closed({
      payment_method_reuse_agreement: optional(
        closed({ position: oneOf(['auto', 'hidden'], 'Whether Stripe’s text about later charges is shown') }),
      ),
      promotions: optional(oneOf(['auto', 'none'], 'Whether customers can agree to advertising')),
      terms_of_service: optional(oneOf(['none', 'required'], 'Whether customers must accept the terms')),
    }),
  ),
  currency: optional(currency),
  custom_fields: optional(listOf(customField, { maxItems: 3, description: 'Questions to customers' })),
  custom_text: optional(
    closed({
      after_submit: message,
      shipping_address: message,
      submit: message,
      terms_of_service_acceptance: message,
    }),
  ),
  customer_creation: optional(oneOf(['always', 'if_required'], 'Whether a single payment creates a customer')),
  inactive_message: optional(text('Text shown while it is inactive', 500)),
  invoice_creation: optional(closed({ enabled })),
  name_collection: optional(closed({ business: name, individual: name })),
  optional_items: optional(listOf(item, { minItems: 1, maxItems: 10, description: 'What customers can add' })),
  payment_intent_data: optional(
    closed({
      capture_method: optional(oneOf(['automatic', 'automatic_async', 'manual'], 'When a single payment is captured')),
      description: optional(text('Description of the payment', 1_000)),
      setup_future_usage: optional(oneOf(['off_session', 'on_session'], 'How the card is used later')),
      statement_descriptor: optional(text('Text on the card statement', 22)),
      statement_descriptor_suffix: optional(text('End of the text on the card statement', 22)),
      metadata: optional(metadataSchema),
    }),
  ),
  payment_method_collection: optional(oneOf(['always', 'if_required'], 'Whether a free trial asks for a card')),
  payment_method_types: optional(
    listOf(text('card, sepa_debit, …', 40), { minItems: 1, maxItems: 20, uniqueItems: true }),
  ),
  phone_number_collection: optional(closed({ enabled })),
  restrictions: optional(
    closed({ completed_sessions: closed({ limit: count('Number of purchases after which it stops') }) }),
  ),
  shipping_address_collection: optional(
    closed({
      allowed_countries: listOf(Type.String({ pattern: '^[A-Z]{2}$', description: 'Country, in upper case' }), {
        minItems: 1,
        uniqueItems: true,
      }),
    }),
  ),
  shipping_options: optional(listOf(closed({ shipping_rate: referenceTo('shipping_rates') }), { maxItems: 5 })),
  submit_type: optional(oneOf(['auto', 'book', 'donate', 'pay', 'subscribe'], 'Word on the button')),
  subscription_data: optional(
    closed({
      description: optional(text('Description of the subscription', 500)),
      metadata: optional(metadataSchema),
      trial_period_days: optional(count('Days of trial before the first charge')),
      trial_settings: optional(
        closed({
          end_behavior: closed({
            missing_payment_method: oneOf(
              ['cancel', 'create_invoice', 'pause'],
              'What happens when a trial ends without a card',
            ),
          }),
        }),
      ),
    }),
  ),
  tax_id_collection: optional(
    closed({ enabled, required: optional(oneOf(['if_supported', 'never'], 'Whether a tax id must be entered')) }),
  ),
  metadata: optional(metadataSchema),
})
