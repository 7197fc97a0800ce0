import { idOf } from '../core/reference.ts'
import { formatInstant, instant, parseInstant } from '../core/instant.ts'
import { assert, present } from '../core/assert.ts'
import { isJsonObject, type Json, type JsonObject, objectIn, textIn, type StripeObject } from '../core/json.ts'
import type { Counted, Field, FieldPolicy, KindName, References } from './kind.ts'

type Rest = Omit<Field, 'policy'>

function field(policy: FieldPolicy, rest: Rest = {}): Field {
  return { policy, ...rest }
}

export const mutable = (rest?: Rest): Field => field('mutable', rest)
export const fixed = (rest?: Rest): Field => field('fixed', rest)
export const fixedOnceSet = (rest?: Rest): Field => field('fixed_once_set', rest)
export const grows = (rest?: Rest): Field => field('grows', rest)
/**
 * Stripe sets a default or cannot clear the field, so it is compared only where the YAML has a
 * value.
 */
export const declared = (rest?: Rest): Field => field('mutable', { ...rest, silent: 'left_alone' })
export const chosen: Field = field('chosen')
export const written: Field = field('written')
export const ignored: Field = field('ignored')
export const refused: Field = field('refused')

/** A list in which order does not matter. */
export function asSet(value: Json): Json | undefined {
  if (!Array.isArray(value)) return value
  return value.length === 0 ? undefined : [...new Set(value as string[])].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
}

/** An empty list means the same as no list. */
export function asList(value: Json): Json | undefined {
  return Array.isArray(value) && value.length === 0 ? undefined : value
}

/** The object without empty entries; undefined when no entry is left. */
export function withoutNulls(value: Json): Json | undefined {
  if (!isJsonObject(value)) return value
  const kept = Object.entries(value).filter(([, one]) => one !== null && one !== undefined)
  return kept.length === 0 ? undefined : (Object.fromEntries(kept) as JsonObject)
}

/** A field that holds another object's id in Stripe and its key in the YAML. */
export function reference(kind: KindName, name: string): Pick<Field, 'read' | 'write'> {
  return {
    read: (live, references) => {
      const id = idOf(live[name])
      return id === undefined ? undefined : references.toKey(kind, id)
    },
    write: (value, references) => references.toStripe(kind, asText(value)),
  }
}

/** An instant: `2026-12-31T09:15:00Z` in the YAML, unix seconds in Stripe. */
export function time(name: string): Pick<Field, 'read' | 'write'> {
  return {
    read: (live) => {
      const seconds = live[name]
      return typeof seconds === 'number' ? formatInstant(instant(seconds)) : undefined
    },
    write: (value) => present(parseInstant(asText(value)), `instant ${name}`),
  }
}

/** Says that a time of the form has passed, for objects that Stripe creates only for the future. */
export function passed(form: JsonObject, name: string, { now }: References): string | undefined {
  const written = textIn(form[name])
  const at = parseInstant(written)
  return at === undefined || now === undefined || at > now ? undefined : `${name} (${written}) has passed`
}

/** Prefix of Crossbill's marks in metadata; keys of users must not begin with it. */
const markPrefix = 'crossbill_'

/** Metadata without Crossbill's marks. An update sends changed keys only, removed keys as null. */
export const metadata: Field = mutable({
  read: (live) => userMetadata(live),
  canonical: (value) => withoutNulls(value),
})

function userMetadata(live: StripeObject): JsonObject {
  const all = objectIn(live['metadata'])
  return Object.fromEntries(Object.entries(all).filter(([key]) => !key.startsWith(markPrefix)))
}

/** Text that validation has already checked. */
function asText(value: Json): string {
  assert(typeof value === 'string', 'text expected')
  return value
}

/** The redemptions of a coupon or a promotion code. */
export function redemptions({ times_redeemed: done, max_redemptions: most }: JsonObject): Counted {
  return {
    done: typeof done === 'number' ? done : 0,
    ...(typeof most === 'number' ? { most } : {}),
  }
}
