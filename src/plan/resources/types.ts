import type Stripe from 'stripe'
import type { DesiredResource, LeftOutEntry, Removal } from '../../catalog/types.ts'
import type { Instant } from '../../core/instant.ts'
import type { JsonObject, StripeObject } from '../../core/json.ts'
import type { LiveResources } from '../../live/accounts.ts'
import type { KeylessChange } from '../assemble.ts'
import type { Blocked, Drift, Removed, Step } from '../types.ts'

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
  /** Declared, and not usable as written: found in the account where they are there, and left as they are. */
  readonly leftOut?: readonly LeftOutEntry[]
  /** Some file of resources could not be read: what nothing seems to declare may stand in it, and is not retired. */
  readonly incomplete?: boolean
  /** Addresses of prices (and tax rates) onto which this plan moves people: kept active, with their products, until that is done. */
  readonly needed: ReadonlySet<string>
  /** Addresses whose entries are gone on purpose (`removed:`). */
  readonly removed?: ReadonlyMap<string, Removal>
  /** Old address → new address (`moved:`). */
  readonly moved?: ReadonlyMap<string, string>
}

/** A price that people are on and that Stripe can only replace. */
export interface Repriced {
  readonly address: string
  readonly onChange: 'at_renewal' | 'new_only' | 'refuse'
  /** Whether the plan puts them onto the new price. */
  readonly applies: boolean
  readonly old: StripeObject & { readonly id: string }
  /** The new price, in the form in which the YAML is compared. */
  readonly form: JsonObject
  /** Ids of the subscriptions on the old price. */
  readonly subscriptions: readonly string[]
}

export interface ResourcesPlan {
  /** In an order in which they can be done one after the other; before anything about people. */
  readonly changes: readonly KeylessChange[]
  /** Retiring what the YAML no longer declares, without a word about it: done only where that is allowed. */
  readonly removals: readonly KeylessChange[]
  /** The same objects, for those who read the plan. */
  readonly removed: readonly Removed[]
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
  /** Changed prices with people on them. */
  readonly repriced: readonly Repriced[]
  /** Live objects that carry this project's marks: what `retire_share` is a share of. */
  readonly owned: number
}
