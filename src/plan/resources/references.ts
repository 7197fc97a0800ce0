import { address as addressOf } from '../../core/address.ts'
import type { Instant } from '../../core/instant.ts'
import type { Json, StripeObject } from '../../core/json.ts'
import type { LiveResources } from '../../live/accounts.ts'
import type { DesiredResource } from '../../catalog/types.ts'
import type { Kind, KindName, References } from '../../kinds/kind.ts'
import { outsideOf } from '../../kinds/outside.ts'
import { identify, type Identity } from './identity.ts'
import type { LiveIndex, LiveObject } from './live-index.ts'
import type { ResourcesInput } from './types.ts'

/**
 * Maps keys of the catalog to live objects and back, and knows which of them get a new id in this
 * plan.
 */
export class ReferenceTable implements References {
  readonly #identities = new Map<string, Identity>()
  readonly #keys = new Map<string, string>()
  readonly #renewed = new Set<string>()
  readonly #older = new Set<string>()

  readonly now: Instant

  readonly #lists: LiveResources
  readonly #live = new Map<KindName, ReadonlyMap<string, StripeObject>>()

  constructor(now: Instant, lists: LiveResources) {
    this.now = now
    this.#lists = lists
  }

  live(kind: KindName, id: string): StripeObject | undefined {
    const known = this.#live.get(kind) ?? new Map((this.#lists.get(kind) ?? []).map((one) => [one.id ?? '', one]))
    this.#live.set(kind, known)
    return known.get(id)
  }

  identify(
    kind: Kind,
    index: LiveIndex,
    resource: DesiredResource,
    input: ResourcesInput,
    takenOver?: ReadonlyMap<string, LiveObject>,
  ): void {
    const found = identify(kind, index, resource, input, {
      isClaimed: (id) => this.isClaimed(kind.name, id),
      takenOver,
    })
    // The owner of an observed object does not matter, because the object is never written.
    const observed = resource.lifecycle?.observe === true && found.is === 'taken'
    const identity: Identity = observed ? { is: 'foreign', live: found.live, mapped: true } : found
    this.#identities.set(resource.address, identity)
    if (identity.is === 'ours' || identity.is === 'foreign')
      this.#keys.set(`${kind.name} ${identity.live.id}`, resource.key)
    if (identity.is === 'ours') for (const { id } of identity.older) this.#older.add(`${kind.name} ${id}`)
  }

  identity(address: string): Identity {
    return this.#identities.get(address) ?? { is: 'absent', gone: false }
  }

  /** From now on the object's id is the id that its creation in this plan returns. */
  renew(address: string): void {
    this.#renewed.add(address)
  }

  /** Reverses `renew`. */
  keep(address: string): void {
    this.#renewed.delete(address)
  }

  isRenewed(address: string): boolean {
    return this.#renewed.has(address)
  }

  toStripe(kind: KindName, key: string): Json {
    const outside = outsideOf(key)
    if (outside?.by === 'id') return outside.value
    const address = addressOf(kind, key)
    const identity = this.identity(address)
    const live = identity.is === 'ours' || identity.is === 'foreign' ? identity.live.id : undefined
    return live === undefined || this.#renewed.has(address) ? { $ref: address } : live
  }

  /**
   * An id in brackets is not a valid key, so a foreign object is never taken for a declared one.
   */
  toKey(kind: KindName, id: string): string {
    return this.#keys.get(`${kind} ${id}`) ?? `(${id})`
  }

  /**
   * Whether a live object corresponds to a declared one, whatever its marks say, or is left over
   * from its replacement.
   */
  isClaimed(kind: KindName, id: string): boolean {
    return this.#keys.has(`${kind} ${id}`) || this.#older.has(`${kind} ${id}`)
  }

  known(): ReadonlyMap<string, string> {
    const known = [...this.#identities].flatMap(([address, one]) =>
      one.is === 'ours' && !this.#renewed.has(address) ? [[address, one.live.id] as const] : [],
    )
    return new Map(known)
  }
}
