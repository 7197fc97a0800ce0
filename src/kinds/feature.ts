import type Stripe from 'stripe'
import { fixed, metadata, mutable } from './fields.ts'
import type { FieldsOf, Kind } from './kind.ts'
import { closed, flag, metadataSchema, optional, text } from './schema.ts'

const fields: FieldsOf<
  Stripe.Entitlements.Feature,
  Stripe.Entitlements.FeatureCreateParams,
  Stripe.Entitlements.FeatureUpdateParams
> = {
  name: mutable(),
  lookup_key: fixed(),
  // Archiving a feature is for good; an active one in the YAML asks for another object, under another lookup key.
  active: mutable({
    default: true,
    takes: (_live, desired) => (desired === false ? 'update' : 'refuse'),
    afterwards: true,
  }),
  metadata,
}

const schema = closed({
  name: text('What it is called', 80),
  lookup_key: text('The name by which your own code asks for it; never changes', 80),
  active: optional(flag('Archived for good when false')),
  metadata: optional(metadataSchema),
})

export const feature: Kind = {
  name: 'feature',
  section: 'features',
  file: 'features.yaml',
  docs: 'https://docs.stripe.com/api/entitlements/feature',
  schema,
  path: '/v1/entitlements/features',
  // "Inactive features … will not be returned from the features list endpoint", unless asked for.
  lists: [{ archived: false }, { archived: true }],
  fields,
  marks: true,
  naturalKey: {
    name: 'lookup_key',
    unique: true,
    desired: (_key, value) => (typeof value['lookup_key'] === 'string' ? value['lookup_key'] : undefined),
    live: (object) => (typeof object['lookup_key'] === 'string' ? object['lookup_key'] : undefined),
  },
  uses: () => [],
  replaceOrder: 'create_first',
  retired: (live) => live['active'] === false,
  retire: (live) => ({ method: 'POST', path: `/v1/entitlements/features/${live.id}`, params: { active: false } }),
}
