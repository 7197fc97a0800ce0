import { idOf } from '../core/reference.ts'
import type Stripe from 'stripe'
import { isJsonObject, type Json, type JsonObject, objectIn, type StripeObject, textIn } from '../core/json.ts'
import { asSet, declared, ignored, metadata, mutable, withoutNulls } from './fields.ts'
import type { FieldsOf, Kind, References, Use } from './kind.ts'
import { portalSchema } from './portal-schema.ts'

const fields: FieldsOf<
  Stripe.BillingPortal.Configuration,
  Stripe.BillingPortal.ConfigurationCreateParams,
  Stripe.BillingPortal.ConfigurationUpdateParams
> = {
  // Stripe fills in unset parts of a feature (modes, reasons, behaviours), so only parts with a
  // value are compared.
  features: declared({
    // Stripe returns them only when expanded.
    expands: ['features.subscription_update.products'],
    read: readFeatures,
    canonical: canonicalFeatures,
    write: writeFeatures,
  }),
  business_profile: declared({ canonical: (value) => withoutNulls(value) }),
  default_return_url: mutable(),
  login_page: declared({ read: (live) => loginPage(live['login_page']) }),
  name: mutable(),
  active: mutable({ default: true, afterwards: true }),
  metadata,
  application: ignored,
  is_default: ignored,
}

/** Stripe sets the address of the page. */
function loginPage(value: Json | undefined): Json | undefined {
  return isJsonObject(value) ? { enabled: value['enabled'] === true } : undefined
}

const sets: readonly (readonly [string, string])[] = [
  ['customer_update', 'allowed_updates'],
  ['subscription_update', 'default_allowed_updates'],
]

/**
 * Sorts lists that are sets, and offered products by key, because Stripe returns them in another
 * order.
 */
function canonicalFeatures(value: Json): Json | undefined {
  if (!isJsonObject(value)) return undefined
  let features: JsonObject = value
  for (const [feature, list] of sets) features = within(features, feature, list, (one) => asSet(one) ?? [])
  features = within(features, 'subscription_update', 'products', canonicalProducts)
  return within(features, 'subscription_cancel', 'cancellation_reason', (reason) =>
    isJsonObject(reason) && reason['options'] !== undefined
      ? { ...reason, options: asSet(reason['options']) ?? [] }
      : reason,
  )
}

function canonicalProducts(value: Json): Json {
  if (!Array.isArray(value)) return []
  return (value as readonly Json[])
    .map((one) => (isJsonObject(one) ? { ...one, prices: asSet(one['prices'] ?? []) ?? [] } : one))
    .sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : keyOf(a) > keyOf(b) ? 1 : 0))
}

function keyOf(value: Json): string {
  return textIn(objectIn(value)['product'])
}

function readFeatures(live: StripeObject, references: References): Json | undefined {
  const said = withoutNullsInside(live['features'] ?? null)
  if (!isJsonObject(said)) return undefined
  const methods = within(said, 'payment_method_update', 'payment_method_configuration', (id) =>
    references.toKey('payment_method_configuration', idOf(id) ?? ''),
  )
  const features = within(methods, 'subscription_cancel', 'cancellation_reason', feedbackIds)
  return within(features, 'subscription_update', 'products', (value) =>
    products(value, (one) => ({
      ...one,
      product: references.toKey('product', textIn(one['product'])),
      prices: texts(one['prices']).map((id) => references.toKey('price', id)),
    })),
  )
}

/** Custom answers are objects when expanded; only their ids are compared. */
function feedbackIds(reason: Json): Json {
  if (!isJsonObject(reason) || !Array.isArray(reason['feedback_options'])) return reason
  return { ...reason, feedback_options: (reason['feedback_options'] as readonly Json[]).map((one) => idOf(one) ?? one) }
}

function withoutNullsInside(value: Json): Json {
  if (Array.isArray(value)) return (value as readonly Json[]).map(withoutNullsInside)
  if (!isJsonObject(value)) return value
  const kept = Object.entries(value).filter(([, one]) => one !== null && one !== undefined)
  return Object.fromEntries(kept.map(([name, one]) => [name, withoutNullsInside(one ?? null)]))
}

function writeFeatures(value: Json, references: References): Json {
  if (!isJsonObject(value)) return value
  const features = within(value, 'payment_method_update', 'payment_method_configuration', (key) =>
    references.toStripe('payment_method_configuration', textIn(key)),
  )
  return within(features, 'subscription_update', 'products', (list) =>
    products(list, (one) => ({
      ...one,
      product: references.toStripe('product', textIn(one['product'])),
      prices: texts(one['prices']).map((key) => references.toStripe('price', key)),
    })),
  )
}

function products(value: Json, each: (one: JsonObject) => JsonObject): Json {
  return Array.isArray(value) ? (value as readonly Json[]).map((one) => (isJsonObject(one) ? each(one) : one)) : []
}

/** The features with one changed part, if that part exists. */
function within(features: JsonObject, feature: string, part: string, change: (value: Json) => Json): JsonObject {
  const holder = features[feature]
  if (!isJsonObject(holder)) return features
  const value = holder[part]
  return value === undefined || value === null
    ? features
    : { ...features, [feature]: { ...holder, [part]: change(value) } }
}

function uses(value: JsonObject): readonly Use[] {
  const features = value['features']
  const update = isJsonObject(features) ? features['subscription_update'] : undefined
  const list = isJsonObject(update) ? update['products'] : undefined
  const methods = isJsonObject(features) ? features['payment_method_update'] : undefined
  const key = isJsonObject(methods) ? methods['payment_method_configuration'] : undefined
  const path = ['features', 'payment_method_update', 'payment_method_configuration']
  const method: readonly Use[] = typeof key === 'string' ? [{ kind: 'payment_method_configuration', key, path }] : []
  return [...method, ...offeredUses(Array.isArray(list) ? list : [])]
}

function offeredUses(list: readonly Json[]): readonly Use[] {
  return list.flatMap((one, index): Use[] => {
    if (!isJsonObject(one)) return []
    const path = ['features', 'subscription_update', 'products', index]
    const prices = texts(one['prices']).map((key, at): Use => ({ kind: 'price', key, path: [...path, 'prices', at] }))
    return [{ kind: 'product', key: textIn(one['product']), path: [...path, 'product'] }, ...prices]
  })
}

function texts(value: Json | undefined): readonly string[] {
  return Array.isArray(value) ? (value as readonly string[]) : []
}

const isDefault = (live: StripeObject): boolean => live['is_default'] === true

declare module './kind.ts' {
  interface KindNames {
    portal_configuration: true
  }
}

export const portalConfiguration: Kind<'portal_configuration'> = {
  name: 'portal_configuration',
  section: 'portal_configurations',
  file: 'portal.yaml',
  docs: 'https://docs.stripe.com/api/customer_portal/configurations',
  schema: portalSchema,
  path: '/v1/billing_portal/configurations',
  lists: [{}],
  fields,
  marks: true,
  uses,
  replaceOrder: 'create_first',
  whatEnds: {
    use: (live) => {
      if (isDefault(live)) return 'nothing ends: it is the default of the account, which Stripe never deactivates'
      const { login_page: page } = live
      const url = isJsonObject(page) && page['enabled'] === true ? textIn(page['url']) : ''
      return `portal sessions that name it are refused${url === '' ? '' : `, and its login page ${url} closes`}`
    },
  },
  retired: (live) => live['active'] === false,
  // "If true, … portal sessions will use this configuration": an account always has one in use.
  standard: { is: isDefault, firstBecomes: true },
  // The default only loses the project's marks.
  retire: (live) =>
    isDefault(live)
      ? undefined
      : { method: 'POST', path: `/v1/billing_portal/configurations/${live.id}`, params: { active: false } },
}
