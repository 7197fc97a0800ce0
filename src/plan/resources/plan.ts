import { addAll, addTo } from '../../core/lists.ts'
import type { Verdict } from './judged.ts'
import type { ResourcesInput, ResourcesPlan } from './types.ts'
import { digest } from '../../core/canonical.ts'
import type { JsonObject } from '../../core/json.ts'
import { placeInCatalog } from '../../core/diagnostic.ts'
import { newAddress } from '../../catalog/new-address.ts'
import type { DesiredResource, Removal } from '../../catalog/types.ts'
import { kinds, kindNamed } from '../../kinds/registry.ts'
import type { Ending, Kind } from '../../kinds/kind.ts'
import type { Keyless } from '../change.ts'
import type { Blocked, Removed } from '../types.ts'
import { appliedOf, leftAlone } from './applied.ts'
import { blockDependents } from './dependents.ts'
import { undeclared } from './identity.ts'
import { indexLive, type LiveIndex, type LiveObject } from './live-index.ts'
import { inNameOrder, withoutTakenNames } from './name-order.ts'
import { takenOver } from './names.ts'
import { otherMarks } from './other-marks.ts'
import { inOrder, type Placed } from './order.ts'
import { type People, peopleIn } from './people.ts'
import { keptInUse } from './refusals.ts'
import { retirement, usersOf } from './retire.ts'
import { unidentifiedRemovals, unmarkedRetiring } from './unmarked.ts'
import { impossibleWords } from './words.ts'
import { judge } from './verdict.ts'
import { changeFor } from './change.ts'
import { countsBeginAgain } from './counts.ts'
import { ending, Endings } from './ends.ts'
import { formersInUse, formersOf } from './former-in-use.ts'
import { driftOf } from './drift.ts'
import { repricedBy } from './repriced.ts'
import { withOutsideKeys } from './outside.ts'
import { ReferenceTable } from './references.ts'
import { appliedWith, exchangingWith } from './together.ts'

/**
 * The changes that make the target's catalog match its declaration. Pure: equal input gives equal
 * bytes.
 */
export function planResources(given: ResourcesInput): ResourcesPlan {
  const retiring = new Set(given.desired.filter(isRetiring).map(({ address }) => address))
  const input = { ...given, desired: given.desired.filter((one) => !isRetiring(one)), known: renamed(given) }
  const indexes = new Map<string, LiveIndex>(kinds.map((kind) => [kind.name, indexLive(kind, input)]))
  const indexOf = (kind: Kind): LiveIndex => indexes.get(kind.name) ?? indexLive(kind, input)
  const references = new ReferenceTable(input.now, input.live)
  const declared = byKind(input.desired)
  const people = peopleIn(input.subscriptions, input.now)
  const needed = withProducts(input.needed, input.desired)
  // All kinds are identified before differences are computed, because a replaced object changes the
  // objects that use it.
  for (const kind of kinds) {
    const taken = takenOver(kind, indexOf(kind), input, references)
    for (const resource of declared.get(kind.name) ?? [])
      references.identify(kind, indexOf(kind), resource, input, taken)
  }
  const ground = { input, indexOf, references }
  const unmarked = input.incomplete === true ? [] : unmarkedRetiring(given.desired.filter(isRetiring), ground)
  const gone: readonly Gone[] = [
    ...goneObjects(indexOf, references, { ...input, retiring }),
    ...unmarked.map((one) => ({ ...one, word: 'retire' as const })),
  ]
  const undeclaredNames = gone.map(({ address }) => address)
  const impossible = impossibleWords({
    given: { ...input, desired: given.desired },
    indexOf,
    references,
    undeclared: undeclaredNames,
  })
  const leftOut = leftOutVerdicts(indexOf, references, input)
  const judged: Verdict[] = [...leftOut]
  for (const kind of kinds)
    for (const written of declared.get(kind.name) ?? []) {
      const { resource, missing } = withOutsideKeys(kind, written, references, input.live)
      const verdict = judge({ kind, resource, index: indexOf(kind), references, people, input, needed })
      const word = impossible.blocked.get(resource.address)
      const stops = word === undefined ? missing : [word, ...missing]
      if (stops.length > 0) references.keep(resource.address)
      judged.push(
        stops.length === 0 ? verdict : { ...verdict, takes: 'blocked', blocked: [...verdict.blocked, ...stops] },
      )
    }
  const retired = new Set(
    gone
      .filter(({ kind, address, word, live }) => word === 'retire' && keptInUse(kind, address, live).length === 0)
      .map(({ live }) => live.id),
  )
  const names = { input, indexOf, references, retired }
  const verdicts = blockDependents(withoutTakenNames(judged, names), references)
  const endings = new Endings({ input, verdicts, people, retiring: retired })
  const around = { input, references, people, verdicts, endings }
  const placed: Placed[] = verdicts.flatMap((verdict) => {
    const others = exchangingWith(verdict, verdicts, indexOf)
    return changeFor(verdict, { ...around, needed }).map((one) => ({
      ...one,
      change: appliedWith(one.change, others),
    }))
  })
  const left: Placed[] = []
  const removed: Removed[] = []
  const kept: Blocked[] = [...unidentifiedRemovals(ground)]
  for (const { kind, word, ...object } of gone) {
    if (word === 'keep') continue
    const change = retirement(kind, object, around)
    const stop = keptInUse(kind, object.address, object.live)
    if (word === 'retire' && stop.length === 0) placed.push(change)
    if (word === 'retire') addAll(kept, stop)
    if (word !== undefined) continue
    removed.push(removedOf(kind, { ...object, ends: change.ends }, people))
    if (stop.length === 0) left.push(change)
  }
  // Without marks, the record of the object that an entry leaves is kept until it is out of use.
  const waiting = verdicts.filter(
    ({ kind, identity }) => !kind.marks && identity.is === 'ours' && identity.older.some((old) => !kind.retired(old)),
  )
  const isWaiting = (address: string): boolean => waiting.some(({ resource }) => resource.address === address)
  const { changes, closing } = inOrder(inNameOrder(placed, verdicts, names))
  const removals = inOrder(left).changes
  return {
    changes,
    removals,
    removed,
    closing,
    drift: verdicts.flatMap((verdict) => driftOf(verdict, input, references)),
    blocked: [
      ...verdicts.flatMap(({ blocked }) => blocked),
      ...[...impossible.blocked.values()].filter(({ address }) => retiring.has(address)),
      ...kept,
    ].map((one) => withPosition(one, given.desired)),
    unchanged: verdicts.filter(({ takes }) => takes === 'nothing').length,
    ids: new Map([...references.known(), ...takenForOurs(verdicts)].filter(([address]) => !isWaiting(address))),
    observed: observedIds(verdicts),
    adopting: new Map(
      verdicts.flatMap(({ takes, identity, resource }) =>
        takes === 'adopt' && identity.is === 'foreign' ? [[resource.address, identity.live.id] as const] : [],
      ),
    ),
    forms: new Map(
      verdicts
        .filter((verdict) => !leftOut.some(({ resource }) => resource.address === verdict.resource.address))
        .map(({ kind, resource, said }) => [resource.address, appliedOf(kind, said)]),
    ),
    touched: touchedBy([...changes, ...removals, ...closing], verdicts, [...placed, ...left]),
    repriced: verdicts.flatMap((verdict) => repricedBy(verdict, people)),
    otherMarks: otherMarks(verdicts, input),
    owned: [...indexes.values()].reduce((sum, { byMark }) => sum + byMark.size, 0),
    inUse: inUse(indexOf, verdicts, gone),
    notices: [...impossible.notices, ...noticesOf(verdicts, { input, indexOf, retired })],
  }
}

function noticesOf(
  verdicts: readonly Verdict[],
  { input, indexOf, retired }: Pick<Parameters<typeof inNameOrder>[2], 'input' | 'indexOf' | 'retired'>,
): ResourcesPlan['notices'] {
  return [
    ...verdicts.flatMap((verdict) => [...leftAlone(verdict, input), ...countsBeginAgain(verdict)]),
    ...formersInUse(input, indexOf, { verdicts, retired }),
  ]
}

/** Number of this project's objects in use, with marks or without, with an entry or without. */
function inUse(indexOf: (kind: Kind) => LiveIndex, verdicts: readonly Verdict[], gone: readonly Gone[]): number {
  const own = kinds.flatMap((kind) =>
    [...indexOf(kind).byMark.values()].flatMap((objects) => objects.map((live) => ({ kind, live }))),
  )
  const declared = verdicts.flatMap(({ kind, identity, takes, resource }) => {
    if (identity.is !== 'ours' && identity.is !== 'foreign') return []
    const isOurs = identity.is === 'ours' || takes === 'nothing' || takes === 'adopt'
    return isOurs && resource.lifecycle?.observe !== true ? [{ kind, live: identity.live }] : []
  })
  const all = [...own, ...declared, ...gone].filter(
    ({ kind, live }) => kind.single === undefined && !kind.retired(live),
  )
  return new Set(all.map(({ kind, live }) => `${kind.name} ${live.id}`)).size
}

/** An object of this project in use without an entry, or with an entry that retires it. */
interface Gone {
  readonly kind: Kind
  readonly address: string
  readonly live: LiveObject
  readonly word: Removal | undefined
}

function goneObjects(
  indexOf: (kind: Kind) => LiveIndex,
  references: ReferenceTable,
  input: ResourcesInput & { readonly retiring: ReadonlySet<string> },
): readonly Gone[] {
  const wordOf = (address: string): Removal | undefined =>
    input.retiring.has(address) ? 'retire' : input.removed?.get(address)
  const declared = new Set([...input.desired, ...(input.leftOut ?? [])].map(({ address }) => address))
  // What a replacement left in use goes with the entry, if Stripe can take it out of use.
  const formers = (kind: Kind): readonly { address: string; live: LiveObject }[] =>
    formersOf(kind, indexOf(kind), input).filter(
      ({ address, live }) => !declared.has(address) && kind.retire(live) !== undefined,
    )
  return (input.incomplete === true ? [] : kinds).flatMap((kind) =>
    [...undeclared(kind, indexOf(kind), input), ...formers(kind)]
      .filter(({ live }) => !references.isClaimed(kind.name, live.id))
      .map((one) => ({ kind, ...one, word: wordOf(one.address) })),
  )
}

function withPosition(one: Blocked, desired: readonly DesiredResource[]): Blocked {
  const place = desired.find(({ address }) => address === one.address)?.at
  return place === undefined || place.file === '' ? one : { ...one, position: placeInCatalog(place) }
}

/** Entries with errors keep their identity, so that users of the object still find it. */
function leftOutVerdicts(
  indexOf: (kind: Kind) => LiveIndex,
  references: ReferenceTable,
  input: ResourcesInput,
): readonly Verdict[] {
  return (input.leftOut ?? []).flatMap(({ address, kind: name, key }) => {
    const kind = kindNamed(name)
    if (kind === undefined) return []
    const resource: DesiredResource = { address, kind: name, key, value: {}, at: nowhere }
    references.identify(kind, indexOf(kind), resource, input)
    const identity = references.identity(address)
    return [
      {
        kind,
        resource,
        identity,
        takes: 'blocked',
        said: {},
        form: {},
        meanwhile: {},
        live: {},
        differences: [],
        newId: undefined,
        reuse: undefined,
        observed: {},
        blocked: [],
      } satisfies Verdict,
    ]
  })
}

const nowhere = { file: '', line: 0, column: 0 }

function isRetiring({ lifecycle }: DesiredResource): boolean {
  return lifecycle?.retire === true
}

/** The store's records, under the current addresses of their entries. */
function renamed({ known, moved }: ResourcesInput): ResourcesInput['known'] {
  if (moved === undefined || moved.size === 0) return known
  const there = new Set(known.map(({ address }) => address))
  return known.map((one) => {
    const address = newAddress(one.address, moved)
    return address === one.address || there.has(address) ? one : { ...one, address }
  })
}

function removedOf(
  kind: Kind,
  { address, live, ends }: { readonly address: string; readonly live: LiveObject; readonly ends: readonly Ending[] },
  people: People,
): Removed {
  const count = usersOf(kind, live, people)
  const message = `${live.id} has no entry in the YAML any more; it stays in use`
  const fix = `to retire it, write removed: [${address}] in a file of the catalog, or use --allow removed_from_yaml; to keep it, write removed: { ${address}: keep }`
  return { address, id: live.id, people: count, ...ending(ends), message, fix }
}

/**
 * Unmarked objects that already match their entries: they need no request and are recorded as
 * known.
 */
function takenForOurs(verdicts: readonly Verdict[]): readonly (readonly [string, string])[] {
  return verdicts.flatMap(({ takes, identity, resource }) =>
    takes === 'nothing' && identity.is === 'foreign' && resource.lifecycle?.observe !== true
      ? [[resource.address, identity.live.id] as const]
      : [],
  )
}

function observedIds(verdicts: readonly Verdict[]): ReadonlyMap<string, string> {
  return new Map(
    verdicts.flatMap(({ identity, resource }) =>
      resource.lifecycle?.observe === true && identity.is === 'foreign' ? [[resource.address, identity.live.id]] : [],
    ),
  )
}

function byKind(desired: readonly DesiredResource[]): ReadonlyMap<string, readonly DesiredResource[]> {
  const grouped = new Map<string, DesiredResource[]>()
  for (const one of desired) addTo(grouped, one.kind, one)
  for (const group of grouped.values())
    group.sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0))
  return grouped
}

/** A subscription cannot be created on an inactive price, nor on a price of an inactive product. */
function withProducts(needed: ReadonlySet<string>, desired: readonly DesiredResource[]): ReadonlySet<string> {
  const products = desired
    .filter(
      ({ kind, address, value }) => kind === 'price' && needed.has(address) && typeof value['product'] === 'string',
    )
    .map(({ value }) => `product.${String(value['product'] as string)}`)
  return new Set([...needed, ...products])
}

function touchedBy(
  changes: readonly Keyless[],
  verdicts: readonly Verdict[],
  placed: readonly Placed[],
): ReadonlyMap<string, string> {
  const observed = new Map<string, JsonObject>(verdicts.map(({ resource, observed: seen }) => [resource.address, seen]))
  for (const { change, observed: seen } of placed) if (!observed.has(change.address)) observed.set(change.address, seen)
  return new Map(changes.map(({ address }) => [address, digest(observed.get(address) ?? {})]))
}
