import { address as addressOf } from '../../core/address.ts'
import type { DesiredResource } from '../../catalog/types.ts'
import { markAddress, markProject } from '../../live/marks.ts'
import type { Kind } from '../../kinds/kind.ts'
import { created, inUseThenNewest, type LiveIndex, type LiveObject, markOf, ownMark } from './live-index.ts'
import { givesUpName, holderInUse, isDeclaredOwner, keepsName, ownerOf, recordFor } from './names.ts'
import type { ResourcesInput } from './types.ts'

/** The live object that a declared one corresponds to. */
export type Identity =
  | {
      readonly is: 'ours'
      readonly live: LiveObject
      readonly older: readonly LiveObject[]
      readonly newer: readonly LiveObject[]
      /** The object comes from another entry: from which, and what this entry had before. */
      readonly takenFrom?: { readonly owner: string; readonly before: LiveObject | undefined }
    }
  /** Unmarked: the project maps it, or it can be adopted if it matches its entry. */
  | { readonly is: 'foreign'; readonly live: LiveObject; readonly mapped: boolean }
  | { readonly is: 'taken'; readonly live: LiveObject; readonly by: string }
  /**
   * `gone`: the store has a record, but Stripe no longer has the object. `takesKey`: its lookup key
   * comes from another object of this project, which releases it.
   */
  | { readonly is: 'absent'; readonly gone: boolean; readonly takesKey?: true }

export interface Claims {
  /** Whether an earlier entry has taken the object. */
  readonly isClaimed: (id: string) => boolean
  readonly takenOver?: ReadonlyMap<string, LiveObject> | undefined
}

/**
 * Decides by positive evidence only, the strongest first: Crossbill's mark with its address, the
 * store's record, the natural key, the project's mapping.
 *
 * An object that `takenOver` gives to the entry comes before all of these.
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
 * first, and a holder that belongs to another entry is skipped.
 */
export function identify(
  kind: Kind,
  index: LiveIndex,
  resource: DesiredResource,
  input: ResourcesInput,
  { isClaimed, takenOver = new Map() }: Claims,
): Identity {
  const { address, key, value } = resource
  const isGivenAway = ({ id }: LiveObject): boolean =>
    [...takenOver].some(([to, object]) => object.id === id && to !== address)
  const recorded = input.known.find((one) => one.address === address)?.id
  const marked = (index.byMark.get(address) ?? []).filter((one) => !isGivenAway(one))
  const record = recorded === undefined ? undefined : index.byId.get(recorded)
  const known =
    record !== undefined &&
    !isGivenAway(record) &&
    [undefined, ''].includes(ownMark(record, input.project)) &&
    (kind.marks || recordFor(kind, record, input) === address)
      ? record
      : undefined
  // An object that stands for another entry now is not gone.
  const gone = recorded !== undefined && record === undefined
  const taken = takenOver.get(address)
  if (taken !== undefined) {
    const left = known === undefined ? marked : [...marked, known]
    const earlier = [...(index.byMark.get(address) ?? []), ...(record === undefined ? [] : [record])]
    const before = earlier.find((one) => one.id !== taken.id && !kind.retired(one))
    const takenFrom = { owner: ownerOf(kind, taken, input) ?? '', before }
    return { is: 'ours', live: taken, older: left.filter(({ id }) => id !== taken.id), newer: [], takenFrom }
  }
  const named = keepsName(kind) ? holderInUse(kind, index, resource)?.id : undefined
  const best =
    marked.find(({ id }) => id === named) ??
    marked.find(({ id }) => id === recorded) ??
    [...marked].sort((a, b) => inUseThenNewest(kind, a, b))[0]
  const mapped = [...input.mapped].find(([, to]) => to === address)?.[0]
  const object = mapped === undefined ? undefined : index.byId.get(mapped)
  // An object that is out of use gives way to the one that the project names for the entry.
  const isReplacedByMapping = object !== undefined && isUnowned(object, input) && isOutOfUse(kind, best ?? known)
  if (isReplacedByMapping) return { is: 'foreign', live: object, mapped: true }
  if (best !== undefined) return ours(best, marked)
  // Without marks, an equal object that no record has is this entry's rather than one out of use.
  const other = named === undefined ? undefined : index.byId.get(named)
  const isLeft = !kind.marks && other !== undefined && isUnowned(other, input) && isOutOfUse(kind, known)
  if (known !== undefined && !isLeft) return ours(known, [])
  const unique = kind.naturalKey?.unique === true
  if (object !== undefined && !unique) return { is: 'foreign', live: object, mapped: true }
  const natural = kind.naturalKey?.desired(key, value)
  const holders = natural === undefined ? [] : (index.byNaturalKey.get(natural) ?? [])
  const holder = unique
    ? holders.find((one) => !isFormer(kind, one, input))
    : holders.find((one) => isFree(one, address, input) && !isClaimed(one.id))
  if (holder !== undefined) {
    if (isReleased(kind, holder, natural, input)) return { is: 'absent', gone, takesKey: true }
    return holderOf(holder, address, input)
  }
  if (object !== undefined) return { is: 'foreign', live: object, mapped: true }
  return { is: 'absent', gone }
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
 * Whether the holder of the key loses it in this plan: another price gets it, or its declared entry
 * now has another one, so that the object is replaced.
 */
function isReleased(kind: Kind, holder: LiveObject, key: string | undefined, input: ResourcesInput): boolean {
  // The mark of an object without an entry is enough to replace it; nothing marks the others.
  if (keepsName(kind))
    return (
      !kind.retired(holder) && (!kind.marks || isDeclaredOwner(kind, holder, input)) && givesUpName(kind, holder, input)
    )
  if (kind.fields['transfer_lookup_key'] === undefined) return false
  const mark = ownMark(holder, input.project)
  const entry = input.desired.find(({ address }) => address === mark)
  return entry !== undefined && kind.naturalKey?.desired(entry.key, entry.value) !== key
}

/**
 * An object of this project that is out of use and whose entry has another name now: Stripe keeps
 * it, and gives its name to a new one.
 */
function isFormer(kind: Kind, object: LiveObject, input: ResourcesInput): boolean {
  return keepsName(kind) && kind.marks && kind.retired(object) && givesUpName(kind, object, input)
}

function isOutOfUse(kind: Kind, object: LiveObject | undefined): boolean {
  return object !== undefined && kind.retired(object)
}

function isUnowned(object: LiveObject, input: ResourcesInput): boolean {
  return markOf(object, markProject) === undefined && !input.known.some(({ id }) => id === object.id)
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
