import { address as addressOf } from '../../core/address.ts'
import { isJsonObject, type StripeObject } from '../../core/json.ts'
import { newAddress } from '../../catalog/new-address.ts'
import type { DesiredResource } from '../../catalog/types.ts'
import { markAddress, markProject } from '../../live/marks.ts'
import type { Kind } from '../../kinds/kind.ts'
import type { ResourcesInput } from './types.ts'

/** The live object that a declared one corresponds to. */
export type Identity =
  | {
      readonly is: 'ours'
      readonly live: LiveObject
      readonly older: readonly LiveObject[]
      readonly newer: readonly LiveObject[]
    }
  /** Unmarked: the project maps it, or it can be adopted if it matches its entry. */
  | { readonly is: 'foreign'; readonly live: LiveObject; readonly mapped: boolean }
  | { readonly is: 'taken'; readonly live: LiveObject; readonly by: string }
  /**
   * `gone`: the store has a record, but Stripe no longer has the object. `takesKey`: its lookup key
   * comes from another object of this project, which releases it.
   */
  | { readonly is: 'absent'; readonly gone: boolean; readonly takesKey?: true }

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
    if (mark !== undefined && mark !== '') byMark.set(mark, [...(byMark.get(mark) ?? []), object])
    const natural = kind.naturalKey?.live(object)
    if (natural === undefined) continue
    byNaturalKey.set(natural, [...(byNaturalKey.get(natural) ?? []), object])
  }
  for (const holders of byNaturalKey.values()) holders.sort((a, b) => inUseThenNewest(kind, a, b))
  return { byId, byMark, byNaturalKey }
}

/**
 * Decides by positive evidence only, the strongest first: Crossbill's mark with its address, the
 * store's record, the natural key, the project's mapping.
 *
 * | mark names it | store knows id | natural key     | then                                     |
 * |---------------|----------------|-----------------|------------------------------------------|
 * | one object    | –              | –               | ours                                     |
 * | several       | one of them    | –               | ours is the recorded one                 |
 * | several       | none of them   | –               | ours is the newest in use                |
 * | none          | a live object  | –               | ours, unless marked with another address |
 * | none          | nothing live   | of this project | ours                                     |
 * | none          | nothing live   | of another mark | taken; absent if the key is released     |
 * | none          | nothing live   | unmarked        | foreign: adopted, or in the way          |
 * | none          | nothing live   | unused          | foreign if mapped, else absent or gone   |
 *
 * Where Stripe lets several objects share a natural key (`unique: false`), the mapping comes
 * first, and a holder that belongs to another entry is skipped. `isClaimed`: whether an earlier
 * entry has taken the object.
 */
export function identify(
  kind: Kind,
  index: LiveIndex,
  resource: DesiredResource,
  input: ResourcesInput,
  isClaimed: (id: string) => boolean,
): Identity {
  const { address, key, value } = resource
  const recorded = input.known.find((one) => one.address === address)?.id
  const marked = index.byMark.get(address) ?? []
  const best = marked.find(({ id }) => id === recorded) ?? [...marked].sort((a, b) => inUseThenNewest(kind, a, b))[0]
  if (best !== undefined) return ours(best, marked)
  const known = recorded === undefined ? undefined : index.byId.get(recorded)
  if (known !== undefined && [undefined, ''].includes(ownMark(known, input.project))) return ours(known, [])
  const mapped = [...input.mapped].find(([, to]) => to === address)?.[0]
  const object = mapped === undefined ? undefined : index.byId.get(mapped)
  const unique = kind.naturalKey?.unique === true
  if (object !== undefined && !unique) return { is: 'foreign', live: object, mapped: true }
  const natural = kind.naturalKey?.desired(key, value)
  const holders = natural === undefined ? [] : (index.byNaturalKey.get(natural) ?? [])
  const holder = unique ? holders[0] : holders.find((one) => isFree(one, address, input) && !isClaimed(one.id))
  if (holder !== undefined) {
    if (givesUpKey(kind, holder, natural, input)) return { is: 'absent', gone: recorded !== undefined, takesKey: true }
    return holderOf(holder, address, input)
  }
  if (object !== undefined) return { is: 'foreign', live: object, mapped: true }
  return { is: 'absent', gone: recorded !== undefined }
}

/** Whether an object with a shared natural key belongs to no other entry and no other project. */
function isFree(holder: LiveObject, address: string, input: ResourcesInput): boolean {
  const to = input.mapped.get(holder.id)
  if (to !== undefined && to !== address) return false
  const project = markOf(holder, markProject)
  if (project === undefined) return true
  const mark = markOf(holder, markAddress)
  return project === input.project && !input.desired.some((one) => one.address === mark)
}

/**
 * Whether the holder of a transferable key is a declared object of this project whose entry now has
 * another key.
 */
function givesUpKey(kind: Kind, holder: LiveObject, key: string | undefined, input: ResourcesInput): boolean {
  if (kind.fields['transfer_lookup_key'] === undefined) return false
  const mark = ownMark(holder, input.project)
  const entry = input.desired.find(({ address }) => address === mark)
  return entry !== undefined && kind.naturalKey?.desired(entry.key, entry.value) !== key
}

function holderOf(holder: LiveObject, address: string, input: ResourcesInput): Identity {
  const project = markOf(holder, markProject)
  if (project === input.project) {
    const other = markOf(holder, markAddress) ?? ''
    const declared = other !== '' && input.desired.some((one) => one.address === other)
    return declared ? { is: 'taken', live: holder, by: other } : ours(holder, [])
  }
  if (project !== undefined) return { is: 'taken', live: holder, by: `project ${project}` }
  return { is: 'foreign', live: holder, mapped: input.mapped.get(holder.id) === address }
}

function ours(live: LiveObject, marked: readonly LiveObject[]): Identity {
  const others = marked.filter(({ id }) => id !== live.id)
  return {
    is: 'ours',
    live,
    older: others.filter((one) => created(one) <= created(live)),
    newer: others.filter((one) => created(one) > created(live)),
  }
}

/**
 * Live objects with the project's mark (or in its store, for kinds without marks) that no entry
 * declares and that are still in use.
 */
export function undeclared(
  kind: Kind,
  index: LiveIndex,
  input: ResourcesInput,
): readonly { address: string; live: LiveObject }[] {
  if (kind.single !== undefined) return []
  const declared = new Set([...input.desired, ...(input.leftOut ?? [])].map(({ address }) => address))
  const found = new Map<string, { address: string; live: LiveObject }>()
  const add = (address: string, live: LiveObject): void => {
    if (!declared.has(address) && !kind.retired(live)) found.set(live.id, { address, live })
  }
  for (const [address, objects] of index.byMark) for (const live of objects) add(address, live)
  if (!kind.marks)
    for (const { address, id } of input.known) {
      const live = address.startsWith(addressOf(kind.name, '')) ? index.byId.get(id) : undefined
      if (live !== undefined) add(address, live)
    }
  return [...found.values()].sort((a, b) =>
    a.address < b.address ? -1 : a.address > b.address ? 1 : created(a.live) - created(b.live),
  )
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

function inUseThenNewest(kind: Kind, a: LiveObject, b: LiveObject): number {
  const inUse = Number(kind.retired(a)) - Number(kind.retired(b))
  if (inUse !== 0) return inUse
  // For equal times, sorting keeps Stripe's order, which is newest first.
  return created(b) - created(a)
}

function created(object: StripeObject): number {
  const at = object['created']
  // The second version of the API writes times as text.
  return typeof at === 'number' ? at : typeof at === 'string' ? Date.parse(at) / 1_000 : 0
}
