import { newAddress } from '../../catalog/new-address.ts'
import type { DesiredResource } from '../../catalog/types.ts'
import { desiredForm, differences, liveForm } from '../../kinds/form.ts'
import type { Kind, References } from '../../kinds/kind.ts'
import { type LiveIndex, type LiveObject, ownMark } from './live-index.ts'
import type { ResourcesInput } from './types.ts'

/**
 * Whether an object of the kind keeps its natural key for life: an entry with another key then
 * needs another object, and only one object in use can have the key.
 */
export function keepsName(kind: Kind): boolean {
  const { naturalKey } = kind
  return naturalKey?.unique === true && kind.fields[naturalKey.name]?.policy === 'fixed'
}

/** The object in use that has the natural key of the entry. */
export function holderInUse(
  kind: Kind,
  index: LiveIndex,
  { key, value }: Pick<DesiredResource, 'key' | 'value'>,
): LiveObject | undefined {
  const wanted = kind.naturalKey?.desired(key, value)
  const holders = wanted === undefined ? [] : (index.byNaturalKey.get(wanted) ?? [])
  return holders.find((one) => !kind.retired(one))
}

/**
 * The address for which this project has the object: by its mark, or by the store's record where a
 * kind has no marks. Undefined for the objects of others.
 */
export function ownerOf(kind: Kind, object: LiveObject, input: ResourcesInput): string | undefined {
  if (kind.marks) return newAddress(ownMark(object, input.project), input.moved)
  return recordFor(kind, object, input)
}

/**
 * The address under which the store has the object. An object that another entry took over may
 * still have the record of its earlier entry: the entry that wants its key comes first.
 */
export function recordFor(
  kind: Kind,
  object: LiveObject,
  { known, desired }: Pick<ResourcesInput, 'known' | 'desired'>,
): string | undefined {
  const addresses = known
    .filter(({ id, address }) => id === object.id && address.startsWith(`${kind.name}.`))
    .map(({ address }) => address)
  const entries = desired.filter(({ address }) => addresses.includes(address))
  const key = kind.naturalKey?.live(object)
  const wanting = entries.find((one) => kind.naturalKey?.desired(one.key, one.value) === key)
  return (wanting ?? entries[0])?.address ?? addresses[0]
}

export function isDeclaredOwner(kind: Kind, object: LiveObject, input: ResourcesInput): boolean {
  const owner = ownerOf(kind, object, input)
  return owner !== undefined && input.desired.some(({ address }) => address === owner)
}

/**
 * Whether the object's entry no longer wants its natural key: it has another one now, or the entry
 * left the YAML. An entry with an error, or one that `removed:` keeps, gives nothing up.
 */
export function givesUpName(kind: Kind, object: LiveObject, input: ResourcesInput): boolean {
  const owner = ownerOf(kind, object, input)
  if (owner === undefined) return false
  if ((input.leftOut ?? []).some(({ address }) => address === owner)) return false
  if (input.removed?.get(owner) === 'keep') return false
  const entry = input.desired.find(({ address }) => address === owner)
  if (entry === undefined) return true
  return kind.naturalKey?.desired(entry.key, entry.value) !== kind.naturalKey?.live(object)
}

/**
 * Entries that take over an object of another entry, because it has the key that they now want and
 * its own entry gives the key up: two features that exchange their lookup keys exchange their
 * objects. Nothing is created or taken out of use for them, which Stripe could refuse or never
 * reverse. An object that would have to be replaced for its new entry is not taken over.
 */
export function takenOver(
  kind: Kind,
  index: LiveIndex,
  input: ResourcesInput,
  references: References,
): ReadonlyMap<string, LiveObject> {
  const taken = new Map<string, LiveObject>()
  if (!keepsName(kind)) return taken
  for (const resource of input.desired) {
    if (resource.kind !== kind.name || resource.lifecycle?.observe === true) continue
    const holder = holderInUse(kind, index, resource)
    if (holder === undefined || !givesUpName(kind, holder, input)) continue
    if (ownerOf(kind, holder, input) === resource.address) continue
    const found = differences(kind, liveForm(kind, holder, references), desiredForm(kind, resource.value))
    if (found.every(({ takes }) => takes === 'update')) taken.set(resource.address, holder)
  }
  return kind.marks || kind.naturalKey?.freeAfter !== 'retired' ? taken : inCircles(kind, index, input, taken)
}

/**
 * Only the exchanges that leave no object over. Without marks, the record alone says whose an
 * object is, and it could not name both what an entry takes over and what it leaves. Such entries
 * are replaced, because Stripe frees the key of what is out of use.
 */
function inCircles(
  kind: Kind,
  index: LiveIndex,
  input: ResourcesInput,
  taken: ReadonlyMap<string, LiveObject>,
): ReadonlyMap<string, LiveObject> {
  const now = new Map(taken)
  for (let found = true; found;) {
    found = false
    const given = new Set([...now.values()].map(({ id }) => id))
    for (const address of now.keys()) {
      const own = input.known.find((one) => one.address === address)?.id
      const object = own === undefined ? undefined : index.byId.get(own)
      if (object === undefined || kind.retired(object) || given.has(object.id)) continue
      now.delete(address)
      found = true
    }
  }
  return now
}
