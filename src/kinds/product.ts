import type Stripe from 'stripe'
import type { JsonObject } from '../core/json.ts'
import { asList, chosen, declared, idOf, ignored, metadata, mutable, reference, refused } from './fields.ts'
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
  tax_code: mutable({ read: (live) => idOf(live['tax_code']) }),
  // Mirrors tax_code, and more in accounts with performance locations.
  tax_details: declared(),
  unit_label: mutable(),
  url: mutable(),
  default_price_data: refused,
  type: ignored,
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
    desired: (key, value) => (typeof value['id'] === 'string' ? value['id'] : key),
    live: (object) => object.id,
  },
  uses: (value: JsonObject) =>
    typeof value['default_price'] === 'string'
      ? [{ kind: 'price', key: value['default_price'], path: ['default_price'] }]
      : [],
  replaceOrder: 'create_first',
  retired: (live) => live['active'] === false,
  // Only a product that never had a price can be deleted; archiving always works and keeps what people bought readable.
  retire: (live) => ({ method: 'POST', path: `/v1/products/${live.id}`, params: { active: false } }),
}
