import { isJsonObject, type Json, type JsonObject } from '../core/json.ts'

/**
 * Why an answer is not one of Stripe's: every object says what it is, and names itself with text.
 * Undefined for one that does.
 */
export function oddAnswer({ object, id, data, has_more: more }: JsonObject): string | undefined {
  if (id !== undefined && typeof id !== 'string') return 'its id is not text'
  if (object !== 'list') return undefined
  if (!Array.isArray(data)) return 'a list has no data'
  if (more !== undefined && typeof more !== 'boolean') return 'a list does not say whether it goes on'
  const isObject = (one: Json): boolean =>
    isJsonObject(one) && typeof one['object'] === 'string' && (one['id'] === undefined || typeof one['id'] === 'string')
  return (data as readonly Json[]).every(isObject) ? undefined : 'a list holds something that is no object of Stripe'
}
