import { canonicalJson } from '../core/canonical.ts'
import { isJsonObject, type Json, type JsonObject, objectIn } from '../core/json.ts'
import { desiredForm } from './form.ts'
import type { Kind } from './kind.ts'

interface Sides {
  /** The entry in its normal form. */
  readonly form: JsonObject
  /** The live object in the same form. */
  readonly live: JsonObject
  /** `ignore_fields`: `metadata`, or one key of it as `metadata.crm_id`. */
  readonly ignored: readonly string[]
}

/** The form of an entry with the live values of its ignored fields. */
export function withIgnored(kind: Kind, value: JsonObject, { form, live, ignored }: Sides): JsonObject {
  return withValues(form, live, ignoredPaths(kind, value, { form, ignored }))
}

/** The form with the values that another one has at these paths. */
export function withValues(form: JsonObject, others: JsonObject, paths: readonly string[]): JsonObject {
  return paths.reduce((now, path) => withValue(now, others, path.split('.')) ?? {}, form)
}

/**
 * The ignored paths, with the fields to which the kind's spelling moves their values: a tax code
 * inside `tax_details` is compared as `tax_code`.
 */
export function ignoredPaths(
  kind: Kind,
  value: JsonObject,
  { form, ignored }: Pick<Sides, 'form' | 'ignored'>,
): readonly string[] {
  if (kind.spelling === undefined || ignored.length === 0) return ignored
  const without = desiredForm(kind, withValues(value, {}, ignored))
  const moved = Object.keys({ ...form, ...without }).filter(
    (field) => canonicalJson(form[field] ?? null) !== canonicalJson(without[field] ?? null),
  )
  return [...ignored, ...moved.filter((field) => !ignored.some((path) => path.split('.')[0] === field))]
}

function withValue(form: JsonObject, others: Json | undefined, path: readonly string[]): JsonObject | undefined {
  const [step = '', ...rest] = path
  const there = isJsonObject(others) ? others[step] : undefined
  const below = form[step]
  const value = rest.length === 0 ? there : withValue(objectIn(below), there, rest)
  const { [step]: _before, ...without } = form
  if (value !== undefined) return { ...without, [step]: value }
  return Object.keys(without).length === 0 ? undefined : without
}
