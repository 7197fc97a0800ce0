import fc from 'fast-check'
import { isJsonObject, type Json } from '../../src/core/json.ts'

/** One change of a JSON value: which part (chosen by a number), and what becomes of it. */
export interface Edit {
  readonly part: number
  /** Only parts with this name, if the value has any. */
  readonly name?: string
  readonly change: 'replace' | 'remove' | 'rename' | 'double' | 'wrap'
  readonly by: Json
}

const odd: readonly Json[] = [
  null,
  true,
  -1,
  0,
  0.5,
  1e300,
  9_007_199_254_740_992,
  '',
  ' ',
  'null',
  '../../v1/account',
  'sub_1?expand=x#y',
  '__proto__',
  'constructor',
  '\u0000\u2028\ud800',
  'a@b.example',
  'https://[',
  '%00%ff%',
  'x'.repeat(5_000),
  [],
  {},
  [[[]]],
  { toString: 1, valueOf: null, length: -1 },
]

export const scraps: fc.Arbitrary<Json> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...odd) },
  { weight: 1, arbitrary: fc.json({ maxDepth: 3 }).map((text) => JSON.parse(text) as Json) },
)

/** Fields of Stripe and Kajabi on which decisions and pages rest. */
const names = [
  'id',
  'object',
  'status',
  'customer',
  'metadata',
  'created',
  'canceled_at',
  'ended_at',
  'cancel_at',
  'cancel_at_period_end',
  'current_period_end',
  'pause_collection',
  'items',
  'data',
  'price',
  'product',
  'name',
  'amount_due',
  'currency',
  'schedule',
  'has_more',
  'crossbill_hold',
  'crossbill_from',
  'attributes',
  'email',
  'external_user_id',
  'links',
  'next',
  'access_token',
  'expires_in',
]

export const edits = fc.array(
  fc.record<Edit>({
    part: fc.nat(400),
    name: fc.constantFrom(...names),
    change: fc.constantFrom('replace', 'replace', 'remove', 'rename', 'double', 'wrap'),
    by: scraps,
  }),
  { minLength: 1, maxLength: 4 },
)

/** Applies the edits one after the other. The same value and edits always give the same result. */
export function edited(value: Json, list: readonly Edit[]): Json {
  // One edit in three is anywhere.
  return list.reduce<Json>((now, edit) => {
    const all = pathsOf(now)
    const named = all.filter((path) => path.at(-1) === edit.name)
    const parts = named.length > 0 && edit.part % 3 > 0 ? named : all
    return changedAt(now, parts[edit.part % parts.length] ?? [], edit)
  }, value)
}

/** The paths of all parts, the whole value first. */
function pathsOf(value: Json, path: readonly (string | number)[] = []): (readonly (string | number)[])[] {
  const inner: (readonly [string | number, Json])[] = Array.isArray(value)
    ? value.map((one, index) => [index, one as Json] as const)
    : isJsonObject(value)
      ? Object.entries(value).map(([name, one]) => [name, one ?? null] as const)
      : []
  return [path, ...inner.flatMap(([name, one]) => pathsOf(one, [...path, name]))]
}

function changedAt(value: Json, [name, ...rest]: readonly (string | number)[], edit: Edit): Json {
  if (name === undefined) return edit.change === 'wrap' ? [value] : edit.change === 'double' ? [value, value] : edit.by
  if (Array.isArray(value)) {
    const at = Number(name)
    const one = value[at] as Json
    if (rest.length > 0) return value.with(at, changedAt(one, rest, edit)) as Json
    const middle: Json[] =
      edit.change === 'remove' ? [] : edit.change === 'double' ? [one, one] : [changedAt(one, [], edit)]
    return [...(value.slice(0, at) as Json[]), ...middle, ...(value.slice(at + 1) as Json[])]
  }
  if (!isJsonObject(value)) return value
  const entries = Object.entries(value).flatMap(([key, one]): [string, Json][] => {
    const now = one ?? null
    if (key !== name) return [[key, now]]
    if (rest.length > 0) return [[key, changedAt(now, rest, edit)]]
    if (edit.change === 'remove') return []
    if (edit.change === 'rename') return [[typeof edit.by === 'string' ? edit.by : `${key}_`, now]]
    return [[key, changedAt(now, [], edit)]]
  })
  // Not `{}` with assignments: a key may be `__proto__`.
  return Object.fromEntries(entries)
}
