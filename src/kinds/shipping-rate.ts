import { idOf } from '../core/reference.ts'
import type Stripe from 'stripe'
import { isJsonObject, type Json, type JsonObject, objectIn } from '../core/json.ts'
import { canonicalJson } from '../core/canonical.ts'
import { fixed, fixedOnceSet, ignored, metadata, mutable, withoutNulls } from './fields.ts'
import type { FieldsOf, Kind } from './kind.ts'
import Type from 'typebox'
import {
  amount,
  closed,
  count,
  currency,
  flag,
  mapOf,
  metadataSchema,
  oneOf,
  optional,
  taxBehavior,
  text,
} from './schema.ts'

const fields: FieldsOf<Stripe.ShippingRate, Stripe.ShippingRateCreateParams, Stripe.ShippingRateUpdateParams> = {
  display_name: fixed(),
  fixed_amount: fixed({
    expands: ['fixed_amount.currency_options'],
    canonical: canonicalAmount,
    takes: amountTakes,
    update: (value) => ({ fixed_amount: { currency_options: options(value) } }),
  }),
  delivery_estimate: fixed({ canonical: (value) => withoutNulls(value) }),
  tax_behavior: fixedOnceSet({ default: 'unspecified' }),
  tax_code: fixed({ read: (live) => idOf(live['tax_code']) }),
  active: mutable({ default: true, afterwards: true }),
  metadata,
  type: ignored,
}

/**
 * Other currencies, without the rate's own currency, which Stripe repeats, and without values that
 * have no effect.
 */
function canonicalAmount(value: Json): Json | undefined {
  if (!isJsonObject(value)) return undefined
  const { currency_options: _all, ...rest } = value
  const others = Object.entries(options(value)).filter(([name]) => name !== value['currency'])
  const spelled = others.map(([name, option]) => {
    const { tax_behavior: behavior, ...amounts } = objectIn(option)
    return [
      name,
      behavior === undefined || behavior === 'unspecified' ? amounts : { ...amounts, tax_behavior: behavior },
    ]
  })
  return { ...rest, ...(spelled.length === 0 ? {} : { currency_options: Object.fromEntries(spelled) as JsonObject }) }
}

/**
 * Stripe can update amounts in other currencies. A change of the first amount, or a removed
 * currency, needs another rate.
 */
function amountTakes(live: Json | undefined, desired: Json | undefined): 'update' | 'replace' {
  const own = (value: Json | undefined): string => {
    const { currency_options: _options, ...rest } = objectIn(value)
    return canonicalJson(rest)
  }
  const lost = Object.keys(options(live)).some((name) => options(desired)[name] === undefined)
  return own(live) === own(desired) && !lost ? 'update' : 'replace'
}

function options(value: Json | undefined): JsonObject {
  const found = isJsonObject(value) ? value['currency_options'] : undefined
  return objectIn(found)
}

const delivery = closed({
  unit: oneOf(['hour', 'day', 'business_day', 'week', 'month'], 'Unit of time'),
  value: count('Number of units'),
})

const schema = closed({
  display_name: text('Name that customers see', 100),
  fixed_amount: closed({
    amount: amount('Price of shipping'),
    currency,
    currency_options: optional(
      mapOf('^[a-z]{3}$', closed({ amount: amount('Price of shipping'), tax_behavior: optional(taxBehavior) })),
    ),
  }),
  delivery_estimate: optional(closed({ minimum: optional(delivery), maximum: optional(delivery) })),
  tax_behavior: optional(taxBehavior),
  tax_code: optional(Type.String({ pattern: '^txcd_\\d+$', description: 'Stripe Tax code, txcd_…' })),
  active: optional(flag('Whether it is offered')),
  metadata: optional(metadataSchema),
})

declare module './kind.ts' {
  interface KindNames {
    shipping_rate: true
  }
}

export const shippingRate: Kind<'shipping_rate'> = {
  name: 'shipping_rate',
  section: 'shipping_rates',
  file: 'shipping-rates.yaml',
  docs: 'https://docs.stripe.com/api/shipping_rates',
  schema,
  path: '/v1/shipping_rates',
  lists: [{}],
  fields,
  marks: true,
  uses: () => [],
  replaceOrder: 'create_first',
  always: { type: 'fixed_amount' },
  whatEnds: {
    use: () => 'it can no longer be chosen in a checkout',
    users: { payment_link: 'can no longer offer it' },
  },
  retired: (live) => live['active'] === false,
  retire: (live) => ({ method: 'POST', path: `/v1/shipping_rates/${live.id}`, params: { active: false } }),
}
