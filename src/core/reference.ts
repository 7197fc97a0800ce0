import { isJsonObject } from './json.ts'

/**
 * The id of an object that Stripe shows as its id, or as a whole where it was expanded. Undefined
 * for what is neither, as an answer from outside may be.
 */
export function idOf(reference: string | { readonly id: string }): string
export function idOf(reference: unknown): string | undefined
export function idOf(reference: unknown): string | undefined {
  if (typeof reference === 'string') return reference
  return isJsonObject(reference) && typeof reference['id'] === 'string' ? reference['id'] : undefined
}
