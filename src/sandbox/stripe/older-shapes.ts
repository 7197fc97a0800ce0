// Events for an endpoint with an older API version: the same event in the shape of that version.
// Only the fields that moved with the releases `basil` and `clover`, which old accounts still
// receive in the old place. https://docs.stripe.com/changelog
import { isDeepStrictEqual } from 'node:util'
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'

const basil = '2025-03-31'
const clover = '2025-09-30'

interface Data {
  readonly object: object
  readonly previous_attributes?: Readonly<Record<string, unknown>>
}

/**
 * The data of an event in the shape of that version. `unfold` shows a coupon that is named by its
 * id: before `clover` a discount always contained it.
 */
export function inVersion(
  { object, previous_attributes: previous }: Data,
  version: string,
  unfold: (coupon: string) => Json,
): Data {
  const older = (one: object): object => shapeOf(one, version, unfold)
  const now = older(object)
  if (previous === undefined || now === object)
    return { object: now, ...(previous === undefined ? {} : { previous_attributes: previous }) }
  const before = older({ ...object, ...previous }) as JsonObject
  const changed = Object.entries(before).filter(([key, value]) => !isDeepStrictEqual(value, (now as JsonObject)[key]))
  return { object: now, previous_attributes: Object.fromEntries(changed) }
}

function shapeOf(object: object, version: string, unfold: (coupon: string) => Json): object {
  if (!isJsonObject(object)) return object
  const { object: kind } = object
  if (version < clover && kind === 'discount') return olderDiscount(object, unfold)
  if (version >= basil) return object
  if (kind === 'subscription') return olderSubscription(object)
  return kind === 'invoice' ? olderInvoice(object) : object
}

/** The periods were on the subscription, and one discount beside their list. */
function olderSubscription(subscription: JsonObject): JsonObject {
  const items = entries(subscription['items'])
  const [first] = items
  const discounts = subscription['discounts']
  return {
    ...subscription,
    items: {
      ...(isJsonObject(subscription['items']) ? subscription['items'] : {}),
      data: items.map(({ current_period_start: _start, current_period_end: _end, ...item }) => item),
    },
    current_period_start: first?.['current_period_start'] ?? null,
    current_period_end: first?.['current_period_end'] ?? null,
    discount: (Array.isArray(discounts) ? (discounts as readonly Json[])[0] : undefined) ?? null,
    plan: first?.['plan'] ?? null,
    quantity: first?.['quantity'] ?? null,
  }
}

/**
 * The subscription was on the invoice itself, without a parent, and so was the field that says
 * whether it is paid. A line said what it is for without a parent, too.
 */
function olderInvoice({ parent, ...invoice }: JsonObject): JsonObject {
  const details = isJsonObject(parent) ? parent['subscription_details'] : undefined
  const about = isJsonObject(details) ? details : {}
  const { lines } = invoice
  return {
    ...invoice,
    paid: invoice['status'] === 'paid',
    subscription: about['subscription'] ?? null,
    subscription_details: { metadata: about['metadata'] ?? null },
    ...(isJsonObject(lines) ? { lines: { ...lines, data: entries(lines).map(olderLine) } } : {}),
  }
}

function olderLine({ parent, ...line }: JsonObject): JsonObject {
  const isItem = isJsonObject(parent) && parent['type'] === 'invoice_item_details'
  return { ...line, type: isItem ? 'invoiceitem' : 'subscription' }
}

/** The coupon was on the discount itself, complete. */
function olderDiscount({ source, ...discount }: JsonObject, unfold: (coupon: string) => Json): JsonObject {
  const coupon = isJsonObject(source) ? source['coupon'] : undefined
  return { ...discount, coupon: typeof coupon === 'string' ? unfold(coupon) : (coupon ?? null) }
}

function entries(list: Json | undefined): readonly JsonObject[] {
  const data = isJsonObject(list) ? list['data'] : undefined
  return Array.isArray(data) ? (data as readonly Json[]).filter((one) => isJsonObject(one)) : []
}
