import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'

/** Finds the id for an address; undefined when it has none yet. */
export type Resolve = (address: string) => string | undefined

export type Filled<T> =
  | { readonly ok: true; readonly value: T }
  /** Addresses without an id: the change that creates them did not run or failed. */
  | { readonly ok: false; readonly missing: readonly string[] }

/**
 * Replaces `{ "$ref": "price.x" }` in parameters or expectations by ids, at any depth. Where their
 * type has a reference, it has an id as well.
 */
export function fillParams<T extends JsonObject>(params: T, resolve: Resolve): Filled<T> {
  const missing: string[] = []
  const value = fill(params, resolve, missing)
  return missing.length === 0 ? { ok: true, value: value as T } : { ok: false, missing }
}

function fill(value: Json, resolve: Resolve, missing: string[]): Json {
  if (Array.isArray(value)) return value.map((one: Json) => fill(one, resolve, missing))
  if (!isJsonObject(value)) return value
  const ref = value['$ref']
  if (typeof ref === 'string') {
    const id = resolve(ref)
    if (id === undefined) missing.push(ref)
    return id ?? null
  }
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, one]) => (one === undefined ? [] : [[key, fill(one, resolve, missing)]])),
  )
}

/** Replaces `{price.x}` in a path by ids: `/v1/prices/{price.x}`. */
export function fillPath(path: string, resolve: Resolve): Filled<string> {
  const missing: string[] = []
  const value = path.replace(/\{([^}]+)\}/g, (whole, ref: string) => {
    const id = resolve(ref)
    if (id === undefined) missing.push(ref)
    return id ?? whole
  })
  return missing.length === 0 ? { ok: true, value } : { ok: false, missing }
}
