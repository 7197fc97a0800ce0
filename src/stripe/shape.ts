import { isJsonObject, type Json, type JsonObject } from '../core/json.ts'

/**
 * Why an answer does not have Stripe's form: every object has a type and a text as its id.
 * Undefined for a correct answer.
 */
export function oddAnswer({ object, id, data, has_more: more }: JsonObject): string | undefined {
  if (id !== undefined && typeof id !== 'string') return 'its id is not text'
  if (object !== 'list') return undefined
  if (!Array.isArray(data)) return 'a list has no data'
  if (more !== undefined && typeof more !== 'boolean') return 'a list has no valid has_more'
  const isObject = (one: Json): boolean =>
    isJsonObject(one) && typeof one['object'] === 'string' && (one['id'] === undefined || typeof one['id'] === 'string')
  return (data as readonly Json[]).every(isObject) ? undefined : 'a list contains an entry that is not a Stripe object'
}
