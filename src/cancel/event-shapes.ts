// An endpoint keeps the API version of its creation, so an old account sends shapes of years ago.
// Each reader here knows every place of a value (https://docs.stripe.com/changelog).
import { type Json, type JsonObject, objectIn, objectsIn } from '../core/json.ts'
import { markFrom } from '../live/marks.ts'

/**
 * The subscriber whose successor an invoice bills, by the metadata of the subscription: under
 * `parent`, before the release `basil` under `subscription_details`, and since ever on the lines.
 */
export function successorOnInvoice(invoice: JsonObject): string | undefined {
  const now = objectIn(objectIn(invoice['parent'])['subscription_details'])
  const lines = objectsIn(objectIn(invoice['lines'])['data'])
  const all = [now, objectIn(invoice['subscription_details']), ...lines].map(({ metadata }) => objectIn(metadata))
  return all.map((metadata) => metadata[markFrom]).find((mark) => typeof mark === 'string')
}

/**
 * What changed of a subscription, each by one name. Before `basil`, a change of the items was also
 * shown as `plan` and `quantity`, and one discount as `discount`.
 */
export function changedParts(previous: JsonObject): ReadonlySet<string> {
  return new Set(Object.keys(previous).map((name) => sameAs[name] ?? name))
}

const sameAs: Readonly<Record<string, string>> = { plan: 'items', quantity: 'items', discount: 'discounts' }

/**
 * Prices and quantities, in the order of the items. Where `previous` names only a plan or a
 * quantity, it means the one item.
 */
export function termsOf({ items, plan, quantity }: JsonObject, before?: JsonObject): string {
  const data = objectsIn(objectIn(items)['data'])
  const idOf = (one: Json | undefined): Json => (typeof one === 'string' ? one : (objectIn(one)['id'] ?? null))
  if (data.length > 0)
    return JSON.stringify(data.map((one) => [idOf(one['price'] ?? one['plan']), one['quantity'] ?? null]))
  const [only] = objectsIn(objectIn(before?.['items'])['data'])
  if (only === undefined) return ''
  const price = plan === undefined ? (only['price'] ?? only['plan']) : plan
  return JSON.stringify([[idOf(price), (quantity === undefined ? only['quantity'] : quantity) ?? null]])
}

/** The coupon of a discount: under `source`, before the release `clover` on the discount itself. */
export function couponOf({ source, coupon }: JsonObject): Json | undefined {
  return objectIn(source)['coupon'] ?? coupon
}
