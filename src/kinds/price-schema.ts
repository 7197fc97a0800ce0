import type { TSchema } from 'typebox'
import {
  amount,
  closed,
  count,
  currency,
  decimalAmount,
  flag,
  keyOf,
  listOf,
  mapOf,
  metadataSchema,
  oneOf,
  optional,
  taxBehavior,
  text,
} from './schema.ts'
import Type from 'typebox'

const tier = closed({
  up_to: Type.Union([Type.Literal('inf'), count('Last unit of the tier')], {
    description: 'Last unit of the tier; inf for the last tier',
  }),
  unit_amount: optional(amount('Price of one unit')),
  unit_amount_decimal: optional(decimalAmount('Price of one unit')),
  flat_amount: optional(amount('Price of the whole tier')),
  flat_amount_decimal: optional(decimalAmount('Price of the whole tier')),
})

const customUnitAmount = closed({
  enabled: Type.Literal(true, { description: 'The customer chooses the amount' }),
  minimum: optional(amount('Least')),
  maximum: optional(amount('Most')),
  preset: optional(amount('Proposed')),
})

/** What an entry of `prices:` may say. */
export const priceSchema: TSchema = closed({
  product: keyOf('products'),
  currency,
  unit_amount: optional(amount('Price of one unit')),
  unit_amount_decimal: optional(decimalAmount('Price of one unit')),
  recurring: optional(
    closed(
      {
        interval: oneOf(['day', 'week', 'month', 'year'], 'How often it is billed'),
        interval_count: optional(count('Every so many intervals; three years at most')),
        usage_type: optional(oneOf(['licensed', 'metered'], 'By quantity, or by a meter')),
        meter: optional(keyOf('meters')),
        trial_period_days: optional(
          count('Stripe keeps it for old integrations; subscriptions here say their own trial'),
        ),
      },
      'A one-time price without it',
    ),
  ),
  billing_scheme: optional(oneOf(['per_unit', 'tiered'], 'How the amount is computed')),
  tiers: optional(listOf(tier, { minItems: 1 })),
  tiers_mode: optional(oneOf(['graduated', 'volume'], 'Each unit by its tier, or all units by the tier reached')),
  transform_quantity: optional(
    closed({ divide_by: count('Units in one package'), round: oneOf(['up', 'down'], 'How the rest is rounded') }),
  ),
  custom_unit_amount: optional(customUnitAmount),
  tax_behavior: optional(taxBehavior),
  currency_options: optional(
    mapOf(
      '^[a-z]{3}$',
      closed({
        unit_amount: optional(amount('Price of one unit')),
        unit_amount_decimal: optional(decimalAmount('Price of one unit')),
        tiers: optional(listOf(tier, { minItems: 1 })),
        custom_unit_amount: optional(customUnitAmount),
        tax_behavior: optional(taxBehavior),
      }),
      'The same price in further currencies',
    ),
  ),
  active: optional(flag('Whether it can be bought; people on an archived price stay on it')),
  lookup_key: optional(text('A name by which your own code finds it; moves along when the price is replaced', 200)),
  nickname: optional(text('A note for people; customers do not see it')),
  metadata: optional(metadataSchema),
  on_change: optional(
    oneOf(
      ['new_only', 'at_renewal', 'refuse'],
      'What a changed price means for the people on the old one: they keep it, they get the new one with their next renewal, or the change is refused (when silent)',
    ),
  ),
})
