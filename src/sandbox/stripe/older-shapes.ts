// Events for an endpoint with an older API version: the same event in the shape of that version.
// Only the fields that moved with the release `basil`, which old accounts still receive in the old
// place. https://docs.stripe.com/changelog/basil
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'

const basil = '2025-03-31'

/** The object of an event in the shape of that version. */
export function inVersion(object: object, version: string): object {
  if (version >= basil || !isJsonObject(object)) return object
  if (object['object'] === 'subscription') return olderSubscription(object)
  return object['object'] === 'invoice' ? olderInvoice(object) : object
}

/** The periods were on the subscription, and one discount beside their list. */
function olderSubscription(subscription: JsonObject): JsonObject {
  const [first] = entries(subscription['items'])
  const discounts = subscription['discounts']
  return {
    ...subscription,
    current_period_start: first?.['current_period_start'] ?? null,
    current_period_end: first?.['current_period_end'] ?? null,
    discount: (Array.isArray(discounts) ? (discounts as readonly Json[])[0] : undefined) ?? null,
    plan: first?.['plan'] ?? null,
    quantity: first?.['quantity'] ?? null,
  }
}

/**
 * The subscription was on the invoice itself, without a parent, and so was the field that says
 * whether it is paid.
 */
function olderInvoice({ parent, ...invoice }: JsonObject): JsonObject {
  const details = isJsonObject(parent) ? parent['subscription_details'] : undefined
  const about = isJsonObject(details) ? details : {}
  return {
    ...invoice,
    paid: invoice['status'] === 'paid',
    subscription: about['subscription'] ?? null,
    subscription_details: { metadata: about['metadata'] ?? null },
  }
}

function entries(list: Json | undefined): readonly JsonObject[] {
  const data = isJsonObject(list) ? list['data'] : undefined
  return Array.isArray(data) ? (data as readonly Json[]).filter((one) => isJsonObject(one)) : []
}
