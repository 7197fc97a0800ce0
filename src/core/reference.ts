import { isJsonObject } from './json.ts'

/**
 * The id of an object that Stripe shows as an id or, when expanded, as a whole. Undefined for any
 * other value, which an answer may contain.
 */
export function idOf(reference: string | { readonly id: string }): string
export function idOf(reference: unknown): string | undefined
export function idOf(reference: unknown): string | undefined {
  if (typeof reference === 'string') return reference
  return isJsonObject(reference) && typeof reference['id'] === 'string' ? reference['id'] : undefined
}
