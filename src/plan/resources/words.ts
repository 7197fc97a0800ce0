import { addAll } from '../../core/lists.ts'
import { placeInCatalog } from '../../core/diagnostic.ts'
import { splitAddress } from '../../core/address.ts'
import { suggest } from '../../core/suggest.ts'
import { markFormer } from '../../live/marks.ts'
import { newAddress } from '../../catalog/new-address.ts'
import type { DesiredResource } from '../../catalog/types.ts'
import type { Kind } from '../../kinds/kind.ts'
import { kindNamed } from '../../kinds/registry.ts'
import type { Notice } from '../types.ts'
import { identify } from './identity.ts'
import { markOf, ownMark, type LiveIndex, type LiveObject } from './live-index.ts'
import type { Blocked } from './judged.ts'
import type { ReferenceTable } from './references.ts'
import type { ResourcesInput } from './types.ts'

/** The words of the YAML about the life of objects, and the account to which they are applied. */
export interface Words {
  /** As written: with the entries that say `retire: true`. */
  readonly given: ResourcesInput
  readonly indexOf: (kind: Kind) => LiveIndex
  readonly references: ReferenceTable
  /** Addresses of this project's objects in use that no entry declares. */
  readonly undeclared: readonly string[]
}

/** What `moved:`, `removed:` and `retire: true` ask for and cannot be done. */
export interface Impossible {
  /** The entries that must not be changed, by address. */
  readonly blocked: ReadonlyMap<string, Blocked>
  readonly notices: readonly Notice[]
}

export function impossibleWords(words: Words): Impossible {
  const moves = [...(words.given.moved ?? [])].map(([from, to]) => ({
    from,
    to: newAddress(from, words.given.moved) ?? to,
  }))
  const notices: Notice[] = []
  const blocked = new Map<string, Blocked>()
  const block = (one: Blocked): unknown => blocked.set(one.address, one)
  for (const to of new Set(moves.map((move) => move.to))) {
    const inUse = keyInUse(to, words)
    if (inUse !== undefined) block(inUse)
    const sources = moves.filter((move) => move.to === to).map(({ from }) => from)
    const unknown = inUse === undefined ? unknownMove(to, sources, words) : {}
    if (unknown.blocked !== undefined) block(unknown.blocked)
    addAll(notices, unknown.notices ?? [])
  }
  for (const resource of words.given.desired.filter(({ lifecycle }) => lifecycle?.retire === true)) {
    const wrong = notManaged(resource, words)
    if (wrong.blocked !== undefined) block(wrong.blocked)
    addAll(notices, wrong.notices ?? [])
  }
  for (const [address, word] of words.given.removed ?? [])
    addAll(notices, word === 'retire' ? unknownRemoval(address, words) : [])
  return { blocked, notices }
}

/** Two objects in use whose marks name different entries cannot both become one entry. */
function keyInUse(to: string, { given, indexOf }: Words): Blocked | undefined {
  const kind = kindNamed(splitAddress(to).kind)
  if (kind === undefined) return undefined
  const holders = (indexOf(kind).byMark.get(to) ?? []).filter((live) => !kind.retired(live))
  const of = (live: LiveObject): string => ownMark(live, given.project) ?? ''
  const own = holders.find((live) => of(live) === to)
  const other = holders.find((live) => of(live) !== to)
  if (own === undefined || other === undefined) return undefined
  return {
    address: to,
    code: 'moved_key_in_use',
    message: `moved: gives this entry the object of ${of(other)} (${other.id}), but it has an object already (${own.id})${lineOf(given, 'moved', of(other))}`,
    fix: `name a key without an object, or retire one of the two first: removed: [${of(other)}] instead of the line under moved:`,
  }
}

/** Without an object to move, the plan would create the entry's object as a new one. */
function unknownMove(
  to: string,
  sources: readonly string[],
  { given, references, undeclared }: Words,
): { readonly blocked?: Blocked; readonly notices?: readonly Notice[] } {
  const entry = given.desired.find(({ address, lifecycle }) => address === to && lifecycle?.retire !== true)
  const identity = references.identity(to)
  const [from = ''] = sources
  if (entry === undefined || identity.is !== 'absent' || identity.gone) return {}
  const near = nearest(sources, undeclared)
  const message = `moved: names ${sources.join(' and ')}, and the account has no object of that name${lineOf(given, 'moved', from)}`
  if (near === undefined)
    return {
      notices: [
        notice(
          'moved_without_object',
          to,
          `${message}; a new object is created`,
          'If that is intended, delete the line under moved:. Otherwise correct its old name.',
        ),
      ],
    }
  const fix = `did you mean ${near.found}? Correct the line; or delete it, and a new object is created`
  return { blocked: { address: to, code: 'moved_unknown', message, fix } }
}

/** `retire: true` retires only an object that this project manages under this address. */
function notManaged(
  resource: DesiredResource,
  { given, indexOf, references, undeclared }: Words,
): { readonly blocked?: Blocked; readonly notices?: readonly Notice[] } {
  const { address } = resource
  const kind = kindNamed(resource.kind)
  if (kind === undefined || undeclared.includes(address)) return {}
  const index = indexOf(kind)
  // Retired already: the entry can be deleted.
  if ((index.byMark.get(address) ?? []).length > 0) return {}
  const identity = identify(kind, index, resource, given, {
    isClaimed: (id) => references.isClaimed(kind.name, id),
  })
  if (identity.is === 'absent') {
    if (identity.gone) return {}
    const near = nearest([address], undeclared)
    const hint = near === undefined ? '' : ` Did you mean ${near.found}?`
    const message = `the entry has retire: true, and the account has no object of it`
    return {
      notices: [notice('retire_without_object', address, `${message}${at(resource)}`, `Delete the entry.${hint}`)],
    }
  }
  if (kind.retired(identity.live)) return {}
  const owner = ownMark(identity.live, given.project)
  const by = identity.is === 'taken' ? identity.by : owner === undefined || owner === '' ? undefined : owner
  if (owner === undefined && identity.is === 'ours') return {}
  // What a replacement left in use, and Stripe cannot take out of use: a notice names it.
  if (owner === '' && newAddress(markOf(identity.live, markFormer), given.moved) === address) return {}
  const message = `the entry has retire: true, but ${identity.live.id} ${by === undefined ? 'is not managed by this project' : `belongs to ${by}`}`
  const fix =
    by === undefined
      ? 'adopt it first (apply the entry without retire: true), or take it out of use in the dashboard and delete the entry'
      : by.startsWith('project ')
        ? 'delete the entry: only that project may retire it'
        : `name its own entry: removed: [${by}]`
  return { blocked: { address, code: 'retire_not_managed', message, fix } }
}

/** A line that stays after its apply is silent; one that nearly names an object in use is not. */
function unknownRemoval(address: string, { given, indexOf, undeclared }: Words): readonly Notice[] {
  const kind = kindNamed(splitAddress(address).kind)
  const isKnown = undeclared.includes(address) || given.known.some((one) => one.address === address)
  if (kind === undefined || isKnown || (indexOf(kind).byMark.get(address) ?? []).length > 0) return []
  const near = nearest([address], undeclared)
  if (near === undefined) return []
  const message = `removed: names it, and the account has no such object${lineOf(given, 'removed', address)}`
  return [
    notice('retire_without_object', address, message, `Did you mean ${near.found}? Correct the line, or delete it.`),
  ]
}

function nearest(names: readonly string[], candidates: readonly string[]): { readonly found: string } | undefined {
  for (const name of names) {
    const { kind, key } = splitAddress(name)
    const keys = candidates.map(splitAddress).filter((one) => one.kind === kind)
    const found = suggest(
      key,
      keys.map((one) => one.key),
    )
    if (found !== undefined) return { found: `${kind}.${found}` }
  }
  return undefined
}

function notice(code: Notice['code'], subscriber: string, message: string, fix: string): Notice {
  return { code, subscriber, at: null, message, fix }
}

function at({ at: place }: DesiredResource): string {
  return place.file === '' ? '' : ` (${placeInCatalog(place)})`
}

/** The place of a line of `moved:` or `removed:`. */
function lineOf({ places }: ResourcesInput, section: 'moved' | 'removed', address: string): string {
  const place = places?.get(`${section} ${address}`)
  return place === undefined ? '' : ` (${placeInCatalog(place)})`
}
