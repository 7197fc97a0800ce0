/** Plain JSON values: the parts of YAML, Stripe's answers, plans and the store. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject

export interface JsonObject {
  readonly [key: string]: Json | undefined
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The object itself; an empty one for any other value. */
export function objectIn(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {}
}

/** The list itself; an empty one for any other value. */
export function listIn(value: unknown): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : []
}

/** The objects of a list; none for any other value. */
export function objectsIn(value: unknown): readonly JsonObject[] {
  return listIn(value).filter(isJsonObject)
}

/** The text itself; an empty one for any other value. */
export function textIn(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/**
 * A Stripe object as received: it has `object` and usually `id`; all other fields are read with
 * care.
 */
export type StripeObject = JsonObject & { readonly object: string; readonly id?: string }
