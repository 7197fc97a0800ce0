import { splitAddress } from '../../core/address.ts'
import { placeInCatalog } from '../../core/diagnostic.ts'
import { desiredForm, differences, liveForm } from '../../kinds/form.ts'
import type { Kind } from '../../kinds/kind.ts'
import { kindNamed } from '../../kinds/registry.ts'
import type { DesiredResource } from '../../catalog/types.ts'
import { identify } from './identity.ts'
import type { LiveIndex, LiveObject } from './live-index.ts'
import type { Blocked } from './judged.ts'
import type { ReferenceTable } from './references.ts'
import type { ResourcesInput } from './types.ts'

interface Ground {
  readonly input: ResourcesInput
  readonly indexOf: (kind: Kind) => LiveIndex
  readonly references: ReferenceTable
}

/** An object without marks, and the address that it stands for. */
export interface Unmarked {
  readonly kind: Kind
  readonly address: string
  readonly live: LiveObject
}

/**
 * The objects without marks that entries with `retire: true` name by their natural key, for a store
 * that has no record of them. An entry without that word would accept or adopt the same objects.
 * An object that differs in what Stripe never changes, or one of several with the same name, may
 * belong to others and is left to a mapping.
 */
export function unmarkedRetiring(
  retiring: readonly DesiredResource[],
  { input, indexOf, references }: Ground,
): readonly Unmarked[] {
  return retiring.flatMap((resource) => {
    const { address, key, value } = resource
    const kind = kindNamed(resource.kind)
    if (kind === undefined || kind.marks || kind.single !== undefined) return []
    if (input.known.some((one) => one.address === address)) return []
    const index = indexOf(kind)
    const isClaimed = (id: string): boolean => references.isClaimed(kind.name, id)
    const identity = identify(kind, index, resource, input, { isClaimed })
    if (identity.is !== 'foreign' || kind.retired(identity.live) || isClaimed(identity.live.id)) return []
    const natural = kind.naturalKey?.desired(key, value) ?? ''
    const holders = (index.byNaturalKey.get(natural) ?? []).filter((one) => !kind.retired(one) && !isClaimed(one.id))
    const found = differences(kind, liveForm(kind, identity.live, references), desiredForm(kind, value))
    const isOne = holders.length === 1 && found.every(({ takes }) => takes === 'update')
    return identity.mapped || isOne ? [{ kind, address, live: identity.live }] : []
  })
}

/**
 * Lines of `removed:` whose object cannot be told from others: its kind has no marks, the store has
 * no record of it, and the account has objects in use that no entry declares. Silence would leave
 * in use what the line retires.
 */
export function unidentifiedRemovals({ input, indexOf, references }: Ground): readonly Blocked[] {
  const known = new Set(input.known.map(({ address }) => address))
  const ours = new Set(input.known.map(({ id }) => id))
  return [...(input.removed ?? [])].flatMap(([address, word]) => {
    const kind = kindNamed(splitAddress(address).kind)
    if (word !== 'retire' || kind === undefined || kind.marks || kind.single !== undefined) return []
    if (known.has(address) || input.retired?.has(address) === true) return []
    const candidates = [...indexOf(kind).byId.values()].filter(
      (one) =>
        !kind.retired(one) &&
        !ours.has(one.id) &&
        !references.isClaimed(kind.name, one.id) &&
        kind.standard?.is(one) !== true,
    )
    if (candidates.length === 0) return []
    const place = input.places?.get(`removed ${address}`)
    const shown = candidates.slice(0, 3).map((one) => `${one.id}${named(kind, one)}`)
    const more = candidates.length > shown.length ? ` and ${candidates.length - shown.length} more` : ''
    const message = `removed: would retire it${place === undefined ? '' : ` (${placeInCatalog(place)})`}, but the store does not know which object it was, and no metadata says so; in use without an entry: ${shown.join(', ')}${more}`
    const fix = `to retire it, write its entry again with retire: true instead of the line; if it is retired already, delete the line`
    return [{ address, code: 'retire_unidentified', message, fix } as const]
  })
}

function named(kind: Kind, live: LiveObject): string {
  const natural = kind.naturalKey?.live(live)
  return natural === undefined ? '' : ` (${natural})`
}
