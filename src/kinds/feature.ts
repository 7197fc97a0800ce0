import type Stripe from 'stripe'
import { fixed, metadata, mutable } from './fields.ts'
import type { FieldsOf, Kind } from './kind.ts'
import { closed, flag, metadataSchema, optional, text } from './schema.ts'
import { countInText } from './ends.ts'

const fields: FieldsOf<
  Stripe.Entitlements.Feature,
  Stripe.Entitlements.FeatureCreateParams,
  Stripe.Entitlements.FeatureUpdateParams
> = {
  name: mutable(),
  lookup_key: fixed(),
  // Stripe cannot unarchive a feature; an active feature in the YAML then needs a new object with
  // another lookup key.
  active: mutable({
    default: true,
    takes: (_live, desired) => (desired === false ? 'update' : 'refuse'),
    afterwards: true,
  }),
  metadata,
}

const schema = closed({
  name: text('Name of the feature', 80),
  lookup_key: text('Name by which your own code finds it; cannot change', 80),
  active: optional(flag('false archives it permanently')),
  metadata: optional(metadataSchema),
})

declare module './kind.ts' {
  interface KindNames {
    feature: true
  }
}

export const feature: Kind<'feature'> = {
  name: 'feature',
  section: 'features',
  file: 'features.yaml',
  docs: 'https://docs.stripe.com/api/entitlements/feature',
  schema,
  path: '/v1/entitlements/features',
  // Stripe's list omits archived features unless asked for ("Inactive features … will not be
  // returned from the features list endpoint").
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
  whatEnds: {
    use: () => 'it can be attached to no further product, and Stripe never activates it again',
    users: { product: 'may no longer grant it' },
    beyond: (_live, { subscriptions }) =>
      subscriptions === 0
        ? []
        : [
            {
              what: 'members',
              message: `${countInText(subscriptions, 'subscription')} may lose this entitlement: Stripe does not document whether an archived feature is still granted`,
            },
          ],
  },
  retired: (live) => live['active'] === false,
  retire: (live) => ({ method: 'POST', path: `/v1/entitlements/features/${live.id}`, params: { active: false } }),
}
