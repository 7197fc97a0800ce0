import {
  amount,
  closed,
  count,
  currency,
  decimalAmount,
  flag,
  referenceTo,
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
  minimum: optional(amount('Minimum')),
  maximum: optional(amount('Maximum')),
  preset: optional(amount('Suggested amount')),
})

/** Schema of an entry of `prices:`. */
export const priceSchema = closed({
  product: referenceTo('products'),
  currency,
  unit_amount: optional(amount('Price of one unit')),
  unit_amount_decimal: optional(decimalAmount('Price of one unit')),
  recurring: optional(
    closed(
      {
        interval: oneOf(['day', 'week', 'month', 'year'], 'Billing interval'),
        interval_count: optional(count('Number of intervals per billing period; at most three years')),
        usage_type: optional(oneOf(['licensed', 'metered'], 'Billed by quantity or by metered usage')),
        meter: optional(referenceTo('meters')),
        trial_period_days: optional(count('Kept by Stripe for old integrations; subscriptions set their own trial')),
      },
      'Absent for a one-time price',
    ),
  ),
  billing_scheme: optional(oneOf(['per_unit', 'tiered'], 'How the amount is computed')),
  tiers: optional(listOf(tier, { minItems: 1 })),
  tiers_mode: optional(
    oneOf(
      ['graduated', 'volume'],
      'graduated: each unit at the price of its tier · volume: all units at the price of the tier reached',
    ),
  ),
  transform_quantity: optional(
    closed({
      divide_by: count('Units in one package'),
      round: oneOf(['up', 'down'], 'How a partial package is rounded'),
    }),
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
      'Amounts of the price in other currencies',
    ),
  ),
  active: optional(flag('Whether it can be bought; subscriptions keep an archived price')),
  lookup_key: optional(text('Name by which your own code finds it; transferred when the price is replaced', 200)),
  nickname: optional(text('A note for people; customers do not see it')),
  metadata: optional(metadataSchema),
  on_change: optional(
    oneOf(
      ['new_only', 'at_renewal', 'refuse'],
      'What a change does to subscriptions on the old price: new_only: they keep it · at_renewal: they get the new price at their next renewal · refuse: the change is blocked (default)',
    ),
  ),
})
