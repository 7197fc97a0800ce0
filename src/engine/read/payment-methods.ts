import type Stripe from 'stripe'
import type { StripeObject } from '../../core/json.ts'
import type { LiveAccount } from '../../live/accounts.ts'

/** Payment methods that are the default of a customer or of a subscription, by id. */
export function methodsListed(live: LiveAccount | undefined): Map<string, Stripe.PaymentMethod> {
  const defaults = [...(live?.customers.values() ?? [])].map(
    ({ invoice_settings: { default_payment_method: one } }) => one,
  )
  const pinned = (live?.subscriptions ?? []).map(({ default_payment_method: one }) => one)
  return new Map([...defaults, ...pinned].flatMap(asMethod).map((one) => [one.id, one]))
}

function asMethod(method: string | Stripe.PaymentMethod | null): Stripe.PaymentMethod[] {
  return typeof method === 'object' && method !== null ? [method] : []
}

/** An older card of a customer has the fields of its card at the top. */
export function methodOf(object: StripeObject): Stripe.PaymentMethod {
  const isCard = object['object'] === 'card'
  return (isCard ? { ...object, type: 'card', card: object } : object) as unknown as Stripe.PaymentMethod
}
