import { isJsonObject, type Json, type JsonObject, type StripeObject } from '../core/json.ts'
import type { Kind } from './kind.ts'

/**
 * The lists that together return every object of a kind, with all compared fields that a list can
 * expand.
 */
export function listsOf(kind: Kind): readonly JsonObject[] {
  const expand = plainPaths(kind).map((path) => `data.${path}`)
  return kind.lists.map((params) => (expand.length === 0 ? params : { ...params, expand }))
}

/**
 * Expansions that a list cannot show for this object and that need a separate request; empty for a
 * complete object. The keys of a map must be known before anything below them can be expanded, and
 * Stripe may refuse a key that an object of the list does not have.
 */
export function expansionsLeft(kind: Kind, live: StripeObject): readonly string[] {
  const deeper = Object.values(kind.fields).flatMap(({ expands = [], hides }) =>
    hides === undefined || hides(live) ? expands.filter((path) => path.includes('*')) : [],
  )
  const left = deeper.flatMap((path) => concrete(live, path.split('.'), []))
  return left.length === 0 ? [] : [...plainPaths(kind), ...left]
}

function plainPaths(kind: Kind): readonly string[] {
  return Object.values(kind.fields).flatMap(({ expands = [] }) => expands.filter((path) => !path.includes('*')))
}

/** The paths that a pattern matches in this object, without paths that are already expanded. */
function concrete(at: Json | undefined, pattern: readonly string[], before: readonly string[]): readonly string[] {
  const [step, ...rest] = pattern
  if (step === undefined) return at === undefined ? [before.join('.')] : []
  if (step === '*') {
    if (!isJsonObject(at)) return []
    return Object.entries(at).flatMap(([key, one]) => concrete(one, rest, [...before, key]))
  }
  return concrete(isJsonObject(at) ? at[step] : undefined, rest, [...before, step])
}
