import type Stripe from 'stripe'
import { idOf } from '../core/reference.ts'
import { isJsonObject, type Json, type JsonObject, listIn, objectIn, type StripeObject, textIn } from '../core/json.ts'
import { canonicalJson } from '../core/canonical.ts'
import { asList, asSet, declared, fixed, ignored, metadata, mutable, refused, withoutNulls } from './fields.ts'
import type { Counted, Field, FieldsOf, Kind, PartRequest, References, Takes, Use } from './kind.ts'
import { paymentLinkSchema } from './payment-link-schema.ts'

/**
 * A page of Stripe that sells fixed items. The SDK's update parameters: of the line items only the
 * quantity changes, by the item's id; `currency`, the capture method and a subscription's
 * description are parameters of the creation alone. There is no request that deletes a link; a
 * retired one is deactivated and shows `inactive_message`.
 *
 * A replaced link has another address. The old address stops selling, also where it is printed.
 */
const fields: FieldsOf<Stripe.PaymentLink, Stripe.PaymentLinkCreateParams, Stripe.PaymentLinkUpdateParams> = {
  line_items: fixed({
    expands: ['line_items'],
    read: (live, references) => readItems(itemsOf(live), references),
    canonical: canonicalItems,
    write: writeItems,
    takes: (live, desired) => (samePrices(live, desired) ? 'update' : 'replace'),
    requests: quantityRequests,
  }),
  active: mutable({ default: true, afterwards: true }),
  after_completion: pruned({ default: { type: 'hosted_confirmation' } }),
  allow_promotion_codes: mutable({ default: false }),
  automatic_tax: switchedOff('liability'),
  billing_address_collection: mutable({ default: 'auto' }),
  // Stripe sets a default or cannot clear these four.
  consent_collection: declared({ canonical: (value) => prunedValue(value) }),
  customer_creation: declared(),
  invoice_creation: declared({ canonical: onlyEnabled }),
  tax_id_collection: declared(),
  currency: fixed({ silent: 'left_alone' }),
  custom_fields: mutable({ canonical: canonicalQuestions }),
  custom_text: mutable({
    canonical: (value) => prunedValue(value),
    // Each text is cleared by itself.
    update: (value) => ({ custom_text: eachOrNull(value, texts) }),
  }),
  inactive_message: mutable(),
  name_collection: mutable({ canonical: canonicalNames }),
  optional_items: mutable({
    read: (live, references) => readItems(listIn(live['optional_items']), references),
    canonical: canonicalItems,
    write: writeItems,
  }),
  payment_intent_data: mutable({
    canonical: (value) => prunedValue(value),
    takes: exceptFor('capture_method'),
    update: (value) => ({ payment_intent_data: eachOrNull(value, paymentTexts) }),
  }),
  payment_method_collection: mutable({ default: 'always' }),
  payment_method_types: mutable({ canonical: asSet }),
  phone_number_collection: switchedOff(),
  restrictions: mutable({ read: (live) => limitOf(live['restrictions']) }),
  shipping_address_collection: mutable({ canonical: canonicalCountries }),
  shipping_options: mutable({
    read: (live, references) =>
      listIn(live['shipping_options']).flatMap((one) => {
        const id = isJsonObject(one) ? idOf(one['shipping_rate']) : undefined
        return id === undefined ? [] : [{ shipping_rate: references.toKey('shipping_rate', id) }]
      }),
    canonical: asList,
    write: (value, references) =>
      listIn(value).map((one) => ({
        shipping_rate: references.toStripe('shipping_rate', textIn(objectIn(one)['shipping_rate'])),
      })),
  }),
  submit_type: mutable({ default: 'auto' }),
  subscription_data: mutable({
    canonical: canonicalSubscription,
    takes: exceptFor('description'),
    update: (value) => ({ subscription_data: eachOrNull(value, ['metadata', 'trial_period_days', 'trial_settings']) }),
  }),
  metadata,
  // Payments for other accounts (Connect), and what Stripe itself manages or derives.
  application: ignored,
  application_fee_amount: ignored,
  application_fee_percent: ignored,
  on_behalf_of: ignored,
  transfer_data: ignored,
  managed_payments: ignored,
  url: ignored,
  // Blocks card brands of the whole page, which Radar rules do for every page.
  payment_method_options: refused,
}

const texts = ['after_submit', 'shipping_address', 'submit', 'terms_of_service_acceptance']
const paymentTexts = [
  'description',
  'metadata',
  'setup_future_usage',
  'statement_descriptor',
  'statement_descriptor_suffix',
]

/** A field whose empty parts mean nothing. */
function pruned(rest: Pick<Field, 'default'>): Field {
  return mutable({ ...rest, canonical: (value) => prunedValue(value) })
}

/** `{ enabled: false }` is the same as no value. */
function switchedOff(...without: readonly string[]): Field {
  return mutable({
    default: { enabled: false },
    canonical: (value) => {
      if (!isJsonObject(value)) return undefined
      return Object.fromEntries(Object.entries(value).filter(([name]) => !without.includes(name)))
    },
  })
}

/** The value without nulls and empty objects, to any depth. */
function prunedValue(value: Json): Json | undefined {
  if (!isJsonObject(value)) return value
  const inside = Object.entries(value).map(
    ([name, one]) => [name, one === undefined ? null : prunedValue(one)] as const,
  )
  const kept = inside.filter(([, one]) => one !== null && one !== undefined)
  return kept.length === 0 ? undefined : (Object.fromEntries(kept) as JsonObject)
}

function onlyEnabled(value: Json): Json | undefined {
  return isJsonObject(value) ? { enabled: value['enabled'] === true } : undefined
}

/** An answer may state what is the default: a question that must be answered. */
function canonicalQuestions(value: Json): Json | undefined {
  const questions = listIn(value).map((one) => {
    const said = prunedValue(one)
    if (!isJsonObject(said) || said['optional'] !== false) return said ?? null
    const { optional: _always, ...rest } = said
    return rest
  })
  return asList(questions)
}

/** Names that are not collected, and names that must be entered, need not be said. */
function canonicalNames(value: Json): Json | undefined {
  if (!isJsonObject(value)) return undefined
  const asked = Object.entries(value).flatMap(([name, one]) =>
    isJsonObject(one) && one['enabled'] === true
      ? [[name, one['optional'] === true ? { enabled: true, optional: true } : { enabled: true }] as const]
      : [],
  )
  return asked.length === 0 ? undefined : Object.fromEntries(asked)
}

function canonicalCountries(value: Json): Json | undefined {
  return isJsonObject(value) ? { allowed_countries: asSet(value['allowed_countries'] ?? []) ?? [] } : undefined
}

function canonicalSubscription(value: Json): Json | undefined {
  if (!isJsonObject(value)) return undefined
  // Stripe states the issuer of invoices, which is this account.
  const { invoice_settings: _own, ...rest } = value
  return prunedValue(rest)
}

function purchases(object: JsonObject): Counted {
  const { count: done, limit: most } = objectIn(objectIn(object['restrictions'])['completed_sessions'])
  return { done: typeof done === 'number' ? done : 0, ...(typeof most === 'number' ? { most } : {}) }
}

function limitOf(value: Json | undefined): Json | undefined {
  const sessions = isJsonObject(value) ? value['completed_sessions'] : undefined
  return isJsonObject(sessions) ? { completed_sessions: { limit: sessions['limit'] ?? null } } : undefined
}

/** Every named part of the value; null clears a part that is not set. */
function eachOrNull(value: Json | undefined, names: readonly string[]): JsonObject {
  const said = objectIn(value)
  return Object.fromEntries(names.map((name) => [name, said[name] ?? null]))
}

/** One part is a parameter of the creation alone. */
function exceptFor(name: string): (live: Json | undefined, desired: Json | undefined) => Takes {
  const of = (value: Json | undefined): Json => (isJsonObject(value) ? (value[name] ?? null) : null)
  return (live, desired) => (of(live) === of(desired) ? 'update' : 'replace')
}

/** The items of an expanded list. */
function itemsOf(live: StripeObject): readonly Json[] {
  return isJsonObject(live['line_items']) ? listIn(live['line_items']['data']) : []
}

function readItems(items: readonly Json[], references: References): Json | undefined {
  const read = items.flatMap((one): JsonObject[] => {
    if (!isJsonObject(one)) return []
    const id = idOf(one['price'])
    const { quantity, adjustable_quantity: adjustable } = one
    const about = { quantity: quantity ?? 1, ...(adjustable === undefined ? {} : { adjustable_quantity: adjustable }) }
    return [id === undefined ? about : { price: references.toKey('price', id), ...about }]
  })
  return read.length === 0 ? undefined : read
}

function canonicalItems(value: Json): Json | undefined {
  const items = listIn(value).map((one) => {
    if (!isJsonObject(one)) return one
    const { adjustable_quantity: adjustable, ...rest } = one
    const said = isJsonObject(adjustable) && adjustable['enabled'] === true ? withoutNulls(adjustable) : undefined
    return said === undefined ? rest : { ...rest, adjustable_quantity: said }
  })
  return asList(items)
}

function writeItems(value: Json, references: References): Json {
  return listIn(value).map((one) =>
    isJsonObject(one) ? { ...one, price: references.toStripe('price', textIn(one['price'])) } : one,
  )
}

function samePrices(live: Json | undefined, desired: Json | undefined): boolean {
  const prices = (value: Json | undefined): Json =>
    listIn(value).map((one) => (isJsonObject(one) ? (one['price'] ?? null) : null))
  return canonicalJson(prices(live)) === canonicalJson(prices(desired))
}

function quantityRequests(live: StripeObject, value: Json): readonly PartRequest[] {
  const wanted = listIn(value)
  const items = itemsOf(live).flatMap((one, index): JsonObject[] => {
    const to = wanted[index]
    const id = idOf(one)
    if (!isJsonObject(to) || id === undefined) return []
    const { quantity, adjustable_quantity: adjustable } = to
    return [{ id, quantity: quantity ?? 1, adjustable_quantity: adjustable ?? { enabled: false } }]
  })
  return [{ id: 'line_items', method: 'POST', suffix: '', params: { line_items: items } }]
}

function uses(value: JsonObject): readonly Use[] {
  const prices = (name: string): readonly Use[] =>
    listIn(value[name]).flatMap((one, index): Use[] =>
      isJsonObject(one) && typeof one['price'] === 'string'
        ? [{ kind: 'price', key: one['price'], path: [name, index, 'price'] }]
        : [],
    )
  const rates = listIn(value['shipping_options']).flatMap((one, index): Use[] =>
    isJsonObject(one) && typeof one['shipping_rate'] === 'string'
      ? [{ kind: 'shipping_rate', key: one['shipping_rate'], path: ['shipping_options', index, 'shipping_rate'] }]
      : [],
  )
  return [...prices('line_items'), ...prices('optional_items'), ...rates]
}

declare module './kind.ts' {
  interface KindNames {
    payment_link: true
  }
}

export const paymentLink: Kind<'payment_link'> = {
  name: 'payment_link',
  section: 'payment_links',
  file: 'payment-links.yaml',
  docs: 'https://docs.stripe.com/api/payment-link',
  schema: paymentLinkSchema,
  path: '/v1/payment_links',
  lists: [{}],
  readWhen: 'named',
  fields,
  marks: true,
  uses,
  replaceOrder: 'create_first',
  counted: purchases,
  whatEnds: {
    use: ({ url }) =>
      `${typeof url === 'string' ? url : 'its URL'} says that the link is deactivated, wherever it is published`,
  },
  retired: (live) => live['active'] === false,
  retire: (live) => ({ method: 'POST', path: `/v1/payment_links/${live.id}`, params: { active: false } }),
}
