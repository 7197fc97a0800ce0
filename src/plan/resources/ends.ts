import { address as addressOf } from '../../core/address.ts'
import type { JsonObject, StripeObject } from '../../core/json.ts'
import { countInText, namesInText } from '../../kinds/ends.ts'
import { liveForm } from '../../kinds/form.ts'
import type { Ending, Kind, KindName, Left, References } from '../../kinds/kind.ts'
import { outsideOf } from '../../kinds/outside.ts'
import { kindNamed, kinds } from '../../kinds/registry.ts'
import { ownMark, type LiveObject } from './live-index.ts'
import type { Verdict } from './judged.ts'
import type { People } from './people.ts'
import type { ResourcesInput } from './types.ts'

/** An object that is in use after the plan. */
interface Node {
  readonly kind: Kind
  /** Its id, and its address if it has an entry. */
  readonly names: readonly string[]
  readonly shown: string
  readonly id: string | undefined
  readonly value: JsonObject
  /** The ids and addresses of the objects to which it refers. */
  readonly uses: readonly string[]
}

interface Ground {
  readonly input: ResourcesInput
  readonly verdicts: readonly Verdict[]
  readonly people: People
  /** Ids of the objects that the plan takes out of use. */
  readonly retiring: ReadonlySet<string>
}

/** Live references as they are: an id stands for itself. */
const byId: References = { toStripe: (_kind, key) => key, toKey: (_kind, id) => id }

/**
 * What ends with the objects that a plan takes out of use. The account after the plan decides: an
 * entry that refers to something else by then loses nothing.
 */
export class Endings {
  readonly #ground: Ground
  /** Made at the first question, because most plans have none. */
  #nodes: readonly Node[] | undefined

  constructor(ground: Ground) {
    this.#ground = ground
  }

  /** What ends with a retirement. */
  of(kind: Kind, { address, live }: { readonly address: string; readonly live: LiveObject }): readonly Ending[] {
    const own: Ending = { what: 'use', message: kind.whatEnds.use(live) }
    if (kind.retire(live) === undefined) return [own]
    return [
      own,
      ...this.ofUsers(kind, { address, live }),
      ...(kind.whatEnds.beyond?.(live, this.#left([address, live.id])) ?? []),
    ]
  }

  /** What ends for the objects that refer to it. */
  ofUsers(kind: Kind, { address, live }: { readonly address: string; readonly live: LiveObject }): readonly Ending[] {
    const users = this.#usersOf([address, live.id])
    return Object.entries(kind.whatEnds.users ?? {}).flatMap(([name, cannot]) => {
      const noun = name.replaceAll('_', ' ')
      const what = name as KindName
      const found = users.filter((one) => one.kind === kindNamed(what)).map(({ shown }) => shown)
      if (found.length > 0)
        return [
          { what, message: `${countInText(found.length, noun)} ${cannot}: ${namesInText(found)}`, objects: found },
        ]
      return this.#isUnread(what)
        ? [
            {
              what,
              message: `${noun}s that refer to it ${cannot}; none is declared, so this plan did not look for them`,
            },
          ]
        : []
    })
  }

  /** What subscribers lose by an update. */
  ofUpdate({ kind, live, form, identity, resource }: Verdict): readonly Ending[] {
    const lost = kind.whatEnds.lost?.(live, form) ?? []
    if (lost.length === 0 || identity.is === 'absent') return []
    const { subscriptions } = this.#left([resource.address, identity.live.id])
    const who = subscriptions === 0 ? 'subscribers lose' : `${countInText(subscriptions, 'subscription')} lose`
    const plain = lost.map((name) => outsideOf(name)?.value ?? name)
    return [{ what: 'members', message: `${who} ${namesInText(plain)}`, objects: plain }]
  }

  #left(names: readonly string[]): Left {
    const { people } = this.#ground
    const prices = [
      ...this.#usersOf(names).flatMap(({ kind, id }) => (kind.held === 'item' && id !== undefined ? [id] : [])),
      ...names,
    ]
    const holders = prices.flatMap((id) => (people.onPrice.get(id) ?? []).map(({ subscription }) => subscription))
    return {
      subscriptions: new Set(holders).size,
      inUse: (kind) =>
        this.#all()
          .filter((one) => one.kind === kindNamed(kind) && !one.names.some((name) => names.includes(name)))
          .map(({ value }) => value),
    }
  }

  /** Every object in use that refers to one of the names, also through others. */
  #usersOf(names: readonly string[]): readonly Node[] {
    const found = new Set<Node>()
    let reached = new Set(names)
    while (reached.size > 0) {
      const next = new Set<string>()
      for (const node of this.#all()) {
        if (found.has(node) || !node.uses.some((name) => reached.has(name))) continue
        found.add(node)
        for (const name of node.names) next.add(name)
      }
      reached = next
    }
    return [...found]
  }

  #isUnread(name: KindName): boolean {
    return kindNamed(name)?.readWhen === 'named' && !this.#ground.input.live.has(name)
  }

  #all(): readonly Node[] {
    this.#nodes ??= nodes(this.#ground)
    return this.#nodes
  }
}

/** As a key of a change; absent when nothing ends. */
export function ending(ends: readonly Ending[]): { readonly ends?: readonly Ending[] } {
  return ends.length === 0 ? {} : { ends }
}

function nodes({ input, verdicts, retiring }: Ground): readonly Node[] {
  const planned = new Map<string, Verdict>()
  const found: Node[] = []
  for (const verdict of verdicts) {
    const { identity, kind, resource, takes, form } = verdict
    const id = identity.is === 'absent' ? undefined : identity.live.id
    // Without a change, its live references stay.
    if (takes === 'blocked' || resource.lifecycle?.observe === true) continue
    if (id !== undefined) planned.set(`${kind.name} ${id}`, verdict)
    if (kind.retired({ object: kind.name, ...form })) continue
    found.push({
      kind,
      names: [resource.address, ...(id === undefined ? [] : [id])],
      shown: resource.address,
      id,
      value: resource.value,
      uses: kind.uses(resource.value).map((use) => outsideOf(use.key)?.value ?? addressOf(use.kind, use.key)),
    })
  }
  for (const kind of kinds)
    for (const live of input.live.get(kind.name) ?? []) {
      const { id } = live
      if (id === undefined || planned.has(`${kind.name} ${id}`) || retiring.has(id) || kind.retired(live)) continue
      found.push(ofLive(kind, { ...live, id }, input))
    }
  return found
}

function ofLive(kind: Kind, live: StripeObject & { readonly id: string }, input: ResourcesInput): Node {
  const form = liveForm(kind, live, byId)
  const mark = ownMark(live, input.project)
  const isMarked = mark !== undefined && mark !== ''
  return {
    kind,
    names: [live.id, ...(isMarked ? [mark] : [])],
    shown: isMarked ? mark : live.id,
    id: live.id,
    value: form,
    uses: kind.uses(form).map(({ key }) => key),
  }
}
