/** Plain JSON values: the parts of YAML, Stripe's answers, plans and the store. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject

export interface JsonObject {
  readonly [key: string]: Json | undefined
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * A Stripe object as received: it has `object` and usually `id`; all other fields are read with
 * care.
 */
export type StripeObject = JsonObject & { readonly object: string; readonly id?: string }
