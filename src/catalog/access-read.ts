import { isJsonObject, type Json, type JsonObject, objectIn } from '../core/json.ts'
import type { Diagnostic } from '../core/diagnostic.ts'
import { isIncomplete } from './left-out.ts'
import { type Access, accessSchema } from './schemas/access.ts'
import type { Catalog } from './types.ts'
import { findingsIn } from './validate.ts'
import type { Path, YamlFile } from './yaml-places.ts'

/**
 * access.yaml as far as it can be used. `incomplete`: the file has an error, so what a member
 * should have is unknown. Access is then neither granted nor revoked, but cancels continue.
 */
export type KnownAccess = Access & { readonly incomplete?: true }

/** The offers of a catalog; none without an access.yaml. */
export function accessIn(catalog: Pick<Catalog, 'access' | 'leftOut'>): KnownAccess {
  const known = { offers: {}, ...(catalog.access as Partial<Access>) }
  return isIncomplete(catalog, 'access') ? { ...known, incomplete: true } : known
}

/** Removing one wrong part may reveal another; the file has few levels. */
const roundsMost = 20

/**
 * The parts of access.yaml that its schema allows, so that cancels continue. An offer with a wrong
 * part no longer has `revoked_means`: without the part, an expiry could count as a cancel.
 */
export function usableAccess(file: YamlFile): { readonly value: JsonObject; readonly findings: readonly Diagnostic[] } {
  const findings: Diagnostic[] = []
  const doubtful = new Set<string>()
  let value: JsonObject = objectIn(file.value)
  for (let round = 0; round < roundsMost; round++) {
    const found = findingsIn({ ...file, value }, accessSchema)
    if (found.length === 0) return { value: withoutRevokes(value, doubtful), findings }
    for (const { path, finding } of found) {
      if (round === 0) findings.push(finding)
      if (path.length > 1) doubtful.add(String(path[1]))
      const rest = cut(value, path)
      value = objectIn(rest)
    }
    value = { offers: {}, ...compact(value) }
  }
  return { value: { offers: {} }, findings }
}

/** A tag at two offers names neither: a wrong cancel cannot be undone. */
export function withoutSharedTags(access: Access): Access {
  const uses = new Map<string, number>()
  for (const tag of Object.values(access.offers).flatMap(({ cancel_tags: tags = [] }) => [...new Set(tags)]))
    uses.set(tag, (uses.get(tag) ?? 0) + 1)
  const offers = Object.entries(access.offers).map(([key, { cancel_tags: tags, ...offer }]) => {
    const own = tags?.filter((tag) => uses.get(tag) === 1)
    return [key, own === undefined ? offer : { ...offer, cancel_tags: own }] as const
  })
  return { ...access, offers: Object.fromEntries(offers) }
}

function withoutRevokes(value: JsonObject, doubtful: ReadonlySet<string>): JsonObject {
  const offers = Object.entries(objectIn(value['offers'])).map(([key, offer]) => {
    if (!doubtful.has(key) || !isJsonObject(offer)) return [key, offer] as const
    const { revoked_means: _unsure, ...others } = offer
    return [key, others] as const
  })
  return { ...value, offers: Object.fromEntries(offers) as JsonObject }
}

/** An item of a list becomes null here, so that the other items keep their places in this round. */
function cut(value: Json | undefined, [step, ...rest]: Path): Json {
  if (step === undefined) return value ?? {}
  if (Array.isArray(value)) return (value as readonly Json[]).map((one, index) => (index === Number(step) ? null : one))
  if (!isJsonObject(value)) return value ?? null
  const { [String(step)]: inner, ...others } = value
  if (rest.length === 0 || inner === undefined || (!isJsonObject(inner) && !Array.isArray(inner))) return others as Json
  return { ...others, [String(step)]: cut(inner, rest) } as Json
}

function compact(value: JsonObject): JsonObject {
  const entries = Object.entries(value).map(([key, one]) => {
    if (Array.isArray(one)) return [key, (one as readonly Json[]).filter((item) => item !== null)] as const
    return [key, isJsonObject(one) ? compact(one) : one] as const
  })
  return Object.fromEntries(entries) as JsonObject
}
