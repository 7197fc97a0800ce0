import Type from 'typebox'
import { overrideCodes, type OverrideCode } from '../override-codes.ts'
import {
  closed,
  count,
  currency,
  flag,
  keyOf,
  listOf,
  mapOf,
  metadataSchema,
  oneOf,
  optional,
  text,
  when,
} from '../../kinds/schema.ts'

const stage = oneOf(
  ['source', 'target', 'settled'],
  'source: the old account bills · target: the new account bills, the old subscription is on hold, the move can be reverted · settled: the old subscription is cancelled',
)

const discount = closed({
  coupon: keyOf('coupons'),
  ends: optional(when('When it ends in the old account; absent for a discount that never ends or is not used yet')),
})

const item = closed({
  price: keyOf('prices'),
  quantity: optional(count('Quantity; 1 by default', 0)),
  tax_rates: optional(listOf(keyOf('tax_rates'), { uniqueItems: true })),
  discounts: optional(listOf(discount)),
  metadata: optional(metadataSchema),
})

/**
 * One entry: the subscriber's terms in the old account. Unless the entry is excluded, a rule
 * requires customer, items and anchor.
 */
const subscriber = closed({
  stage: optional(stage),
  excluded: optional(text('Why this subscriber is not migrated')),
  pays_twice: optional(text('Why this person pays for the same thing a second time on purpose')),
  customer: optional(
    Type.String({ pattern: '^cus_[A-Za-z0-9_]+$', description: 'Customer in the old account, cus_…' }),
  ),
  currency: optional(currency),
  items: optional(listOf(item, { minItems: 1 })),
  next_invoice: optional(when('Next renewal, as of the pull')),
  anchor: optional(when('Instant from which the renewals are counted')),
  payment_method: optional(
    Type.String({
      pattern: '^(pm|card|src|ba)_[A-Za-z0-9_]+$',
      description: 'Payment method in the old account; the copy map holds the new id',
    }),
  ),
  discounts: optional(listOf(discount)),
  tax_rates: optional(listOf(keyOf('tax_rates'), { uniqueItems: true })),
  automatic_tax: optional(flag('Whether Stripe Tax computes the tax')),
  trial_end: optional(when('End of the trial')),
  cancel_at: optional(when('When the subscription ends')),
  cancel_at_period_end: optional(flag('Whether the subscription ends with the period')),
  collection_method: optional(
    oneOf(
      ['charge_automatically', 'send_invoice'],
      'Whether the customer is charged automatically or receives an invoice',
    ),
  ),
  days_until_due: optional(count('Days to pay a sent invoice', 0)),
  status: optional(text('Status as of the pull', 40)),
  managed_by_application: optional(
    Type.Union([Type.Literal('open_ended'), closed({ payments_left: count('Payments still to come', 0) })], {
      description: 'Terms of a subscription that a Connect application created: open_ended, or { payments_left: n }',
    }),
  ),
  override: optional(
    listOf(
      oneOf(
        Object.keys(overrideCodes) as readonly OverrideCode[],
        Object.entries(overrideCodes)
          .map(([code, permits]) => `${code}: ${permits}`)
          .join(' · '),
      ),
      { uniqueItems: true, description: 'What a person has confirmed for this subscriber' },
    ),
  ),
})

/** `subscribers/<source>/*.yaml`: one wave. */
export const subscribersSchema = closed({
  stage: optional(stage),
  subscribers: mapOf('^sub_[A-Za-z0-9_]+$', subscriber, 'The wave, by the old subscription’s id'),
})
