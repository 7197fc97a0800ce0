/** Plain JSON values: what YAML, Stripe's answers, plans and the store are made of. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject

export interface JsonObject {
  readonly [key: string]: Json | undefined
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * A Stripe object as it came: `object` and usually `id` are there; everything else is read with
 * care.
 */
export type StripeObject = JsonObject & { readonly object: string; readonly id?: string }
