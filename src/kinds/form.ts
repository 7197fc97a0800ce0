import { canonicalJson } from '../core/canonical.ts'
import { isJsonObject, type Json, type JsonObject, objectIn, type StripeObject } from '../core/json.ts'
import type { Field, FieldPolicy, Kind, References, Takes } from './kind.ts'

const compared: ReadonlySet<FieldPolicy> = new Set(['mutable', 'fixed', 'fixed_once_set', 'grows'])

/**
 * The entry in canonical form for comparison: without defaults, sets sorted, decimals shortened.
 */
export function desiredForm(kind: Kind, value: JsonObject): JsonObject {
  const spelled = kind.spelling === undefined ? value : kind.spelling(value)
  return formOf(kind, (name) => spelled[name])
}

/** The live object in the same form, with the YAML's terms. Empty values count as absent. */
export function liveForm(kind: Kind, live: StripeObject, references: References): JsonObject {
  return formOf(kind, (name, field) => (field.read === undefined ? live[name] : field.read(live, references)))
}

function formOf(kind: Kind, valueOf: (name: string, field: Field) => Json | undefined): JsonObject {
  const form: Record<string, Json> = {}
  for (const [name, field] of Object.entries(kind.fields)) {
    if (!compared.has(field.policy)) continue
    const raw = valueOf(name, field)
    if (raw === undefined || raw === null) continue
    const value = field.canonical === undefined ? raw : field.canonical(raw)
    if (value === undefined || value === null || same(value, field.default)) continue
    form[name] = value
  }
  return form
}

export interface Difference {
  readonly field: string
  readonly live: Json | undefined
  readonly desired: Json | undefined
  readonly takes: Takes
}

/** Fields in which the two forms differ, in the order of the kind's fields. */
export function differences(kind: Kind, live: JsonObject, desired: JsonObject): readonly Difference[] {
  const found: Difference[] = []
  for (const [name, field] of Object.entries(kind.fields)) {
    const want = desired[name]
    const have = field.silent === 'left_alone' ? shapedLike(live[name], want) : live[name]
    if (same(meaningOf(field, have), meaningOf(field, want))) continue
    found.push({ field: name, live: have, desired: want, takes: takes(field, have, want) })
  }
  return found
}

function takes(field: Field, have: Json | undefined, want: Json | undefined): Takes {
  if (field.takes !== undefined) return field.takes(have, want)
  switch (field.policy) {
    case 'fixed':
      return 'replace'
    case 'fixed_once_set':
      return have === undefined ? 'update' : 'replace'
    case 'grows':
      return Object.entries(objectIn(have)).every(
        ([name, one]) =>
          isJsonObject(want) &&
          same(meaningOf(field, { [name]: one }), meaningOf(field, { [name]: want[name] ?? null })),
      )
        ? 'update'
        : 'replace'
    case 'mutable':
    case 'chosen':
    case 'written':
    case 'ignored':
    case 'refused':
      return 'update'
  }
}

/**
 * The part of the live form that is compared with the desired one, without fields that the YAML
 * does not set.
 */
export function comparable(kind: Kind, live: JsonObject, desired: JsonObject): JsonObject {
  const entries = Object.entries(live).map(([name, value]) => {
    const field = kind.fields[name]
    const compared = field?.silent === 'left_alone' ? shapedLike(value, desired[name]) : value
    // Values with the same meaning are not shown as a difference.
    const equal = field !== undefined && same(meaningOf(field, compared), meaningOf(field, desired[name]))
    return [name, equal ? desired[name] : compared] as const
  })
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined))
}

/** The part of the live value that the desired value covers, without additions by Stripe. */
function shapedLike(live: Json | undefined, desired: Json | undefined): Json | undefined {
  if (desired === undefined) return undefined
  if (isJsonObject(desired) && isJsonObject(live)) {
    const kept = Object.keys(desired).map((name) => [name, shapedLike(live[name], desired[name])] as const)
    return Object.fromEntries(kept.filter(([, one]) => one !== undefined))
  }
  if (Array.isArray(desired) && Array.isArray(live) && desired.length === live.length)
    return (live as readonly Json[]).map((one, index) => shapedLike(one, desired[index] as Json) ?? null)
  return live
}

function meaningOf(field: Field, value: Json | undefined): Json | undefined {
  return value === undefined || field.meaning === undefined ? value : field.meaning(value)
}

/** The form with equal meanings in one spelling, to decide whether two objects are the same. */
export function meaningOfForm(kind: Kind, form: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(form).flatMap(([name, value]) => {
      const field = kind.fields[name]
      const meant = field === undefined ? value : meaningOf(field, value)
      return meant === undefined ? [] : [[name, meant] as const]
    }),
  )
}

function same(a: Json | undefined, b: Json | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  return a === b || canonicalJson(a) === canonicalJson(b)
}
