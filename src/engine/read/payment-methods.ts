import type Stripe from 'stripe'
import { isJsonObject, type Json, type StripeObject } from '../../core/json.ts'
import type { LiveAccount } from '../../live/accounts.ts'
import type { StripeAccount } from '../ports.ts'
import { listAll } from './lists.ts'

/** Payment methods that are the default of a customer or of a subscription, by id. */
export async function methodsListed(
  account: StripeAccount,
  live: LiveAccount | undefined,
): Promise<Map<string, Stripe.PaymentMethod>> {
  const path = 'invoice_settings.default_payment_method'
  const customers = await listAll(account, '/v1/customers', { expand: [`data.${path}`] })
  const defaults = customers.map(({ invoice_settings: settings }) =>
    isJsonObject(settings) ? settings['default_payment_method'] : null,
  )
  const pinned = (live?.subscriptions ?? []).map(({ default_payment_method: method }) => method)
  return new Map([...defaults, ...pinned].flatMap(asMethod).map((method) => [method.id, method]))
}

function asMethod(value: Json | Stripe.PaymentMethod | undefined): Stripe.PaymentMethod[] {
  // The adapter returns what Stripe sent; the types are the SDK's for the pinned version.
  return typeof value === 'object' && value !== null ? [value as unknown as Stripe.PaymentMethod] : []
}

/** An older card of a customer has the fields of its card at the top. */
export function methodOf(object: StripeObject): Stripe.PaymentMethod {
  const isCard = object['object'] === 'card'
  return (isCard ? { ...object, type: 'card', card: object } : object) as unknown as Stripe.PaymentMethod
}
