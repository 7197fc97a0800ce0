import { addTo } from '../../core/lists.ts'
import type { Kind } from '../../kinds/kind.ts'
import { objectPath } from '../../kinds/kind.ts'
import type { LiveIndex, LiveObject } from './live-index.ts'
import type { Blocked, Verdict } from './judged.ts'
import { holderInUse, keepsName, ownerOf } from './names.ts'
import type { Placed } from './order.ts'
import type { ReferenceTable } from './references.ts'
import { isProtected, taken } from './refusals.ts'
import { appliedWith } from './together.ts'
import type { ResourcesInput } from './types.ts'

interface Ground {
  readonly input: ResourcesInput
  readonly indexOf: (kind: Kind) => LiveIndex
  readonly references: ReferenceTable
  /** Ids of the objects without an entry that the plan retires. */
  readonly retired: ReadonlySet<string>
}

/**
 * The object in use that has the name which the change gives to another one: Stripe refuses it
 * until that object is out of use.
 */
function inTheWayOf({ kind, resource, identity, takes, reuse }: Verdict, { indexOf }: Ground): LiveObject | undefined {
  if (!keepsName(kind) || reuse !== undefined || !['create', 'replace', 'update'].includes(takes)) return undefined
  const own = identity.is === 'ours' ? identity.live : undefined
  const wanted = kind.naturalKey?.desired(resource.key, resource.value)
  const holder = holderInUse(kind, indexOf(kind), resource)
  // Its own object is replaced, and taken out of use by the change itself.
  if (holder === undefined || holder.id === own?.id) return undefined
  return takes === 'update' && own !== undefined && kind.naturalKey?.live(own) === wanted ? undefined : holder
}

/** Ids of the objects that the plan takes out of use, or that lose their name in it. */
function released(verdicts: readonly Verdict[], { retired }: Ground): ReadonlySet<string> {
  const ids = new Set(retired)
  for (const { kind, identity, resource, takes } of verdicts) {
    if (identity.is !== 'ours' || takes === 'blocked' || !keepsName(kind)) continue
    for (const old of identity.older) if (!isProtected(old)) ids.add(old.id)
    const wanted = kind.naturalKey?.desired(resource.key, resource.value)
    if (takes === 'replace' || (takes === 'update' && wanted !== kind.naturalKey?.live(identity.live)))
      ids.add(identity.live.id)
  }
  return ids
}

/** Blocks what needs a name that its present object keeps, with all that needs the blocked. */
export function withoutTakenNames(verdicts: readonly Verdict[], ground: Ground): readonly Verdict[] {
  let now = verdicts
  for (let found = true; found;) {
    found = false
    const free = released(now, ground)
    now = now.map((verdict) => {
      const holder = inTheWayOf(verdict, ground)
      if (holder === undefined || free.has(holder.id)) return verdict
      found = true
      ground.references.keep(verdict.resource.address)
      const owner = now.find(({ identity }) => identity.is === 'ours' && identity.live.id === holder.id)
      return { ...verdict, takes: 'blocked', blocked: [...verdict.blocked, nameKept(verdict, holder, owner, ground)] }
    })
  }
  return now
}

function nameKept(
  { kind, resource }: Verdict,
  holder: LiveObject,
  owner: Verdict | undefined,
  { input }: Ground,
): Blocked {
  if (owner !== undefined) return taken(resource.address, holder, owner.resource.address)
  const without = ownerOf(kind, holder, input)
  if (without === undefined || without === '') return taken(resource.address, holder, 'this project')
  return {
    address: resource.address,
    code: 'natural_key_taken',
    message: `${holder.id} already has this ${kind.naturalKey?.name ?? 'key'}; it is in use for ${without}, which has no entry in the YAML any more`,
    fix: `to take it out of use in the same plan, write removed: [${without}] in a file of the catalog; or choose another ${kind.naturalKey?.name ?? 'key'}`,
  }
}

/**
 * The changes in an order in which every name is free when it is given: what takes an object out of
 * use comes before what gives its name to another one. Objects that exchange their names in a
 * circle are all taken out of use by the first of their changes.
 */
export function inNameOrder(given: readonly Placed[], verdicts: readonly Verdict[], ground: Ground): readonly Placed[] {
  const isFirst = ({ when, change }: Placed): boolean => when === 'make' && change.action === 'retire'
  const placed = [...given.filter(isFirst), ...given.filter((one) => !isFirst(one))]
  const waits = new Map<Placed, { readonly on: Placed; readonly id: string }>()
  const early = new Set<Placed>()
  for (const verdict of verdicts) {
    const holder = inTheWayOf(verdict, ground)
    if (holder === undefined) continue
    const one = placed.find(({ when, change }) => isChangeOf(verdict, change) && when !== 'retire')
    const on = placed.find(({ kind, change }) => kind === verdict.kind && releases(kind, change, holder.id))
    if (one === undefined || on === undefined || on === one) continue
    waits.set(one, { on, id: holder.id })
    for (const each of [one, on]) early.add(each)
  }
  if (waits.size === 0) return placed
  const done = new Set<Placed>()
  const hoisted = new Map<Placed, string[]>()
  const takenOut = new Map<Placed, string[]>()
  const visit = (one: Placed, above: readonly Placed[]): void => {
    if (done.has(one)) return
    const wait = waits.get(one)
    if (wait !== undefined && above.includes(wait.on)) {
      // A circle: the first change takes out of use what the others will replace.
      addTo(takenOut, one, wait.id)
      addTo(hoisted, wait.on, wait.id)
    } else if (wait !== undefined) visit(wait.on, [...above, one])
    done.add(one)
  }
  for (const one of placed) visit(one, [])
  return [...done].map((one) => {
    const when = early.has(one) ? 'make' : one.when
    const [takes = [], gives = []] = [takenOut.get(one), hoisted.get(one)]
    const from = placed.filter((other) => other !== one)
    const first = from.flatMap(({ change }) =>
      change.steps.filter(({ id }) => takes.some((object) => id === `retire:${object}`)),
    )
    const own = one.change.steps.filter(({ id }) => !gives.some((object) => id === `retire:${object}`))
    const [before, after] = [own.filter(isRetirement), own.filter((step) => !isRetirement(step))]
    const steps = first.length === 0 ? own : [...before, ...first, ...after]
    const wait = waits.get(one)
    const taking = placed.filter((other) => gives.some((object) => takenOut.get(other)?.includes(object) === true))
    const others = [...(wait === undefined ? [] : [wait.on]), ...taking].map(({ change }) => change.address)
    return { ...one, when, change: appliedWith({ ...one.change, steps }, others) }
  })
}

function isRetirement({ id }: { readonly id: string }): boolean {
  return id.startsWith('retire:')
}

function isChangeOf({ resource, takes }: Verdict, { address, action }: Placed['change']): boolean {
  return address === resource.address && action === takes
}

function releases(kind: Kind, { action, steps }: Placed['change'], id: string): boolean {
  return (
    steps.some((step) => step.id === `retire:${id}`) ||
    (action === 'update' && steps.some(({ path }) => path === objectPath(kind, id)))
  )
}
