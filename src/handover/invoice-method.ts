import type { JsonObject } from '../core/json.ts'

/**
 * Every invoice that Crossbill creates is an invoice of the customer, so Stripe would collect it
 * from the customer's default. `payment`: what the subscription names instead.
 */
export function invoiceMethod(payment: string | undefined): JsonObject {
  if (payment === undefined) return {}
  return { [payment.startsWith('pm_') ? 'default_payment_method' : 'default_source']: payment }
}
