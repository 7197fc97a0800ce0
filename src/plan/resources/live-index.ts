import { addTo } from '../../core/lists.ts'
import { isJsonObject, type StripeObject } from '../../core/json.ts'
import { newAddress } from '../../catalog/new-address.ts'
import { markAddress, markProject } from '../../live/marks.ts'
import type { Kind } from '../../kinds/kind.ts'
import type { ResourcesInput } from './types.ts'

export type LiveObject = StripeObject & { readonly id: string }

/** The live objects of one kind, by id, by mark and by natural key. */
export interface LiveIndex {
  readonly byId: ReadonlyMap<string, LiveObject>
  readonly byMark: ReadonlyMap<string, readonly LiveObject[]>
  /** All holders of a key: objects in use first, then the newest first. */
  readonly byNaturalKey: ReadonlyMap<string, readonly LiveObject[]>
}

export function indexLive(kind: Kind, input: Pick<ResourcesInput, 'live' | 'project' | 'moved'>): LiveIndex {
  const byId = new Map<string, LiveObject>()
  const byMark = new Map<string, LiveObject[]>()
  const byNaturalKey = new Map<string, LiveObject[]>()
  for (const object of input.live.get(kind.name) ?? []) {
    if (!hasId(object)) continue
    byId.set(object.id, object)
    const mark = newAddress(ownMark(object, input.project), input.moved)
    if (mark !== undefined && mark !== '') addTo(byMark, mark, object)
    const natural = kind.naturalKey?.live(object)
    if (natural === undefined) continue
    addTo(byNaturalKey, natural, object)
  }
  for (const holders of byNaturalKey.values()) holders.sort((a, b) => inUseThenNewest(kind, a, b))
  return { byId, byMark, byNaturalKey }
}

/**
 * The address in the project's mark; '' for an object of the project that no longer represents an
 * entry; undefined for any other object.
 */
export function ownMark(object: StripeObject, project: string): string | undefined {
  return markOf(object, markProject) === project ? (markOf(object, markAddress) ?? '') : undefined
}

export function markOf(object: StripeObject, name: string): string | undefined {
  const { metadata } = object
  const mark = isJsonObject(metadata) ? metadata[name] : undefined
  return typeof mark === 'string' && mark !== '' ? mark : undefined
}

function hasId(object: StripeObject): object is LiveObject {
  return typeof object.id === 'string'
}

/** Objects in use first, then the newest first. */
export function inUseThenNewest(kind: Kind, a: LiveObject, b: LiveObject): number {
  const inUse = Number(kind.retired(a)) - Number(kind.retired(b))
  if (inUse !== 0) return inUse
  // For equal times, sorting keeps Stripe's order, which is newest first.
  return created(b) - created(a)
}

/** Seconds. */
export function created(object: StripeObject): number {
  const at = object['created']
  // The second version of the API writes times as text.
  return typeof at === 'number' ? at : typeof at === 'string' ? Date.parse(at) / 1_000 : 0
}
