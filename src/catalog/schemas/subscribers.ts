import Type, { type TSchema } from 'typebox'
import {
  closed,
  count,
  currency,
  flag,
  keyOf,
  listOf,
  metadataSchema,
  oneOf,
  optional,
  text,
  when,
} from '../../kinds/schema.ts'

const stage = oneOf(
  ['source', 'target', 'settled'],
  'source: the old account bills · target: the new one bills, the old is on hold, it can be undone · settled: the old one is cancelled',
)

const discount = closed({
  coupon: keyOf('coupons'),
  ends: optional(when('When it ends in the old account; silent for one that never does, or is not used yet')),
})

const item = closed({
  price: keyOf('prices'),
  quantity: optional(count('How many; 1 when silent', 0)),
  tax_rates: optional(listOf(keyOf('tax_rates'), { uniqueItems: true })),
  discounts: optional(listOf(discount)),
  metadata: optional(metadataSchema),
})

/** One entry: the terms as the old account has them. A rule asks for customer, items and anchor unless it is excluded. */
const subscriber = closed({
  stage: optional(stage),
  excluded: optional(text('Why this one is not part of the migration')),
  pays_twice: optional(text('Why this person pays for the same thing once more with this one, and is meant to')),
  customer: optional(Type.String({ pattern: '^cus_[A-Za-z0-9_]+$', description: 'The old customer, cus_…' })),
  currency: optional(currency),
  items: optional(listOf(item, { minItems: 1 })),
  next_invoice: optional(when('Next renewal, as of the pull')),
  anchor: optional(when('What the renewals are counted from')),
  payment_method: optional(
    Type.String({ pattern: '^(pm|card|src|ba)_[A-Za-z0-9_]+$', description: 'Old id; the copy map says the new one' }),
  ),
  discounts: optional(listOf(discount)),
  tax_rates: optional(listOf(keyOf('tax_rates'), { uniqueItems: true })),
  automatic_tax: optional(flag('Whether Stripe Tax computes the tax')),
  trial_end: optional(when('End of the trial')),
  cancel_at: optional(when('When it ends by itself')),
  cancel_at_period_end: optional(flag('Whether it ends with the period')),
  collection_method: optional(oneOf(['charge_automatically', 'send_invoice'], 'Charged, or sent an invoice')),
  days_until_due: optional(count('Days to pay a sent invoice', 0)),
  status: optional(text('Status as of the pull', 40)),
  managed_by_application: optional(
    Type.Union([Type.Literal('open_ended'), closed({ payments_left: count('Payments still to come', 0) })], {
      description: 'What a subscription made by a Connect application is: open_ended, or { payments_left: n }',
    }),
  ),
  override: optional(
    listOf(text('A code, such as changed_since_move'), {
      uniqueItems: true,
      description: 'What may be done in spite of it',
    }),
  ),
})

/** `subscribers/<source>/*.yaml`: one wave. */
export const subscribersSchema: TSchema = closed({
  stage: optional(stage),
  subscribers: Type.Unsafe<object>({
    type: 'object',
    propertyNames: { type: 'string', pattern: '^sub_[A-Za-z0-9_]+$' },
    additionalProperties: subscriber,
    description: 'The wave, by the old subscription’s id',
  }),
})
