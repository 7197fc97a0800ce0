import { isJsonObject, type Json, type JsonObject } from '../core/json.ts'
import { referenceMark } from './schema.ts'
import type { Kind, KindName } from './kind.ts'

/**
 * A reference to an object that this catalog does not declare. The YAML says `{ id: prod_… }` or
 * `{ lookup_key: … }`; inside the program it is a text in brackets, which no key can be, so that
 * everything that handles keys handles it as well. `(prod_…)` is also what a live object's unknown
 * reference reads as, so the two compare as equal.
 */
export type Outside = { readonly by: 'id' | 'lookup_key'; readonly value: string }

const byLookupKey = 'lookup_key '

export function outsideOf(key: string): Outside | undefined {
  if (!key.startsWith('(') || !key.endsWith(')')) return undefined
  const inside = key.slice(1, -1)
  return inside.startsWith(byLookupKey)
    ? { by: 'lookup_key', value: inside.slice(byLookupKey.length) }
    : { by: 'id', value: inside }
}

/** `(prod_…)`: the key of an object that no entry declares. */
export function keyOfOutside({ by, value }: Outside): string {
  return by === 'id' ? `(${value})` : `(${byLookupKey}${value})`
}

/** An entry of the YAML with its outside references as texts. */
export function referencesRead(kind: Kind, value: JsonObject): JsonObject {
  return atReferences(kind.schema, value, (one, section) => {
    if (!isJsonObject(one)) return isPlainId(one, section) ? keyOfOutside({ by: 'id', value: one }) : one
    const { id, lookup_key: lookupKey } = one
    if (typeof id === 'string') return keyOfOutside({ by: 'id', value: id })
    return typeof lookupKey === 'string' ? keyOfOutside({ by: 'lookup_key', value: lookupKey }) : one
  }) as JsonObject
}

/** The portal named its payment methods by id before the catalog could declare them. */
function isPlainId(value: Json, section: string): value is string {
  return section === 'payment_method_configurations' && typeof value === 'string' && value.startsWith('pmc_')
}

/** The same entry as the YAML says it. */
export function referencesWritten(kind: Kind, value: JsonObject): JsonObject {
  return atReferences(kind.schema, value, (one) => {
    const outside = typeof one === 'string' ? outsideOf(one) : undefined
    return outside === undefined ? one : { [outside.by]: outside.value }
  }) as JsonObject
}

/** An entry in which each reference has become another key. */
export function withReferences(kind: Kind, value: JsonObject, to: (kind: KindName, key: string) => string): JsonObject {
  let changed = value
  for (const { kind: name, key, path } of kind.uses(value)) {
    const now = to(name, key)
    if (now !== key) changed = withValue(changed, path, now) as JsonObject
  }
  return changed
}

/** What a schema says about the places inside a value. */
interface Shape {
  readonly $comment?: string
  readonly properties?: Readonly<Record<string, Shape>>
  readonly items?: Shape
  readonly additionalProperties?: Shape | boolean
}

/** Changes the values that stand where the schema has a reference. */
function atReferences(schema: Shape, value: Json, change: (value: Json, section: string) => Json): Json {
  const { $comment, properties, items, additionalProperties } = schema
  if ($comment?.startsWith(referenceMark) === true) return change(value, $comment.slice(referenceMark.length))
  if (Array.isArray(value))
    return items === undefined ? value : (value as readonly Json[]).map((one) => atReferences(items, one, change))
  if (!isJsonObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => {
      const below = properties?.[name] ?? (typeof additionalProperties === 'object' ? additionalProperties : undefined)
      return [name, below === undefined || one === undefined ? (one ?? null) : atReferences(below, one, change)]
    }),
  )
}

function withValue(holder: Json, [step, ...rest]: readonly (string | number)[], value: Json): Json {
  if (step === undefined) return value
  if (Array.isArray(holder))
    return (holder as readonly Json[]).map((one, index) => (index === step ? withValue(one, rest, value) : one))
  return isJsonObject(holder) ? { ...holder, [step]: withValue(holder[step] ?? null, rest, value) } : holder
}
