import { isJsonObject, type Json } from '../core/json.ts'

/** Addresses that a value refers to as `{ "$ref": address }`, at any depth, in order. */
export function referencesIn(value: Json | undefined): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((one: Json) => referencesIn(one))
  if (!isJsonObject(value)) return []
  const ref = value['$ref']
  return typeof ref === 'string' ? [ref] : Object.values(value).flatMap(referencesIn)
}

/** Addresses in a path such as `/v1/prices/{price.x}`. */
export function referencesInPath(path: string): readonly string[] {
  return [...path.matchAll(/\{([^}]+)\}/g)].map((match) => match[1] ?? '')
}
