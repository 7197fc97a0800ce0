import type Stripe from 'stripe'
import { isJsonObject, type JsonObject, type StripeObject } from '../core/json.ts'
import {
  asList,
  chosen,
  declared,
  idOf,
  ignored,
  metadata,
  mutable,
  reference,
  refused,
  withoutNulls,
} from './fields.ts'
import type { FieldsOf, Kind } from './kind.ts'
import { closed, flag, keyOf, listOf, metadataSchema, oneOf, optional, text, url } from './schema.ts'
import Type from 'typebox'

const fields: FieldsOf<Stripe.Product, Stripe.ProductCreateParams, Stripe.ProductUpdateParams, 'id'> = {
  id: chosen,
  name: mutable(),
  active: mutable({ default: true }),
  description: mutable(),
  default_price: mutable(reference('price', 'default_price')),
  images: mutable({ canonical: asList }),
  marketing_features: mutable({ canonical: asList }),
  metadata,
  package_dimensions: mutable(),
  // Stripe answers null or false as it likes when nothing was said.
  shippable: declared(),
  // Stripe's parameter cannot be emptied.
  statement_descriptor: declared(),
  // Stripe shows it in two places; here it has one (see `spelling`).
  tax_code: mutable({ read: (live) => idOf(live['tax_code']) ?? taxDetail(live, 'tax_code') }),
  // What is left of it beside the tax code: where the performance of a ticket takes place.
  tax_details: declared({
    read: (live) => withoutNulls({ performance_location: taxDetail(live, 'performance_location') ?? null }),
  }),
  unit_label: mutable(),
  url: mutable(),
  default_price_data: refused,
  type: ignored,
}

function taxDetail(holder: JsonObject | StripeObject, name: string): string | undefined {
  const details = holder['tax_details']
  return isJsonObject(details) ? idOf(details[name]) : undefined
}

/** The tax code in its one place, wherever it was written. */
function spelling(value: JsonObject): JsonObject {
  const { tax_details: details, ...rest } = value
  if (!isJsonObject(details)) return value
  const { tax_code: code, ...others } = details
  return {
    ...rest,
    ...(code === undefined ? {} : { tax_code: code }),
    ...(Object.keys(others).length === 0 ? {} : { tax_details: others }),
  }
}

const schema = closed({
  id: optional(text('The id in Stripe; the key when absent', 255)),
  name: text('What customers read on invoices and in the portal'),
  active: optional(flag('Whether it can be bought; archived when false')),
  description: optional(text('What customers read below the name')),
  default_price: optional(keyOf('prices')),
  images: optional(listOf(url('Address of a picture'), { maxItems: 8 })),
  marketing_features: optional(listOf(closed({ name: text('One line of the pricing table', 80) }), { maxItems: 15 })),
  metadata: optional(metadataSchema),
  package_dimensions: optional(
    closed({ height: Type.Number(), length: Type.Number(), weight: Type.Number(), width: Type.Number() }),
  ),
  shippable: optional(flag('Whether it is sent by post')),
  statement_descriptor: optional(text('What the card statement says, at most 22 characters', 22)),
  tax_code: optional(Type.String({ pattern: '^txcd_\\d+$', description: 'Stripe Tax code, txcd_…' })),
  tax_details: optional(
    closed({
      performance_location: optional(text('Id of a performance location')),
      tax_code: optional(Type.String({ pattern: '^txcd_\\d+$' })),
    }),
  ),
  unit_label: optional(text('What one unit is called: seat', 12)),
  url: optional(url('Its public page')),
  type: optional(oneOf(['service', 'good'], 'Stripe keeps it for old accounts; nothing is done with it')),
})

export const product: Kind = {
  name: 'product',
  section: 'products',
  file: 'products.yaml',
  docs: 'https://docs.stripe.com/api/products',
  schema,
  path: '/v1/products',
  lists: [{}],
  fields,
  marks: true,
  ownId: (key, value) => (typeof value['id'] === 'string' ? value['id'] : key),
  naturalKey: {
    name: 'id',
    unique: true,
    desired: (key, value) => (typeof value['id'] === 'string' ? value['id'] : key),
    live: (object) => object.id,
  },
  spelling,
  uses: (value: JsonObject) =>
    typeof value['default_price'] === 'string'
      ? [{ kind: 'price', key: value['default_price'], path: ['default_price'] }]
      : [],
  replaceOrder: 'create_first',
  retired: (live) => live['active'] === false,
  // Only a product that never had a price can be deleted; archiving always works and keeps what people bought readable.
  retire: (live) => ({ method: 'POST', path: `/v1/products/${live.id}`, params: { active: false } }),
}
