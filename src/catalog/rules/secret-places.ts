import { addTo } from '../../core/lists.ts'
import { canonicalJson } from '../../core/canonical.ts'
import type { Diagnostic } from '../../core/diagnostic.ts'
import { isJsonObject, type Json } from '../../core/json.ts'
import { type Draft, type DraftResource, placeIn } from '../draft.ts'
import { error } from '../rule-names.ts'

/** A file, or one variable of it, or a command. */
interface Place {
  readonly where: string
  readonly name?: string
}

interface Claim extends Place {
  readonly resource: DraftResource
}

/**
 * Two entries that store their signing secrets in one place: the second secret replaces the first,
 * which Stripe never shows again.
 */
export function secretPlaces(draft: Draft): readonly Diagnostic[] {
  const claims = new Map<string, Claim[]>()
  return draft.resources.flatMap((resource) => {
    const { secretTo } = resource.of
    const own = secretTo === undefined ? [] : placesOf(resource.value[secretTo])
    const taken = own.flatMap((place) => {
      const holder = claims.get(place.where)?.find((one) => isSame(one, place))
      return holder === undefined ? [] : [{ place, holder }]
    })[0]
    for (const place of own) addTo(claims, place.where, { ...place, resource })
    if (secretTo === undefined || taken === undefined) return []
    const { place, holder } = taken
    const message = `${resource.address} and ${holder.resource.address} store their secrets in one place (${textOf(place)})`
    const fix = 'one would replace the other, and Stripe shows a secret once; name another place for one of them'
    return [error('secret-place-twice', message, fix, placeIn(resource, [secretTo]))]
  })
}

/** The place of a sink, and the place to which a rotation copies the earlier secret. */
function placesOf(sink: Json | undefined): readonly Place[] {
  if (!isJsonObject(sink)) return []
  const { env_file: envFile, name, file, command } = sink
  if (typeof envFile === 'string' && typeof name === 'string') {
    const where = plainPath(envFile)
    return [
      { where, name },
      { where, name: `${name}_PREVIOUS` },
    ]
  }
  if (typeof file === 'string') {
    const where = plainPath(file)
    return [{ where }, { where: `${where}.previous` }]
  }
  return Array.isArray(command) ? [{ where: canonicalJson(command) }] : []
}

/** `a/../.env` and `./.env` are `.env`. */
function plainPath(path: string): string {
  const steps: string[] = []
  for (const step of path.split('/'))
    if (step === '..' && steps.length > 0 && steps.at(-1) !== '..') steps.pop()
    else if (step !== '.' && (step !== '' || steps.length === 0)) steps.push(step)
  return steps.join('/')
}

function isSame(one: Place, other: Place): boolean {
  return one.name === undefined || other.name === undefined || one.name === other.name
}

function textOf({ where, name }: Place): string {
  return name === undefined ? where : `${name} in ${where}`
}
