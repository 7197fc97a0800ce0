import type Stripe from 'stripe'
import { digest } from '../../core/canonical.ts'
import type { Instant } from '../../core/instant.ts'
import type { JsonObject } from '../../core/json.ts'
import type { DesiredResource } from '../../catalog/types.ts'
import { kinds } from '../../kinds/registry.ts'
import type { Kind } from '../../kinds/kind.ts'
import type { KeylessChange } from '../assemble.ts'
import type { LiveResources } from '../../live/accounts.ts'
import { blockDependents } from './dependents.ts'
import { indexLive, type LiveIndex, undeclared } from './identity.ts'
import { inOrder, type Placed } from './order.ts'
import { peopleIn } from './people.ts'
import { retirement } from './retire.ts'
import { judge, type Verdict } from './verdict.ts'
import { changeFor } from './change.ts'
import { driftOf } from './drift.ts'
import { ReferenceTable } from './references.ts'
import type { Blocked, Drift, Step } from '../types.ts'

export type KeylessStep = Omit<Step, 'idempotency_key'>

/** What the store knows of one object (`ObjectRecord` fits). */
export interface KnownObject {
  readonly address: string
  readonly id: string
  /** Digest of the form last applied (see `ResourcesPlan.forms`); null when not known. */
  readonly applied: string | null
}

export interface ResourcesInput {
  /** Name of the project, as in its marks. */
  readonly project: string
  readonly now: Instant
  readonly desired: readonly DesiredResource[]
  readonly live: LiveResources
  /** The store's records of the target's catalog objects. */
  readonly known: readonly KnownObject[]
  /** The target's subscriptions, `status: all`: who is on which price, coupon, tax rate. */
  readonly subscriptions: readonly Stripe.Subscription[]
  /** Live id → address, for foreign objects the project maps (`mappings/target.yaml`): they are adopted even if they differ. */
  readonly mapped: ReadonlyMap<string, string>
  /** Addresses of prices (and tax rates) onto which this plan moves people: kept active, with their products, until that is done. */
  readonly needed: ReadonlySet<string>
}

export interface ResourcesPlan {
  /** In an order in which they can be done one after the other; before anything about people. */
  readonly changes: readonly KeylessChange[]
  /** After everything about people: archiving what had to be active meanwhile. */
  readonly closing: readonly KeylessChange[]
  readonly drift: readonly Drift[]
  readonly blocked: readonly Blocked[]
  /** Declared objects that are as declared. */
  readonly unchanged: number
  /** Address → id of every declared object that exists and is ours, or is taken over without a request: what the store should know. */
  readonly ids: ReadonlyMap<string, string>
  /** Address → digest of its desired form: what the store should know as `applied` once it is done. */
  readonly forms: ReadonlyMap<string, string>
  /** Address → digest of the live object as observed, for the basis of the plan: of every changed address. */
  readonly touched: ReadonlyMap<string, string>
  /** Live objects that carry this project's marks: what `retire_share` is a share of. */
  readonly owned: number
}

/** What it takes to make the target's catalog as declared. Pure: equal input gives equal bytes. */
export function planResources(input: ResourcesInput): ResourcesPlan {
  const indexes = new Map<string, LiveIndex>(kinds.map((kind) => [kind.name, indexLive(kind, input)]))
  const indexOf = (kind: Kind): LiveIndex => indexes.get(kind.name) ?? indexLive(kind, input)
  const references = new ReferenceTable()
  const declared = byKind(input.desired)
  const people = peopleIn(input.subscriptions, input.now)
  const needed = withProducts(input.needed, input.desired)
  // First who is who, in all kinds; then what differs, in the order of the kinds, since a replaced object changes those that use it.
  for (const kind of kinds)
    for (const resource of declared.get(kind.name) ?? []) references.identify(kind, indexOf(kind), resource, input)
  const judged: Verdict[] = []
  for (const kind of kinds)
    for (const resource of declared.get(kind.name) ?? [])
      judged.push(judge({ kind, resource, index: indexOf(kind), references, people, input, needed }))
  const verdicts = blockDependents(judged, references)
  const placed: Placed[] = verdicts.flatMap((verdict) =>
    changeFor(verdict, { input, references, people, verdicts, needed }),
  )
  for (const kind of kinds)
    for (const gone of undeclared(kind, indexOf(kind), input).filter(
      ({ live }) => !references.isClaimed(kind.name, live.id),
    ))
      placed.push(retirement(kind, gone, { input, references, people, verdicts }))
  const { changes, closing } = inOrder(placed)
  return {
    changes,
    closing,
    drift: verdicts.flatMap((verdict) => driftOf(verdict, input)),
    blocked: verdicts.flatMap(({ blocked }) => blocked),
    unchanged: verdicts.filter(({ takes }) => takes === 'nothing').length,
    ids: new Map([...references.known(), ...takenForOurs(verdicts)]),
    forms: new Map(verdicts.map(({ resource, form }) => [resource.address, digest(form)])),
    touched: touchedBy([...changes, ...closing], verdicts, placed),
    owned: [...indexes.values()].reduce((sum, { byMark }) => sum + byMark.size, 0),
  }
}

/** Objects without any mark that are equal as they are: nothing is done to them, and they are known from now on. */
function takenForOurs(verdicts: readonly Verdict[]): readonly (readonly [string, string])[] {
  return verdicts.flatMap(({ takes, identity, resource }) =>
    takes === 'nothing' && identity.is === 'foreign' ? [[resource.address, identity.live.id] as const] : [],
  )
}

function byKind(desired: readonly DesiredResource[]): ReadonlyMap<string, readonly DesiredResource[]> {
  const grouped = new Map<string, DesiredResource[]>()
  for (const one of desired) grouped.set(one.kind, [...(grouped.get(one.kind) ?? []), one])
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
  changes: readonly KeylessChange[],
  verdicts: readonly Verdict[],
  placed: readonly Placed[],
): ReadonlyMap<string, string> {
  const observed = new Map<string, JsonObject>(verdicts.map(({ resource, observed: seen }) => [resource.address, seen]))
  for (const { change, observed: seen } of placed) if (!observed.has(change.address)) observed.set(change.address, seen)
  return new Map(changes.map(({ address }) => [address, digest(observed.get(address) ?? {})]))
}
