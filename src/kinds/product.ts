import { idOf } from '../core/reference.ts'
import type Stripe from 'stripe'
import { isJsonObject, type Json, type JsonObject, type StripeObject } from '../core/json.ts'
import { asList, chosen, declared, ignored, metadata, mutable, reference, refused, withoutNulls } from './fields.ts'
import type { FieldsOf, Kind, PartRequest, References, Use } from './kind.ts'
import { closed, flag, referenceTo, listOf, metadataSchema, oneOf, optional, text, url } from './schema.ts'
import Type from 'typebox'

const fields: FieldsOf<Stripe.Product, Stripe.ProductCreateParams, Stripe.ProductUpdateParams, 'id' | 'features'> = {
  id: chosen,
  name: mutable(),
  active: mutable({ default: true }),
  description: mutable(),
  default_price: mutable(reference('price', 'default_price')),
  images: mutable({ canonical: asList }),
  marketing_features: mutable({ canonical: asList }),
  // Features of which subscribers get an entitlement. Each attachment is a separate object.
  features: declared({
    afterwards: true,
    read: readFeatures,
    canonical: (value) => (Array.isArray(value) ? [...new Set(value as string[])].sort() : undefined),
    requests: featureRequests,
  }),
  metadata,
  package_dimensions: mutable(),
  // Stripe returns null or false without a value.
  shippable: declared(),
  // The parameter cannot be cleared.
  statement_descriptor: declared(),
  // Stripe shows it in two places; the YAML has one (see `spelling`).
  tax_code: mutable({ read: (live) => idOf(live['tax_code']) ?? taxDetail(live, 'tax_code') }),
  // The rest besides the tax code: the performance location of a ticket.
  tax_details: declared({
    read: (live) => withoutNulls({ performance_location: taxDetail(live, 'performance_location') ?? null }),
  }),
  unit_label: mutable(),
  url: mutable(),
  default_price_data: refused,
  type: ignored,
}

/** One attachment, as Stripe lists it. */
interface Attached {
  readonly id: string
  readonly feature: string
}

function attachedTo(live: StripeObject): readonly Attached[] | undefined {
  const list = live['features']
  if (!Array.isArray(list)) return undefined
  return (list as readonly Json[]).flatMap((one) => {
    const [id, feature] = isJsonObject(one) ? [idOf(one), idOf(one['entitlement_feature'])] : []
    return id === undefined || feature === undefined ? [] : [{ id, feature }]
  })
}

function readFeatures(live: StripeObject, references: References): Json | undefined {
  return attachedTo(live)?.map(({ feature }) => references.toKey('feature', feature))
}

function featureRequests(live: StripeObject, value: Json, references: References): readonly PartRequest[] {
  const keys = Array.isArray(value) ? (value as readonly string[]) : []
  const wanted = keys.map((key) => ({ key, to: references.toStripe('feature', key) }))
  const there = attachedTo(live) ?? []
  const attach = wanted.filter(({ to }) => !there.some(({ feature }) => feature === to))
  const detach = there.filter(({ feature }) => !wanted.some(({ to }) => to === feature))
  return [
    ...attach.map(({ key, to }): PartRequest => {
      return { id: `attach:${key}`, method: 'POST', suffix: '/features', params: { entitlement_feature: to } }
    }),
    ...detach.map(({ id }): PartRequest => {
      return { id: `detach:${id}`, method: 'DELETE', suffix: `/features/${id}`, params: {} }
    }),
  ]
}

function taxDetail(holder: JsonObject | StripeObject, name: string): string | undefined {
  const details = holder['tax_details']
  return isJsonObject(details) ? idOf(details[name]) : undefined
}

/** Moves the tax code to its one place. */
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
  id: optional(text('Id in Stripe; the key by default', 255)),
  name: text('Name on invoices and in the portal'),
  active: optional(flag('Whether it can be bought; false archives it')),
  description: optional(text('Description below the name')),
  default_price: optional(referenceTo('prices')),
  features: optional(
    listOf(referenceTo('features'), { uniqueItems: true, description: 'Features that subscribers are entitled to' }),
  ),
  images: optional(listOf(url('Address of a picture'), { maxItems: 8 })),
  marketing_features: optional(listOf(closed({ name: text('A line of the pricing table', 80) }), { maxItems: 15 })),
  metadata: optional(metadataSchema),
  package_dimensions: optional(
    closed({ height: Type.Number(), length: Type.Number(), weight: Type.Number(), width: Type.Number() }),
  ),
  shippable: optional(flag('Whether it is shipped')),
  statement_descriptor: optional(text('Text on the card statement, at most 22 characters', 22)),
  tax_code: optional(Type.String({ pattern: '^txcd_\\d+$', description: 'Stripe Tax code, txcd_…' })),
  tax_details: optional(
    closed({
      performance_location: optional(text('Id of a performance location')),
      tax_code: optional(Type.String({ pattern: '^txcd_\\d+$' })),
    }),
  ),
  unit_label: optional(text('Name of one unit: seat', 12)),
  url: optional(url('Public page of the product')),
  type: optional(oneOf(['service', 'good'], 'Kept by Stripe for old accounts; ignored')),
})

declare module './kind.ts' {
  interface KindNames {
    product: true
  }
}

export const product: Kind<'product'> = {
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
  parts: { field: 'features', suffix: '/features', name: 'feature' },
  uses: (value: JsonObject): readonly Use[] => [
    ...(typeof value['default_price'] === 'string'
      ? [{ kind: 'price', key: value['default_price'], path: ['default_price'] } as const]
      : []),
    ...(Array.isArray(value['features']) ? (value['features'] as readonly string[]) : []).map((key, index): Use => ({
      kind: 'feature',
      key,
      path: ['features', index],
    })),
  ],
  replaceOrder: 'create_first',
  whatEnds: {
    use: () => 'it can no longer be bought; subscriptions go on',
    users: {
      price: 'can no longer be bought',
      payment_link: 'can no longer sell it',
      portal_configuration: 'can no longer offer it',
      coupon: 'can no longer reduce it',
    },
    lost: ({ features: before }, { features: after }) => {
      const stays = Array.isArray(after) ? (after as readonly string[]) : []
      const had = Array.isArray(before) ? (before as readonly string[]) : []
      return had.filter((key) => !stays.includes(key)).map((key) => (key.startsWith('(') ? key : `feature.${key}`))
    },
  },
  retired: (live) => live['active'] === false,
  // Only a product without any price can be deleted. Archiving always works and keeps purchases
  // readable.
  retire: (live) => ({ method: 'POST', path: `/v1/products/${live.id}`, params: { active: false } }),
}
