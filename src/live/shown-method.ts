import type Stripe from 'stripe'
import { idOf } from '../core/reference.ts'

/** What an account shows of a payment method, as far as two methods are compared by it. */
export interface ShownMethod {
  readonly id: string
  readonly customer: string | null
  readonly type: string
  readonly card: { readonly brand: string; readonly last4: string } | null
}

/** Undefined for a method that is named by its id alone. */
export function shownMethod(method: string | Stripe.PaymentMethod | null | undefined): ShownMethod | undefined {
  if (typeof method !== 'object' || method === null) return undefined
  const { id, customer, type, card } = method
  const owner = customer === null || customer === undefined ? null : idOf(customer)
  return { id, customer: owner, type, card: card == null ? null : { brand: card.brand, last4: card.last4 } }
}

/** The method that a subscription charges, where the read shows it whole. */
export function shownPayment(
  { default_payment_method: own }: Stripe.Subscription,
  customer: Stripe.Customer | undefined,
): ShownMethod | undefined {
  return shownMethod(own ?? customer?.invoice_settings.default_payment_method)
}
