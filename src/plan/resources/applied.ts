import { digest } from '../../core/canonical.ts'
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import type { Kind } from '../../kinds/kind.ts'
import type { Notice } from '../types.ts'
import type { Verdict } from './judged.ts'
import type { ResourcesInput } from './types.ts'

/**
 * What the store records of an applied form: its digest, and the places that Crossbill would leave
 * alone without a value in the YAML, so that a later plan can name a value that was deleted there.
 */
export function appliedOf(kind: Kind, form: JsonObject): string {
  return [digest(form), ...leftAlonePlaces(kind, form)].join(' ')
}

function leftAlonePlaces(kind: Kind, form: JsonObject): readonly string[] {
  return Object.entries(form).flatMap(([name, value]) =>
    kind.fields[name]?.silent === 'left_alone' ? placesIn(value ?? null, name) : [],
  )
}

function placesIn(value: Json, path: string): readonly string[] {
  if (!isJsonObject(value)) return [path]
  return Object.entries(value).flatMap(([name, one]) => placesIn(one ?? null, `${path}.${name}`))
}

/**
 * Values that the entry had at the last apply and no longer has, where nothing changes by that:
 * Stripe cannot clear them, or would fill in a default of its own.
 */
export function leftAlone(verdict: Verdict, input: ResourcesInput): readonly Notice[] {
  const { kind, resource, identity, said, live, takes } = verdict
  if (identity.is !== 'ours' || takes === 'replace' || takes === 'blocked') return []
  const record = input.known.find(({ address, id }) => address === resource.address && id === identity.live.id)
  const [, ...before] = record?.applied?.split(' ') ?? []
  const now = leftAlonePlaces(kind, said)
  const ignored = resource.lifecycle?.ignored ?? []
  const isWithin = (a: string, b: string): boolean => a === b || a.startsWith(`${b}.`)
  const gone = before.filter(
    (place) => ![...now, ...ignored].some((one) => isWithin(place, one) || isWithin(one, place)),
  )
  return gone.flatMap((place) => {
    const value = valueAt(live, place.split('.'))
    if (value === undefined || value === null) return []
    return [
      {
        code: 'field_left_alone',
        subscriber: resource.address,
        at: null,
        message: `${place} was deleted from the entry and stays as it is: ${shortened(value)}`,
        fix: Array.isArray(value)
          ? `Write ${place}: [] to empty it. If it should stay, nothing is to do.`
          : `To change it, write ${place} with another value. If it should stay, nothing is to do.`,
      } as const,
    ]
  })
}

function valueAt(value: Json | undefined, [step, ...rest]: readonly string[]): Json | undefined {
  if (step === undefined) return value
  return isJsonObject(value) ? valueAt(value[step], rest) : undefined
}

function shortened(value: Json): string {
  const text = JSON.stringify(value)
  return text.length <= 80 ? text : `${text.slice(0, 79)}…`
}
