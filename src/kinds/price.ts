import type Stripe from 'stripe'
import { isJsonObject, type Json, type JsonObject, objectIn } from '../core/json.ts'
import { canonicalAmount, canonicalTiers, readTiers, tiersMeaning } from './decimal.ts'
import {
  declared,
  fixed,
  fixedOnceSet,
  grows,
  ignored,
  metadata,
  mutable,
  reference,
  refused,
  withoutNulls,
  written,
} from './fields.ts'
import type { FieldsOf, Kind, References, Use } from './kind.ts'
import { priceSchema } from './price-schema.ts'

const fields: FieldsOf<Stripe.Price, Stripe.PriceCreateParams, Stripe.PriceUpdateParams, 'on_change'> = {
  product: fixed(reference('product', 'product')),
  currency: fixed(),
  unit_amount: fixed({ read: (live) => canonicalAmount(live, 'unit_amount')['unit_amount'] }),
  unit_amount_decimal: fixed({ read: (live) => canonicalAmount(live, 'unit_amount')['unit_amount_decimal'] }),
  recurring: fixed({ read: readRecurring, canonical: canonicalRecurring, write: writeRecurring }),
  billing_scheme: fixed({ default: 'per_unit' }),
  tiers: fixed({
    expands: ['tiers'],
    read: (live) => readTiers(live['tiers']),
    canonical: canonicalTiers,
    meaning: tiersMeaning,
  }),
  tiers_mode: fixed(),
  transform_quantity: fixed(),
  custom_unit_amount: fixed({ canonical: customAmount }),
  tax_behavior: fixedOnceSet({ default: 'unspecified' }),
  currency_options: grows({
    expands: ['currency_options', 'currency_options.*.tiers'],
    hides: (live) => live['billing_scheme'] === 'tiered',
    read: (live) => readOptions(otherCurrencies(live['currency_options'], live['currency'])),
    canonical: canonicalOptions,
    meaning: optionsMeaning,
  }),
  active: mutable({ default: true }),
  // Neither parameter can be cleared; a lookup key leaves a price when another price gets it.
  lookup_key: declared(),
  nickname: declared(),
  metadata,
  on_change: written,
  // Sent by the steps that replace a price; not a key of the YAML.
  transfer_lookup_key: refused,
  product_data: refused,
  type: ignored,
}

function readRecurring(live: JsonObject, references: References): Json | undefined {
  const recurring = live['recurring']
  if (!isJsonObject(recurring)) return undefined
  const meter = recurring['meter']
  return typeof meter === 'string' ? { ...recurring, meter: references.toKey('meter', meter) } : recurring
}

function writeRecurring(value: Json, references: References): Json {
  if (!isJsonObject(value) || typeof value['meter'] !== 'string') return value
  return { ...value, meter: references.toStripe('meter', value['meter']) }
}

function canonicalRecurring(value: Json): Json | undefined {
  const said = withoutNulls(value)
  if (!isJsonObject(said)) return undefined
  const silent = (name: string, one: Json | undefined) =>
    (name === 'interval_count' && one === 1) || (name === 'usage_type' && one === 'licensed')
  return Object.fromEntries(Object.entries(said).filter(([name, one]) => !silent(name, one)))
}

/** Stripe's answer omits `enabled`, which can only be true. */
function customAmount(value: Json): Json | undefined {
  if (!isJsonObject(value)) return undefined
  const said = withoutNulls(value)
  return { ...objectIn(said), enabled: true }
}

/** Expanded currency options repeat the price's own currency, which is removed here. */
function otherCurrencies(options: Json | undefined, own: Json | undefined): Json | undefined {
  if (!isJsonObject(options)) return undefined
  return Object.fromEntries(Object.entries(options).filter(([name]) => name !== own))
}

function canonicalOptions(value: Json): Json | undefined {
  if (!isJsonObject(value) || Object.keys(value).length === 0) return undefined
  return Object.fromEntries(
    Object.entries(value).map(([name, option]) => [name, isJsonObject(option) ? canonicalOption(option) : option]),
  )
}

function readOptions(options: Json | undefined): Json | undefined {
  return perCurrency(options, (option) => {
    const tiers = readTiers(option['tiers'])
    return tiers === undefined ? option : { ...option, tiers }
  })
}

function optionsMeaning(options: Json): Json {
  const meant = perCurrency(options, (option) =>
    option['tiers'] === undefined ? option : { ...option, tiers: tiersMeaning(option['tiers']) },
  )
  return meant ?? options
}

function perCurrency(options: Json | undefined, change: (option: JsonObject) => JsonObject): Json | undefined {
  if (!isJsonObject(options)) return options
  return Object.fromEntries(
    Object.entries(options).map(([name, option]) => [name, isJsonObject(option) ? change(option) : option]),
  )
}

function canonicalOption(option: JsonObject): JsonObject {
  const tiers = canonicalTiers(option['tiers'])
  const custom = isJsonObject(option['custom_unit_amount']) ? customAmount(option['custom_unit_amount']) : undefined
  const { tiers: _tiers, custom_unit_amount: _custom, tax_behavior: behavior, ...amounts } = option
  const kept = withoutNulls(canonicalAmount(amounts, 'unit_amount'))
  return {
    ...objectIn(kept),
    ...(tiers === undefined ? {} : { tiers }),
    ...(custom === undefined ? {} : { custom_unit_amount: custom }),
    ...(behavior === undefined || behavior === null || behavior === 'unspecified' ? {} : { tax_behavior: behavior }),
  }
}

/** An entry with its amount in one spelling and without its own currency among the options. */
function spelling(value: JsonObject): JsonObject {
  const spelled = canonicalAmount(value, 'unit_amount')
  const options = otherCurrencies(spelled['currency_options'], spelled['currency'])
  return options === undefined ? spelled : { ...spelled, currency_options: options }
}

function uses(value: JsonObject): readonly Use[] {
  const recurring = value['recurring']
  const meter = isJsonObject(recurring) ? recurring['meter'] : undefined
  return [
    ...(typeof value['product'] === 'string'
      ? [{ kind: 'product', key: value['product'], path: ['product'] } as const]
      : []),
    ...(typeof meter === 'string' ? [{ kind: 'meter', key: meter, path: ['recurring', 'meter'] } as const] : []),
  ]
}

declare module './kind.ts' {
  interface KindNames {
    price: true
  }
}

export const price: Kind<'price'> = {
  name: 'price',
  section: 'prices',
  file: 'prices.yaml',
  docs: 'https://docs.stripe.com/api/prices',
  schema: priceSchema,
  path: '/v1/prices',
  // Without `active`, Stripe's list returns active prices only.
  lists: [true, false].map((active) => ({ active })),
  fields,
  marks: true,
  held: 'item',
  naturalKey: {
    name: 'lookup_key',
    unique: true,
    desired: (_key, value) => (typeof value['lookup_key'] === 'string' ? value['lookup_key'] : undefined),
    live: (object) => (typeof object['lookup_key'] === 'string' ? object['lookup_key'] : undefined),
  },
  spelling,
  uses,
  replaceOrder: 'create_first',
  whatEnds: {
    use: () => 'it can no longer be bought; subscriptions go on',
    users: {
      product: 'will have no default price',
      payment_link: 'can no longer sell it',
      portal_configuration: 'can no longer offer it',
    },
  },
  retired: (live) => live['active'] === false,
  // Prices cannot be deleted; subscriptions on an archived price continue.
  retire: (live) => ({ method: 'POST', path: `/v1/prices/${live.id}`, params: { active: false } }),
}
