import type Stripe from 'stripe'
import type { DesiredResource, LeftOutEntry, Removal } from '../../catalog/types.ts'
import type { Position } from '../../core/diagnostic.ts'
import type { Instant } from '../../core/instant.ts'
import type { JsonObject, StripeObject } from '../../core/json.ts'
import type { LiveResources } from '../../live/accounts.ts'
import type { Keyless } from '../change.ts'
import type { Blocked, Drift, Notice, Removed, ResourceChange, Step } from '../types.ts'

export type KeylessStep = Omit<Step, 'idempotency_key'>

/** The store's record of one object (`ObjectRecord` fits). */
export interface KnownObject {
  readonly address: string
  readonly id: string
  /** Digest of the last applied form (see `ResourcesPlan.forms`); null when unknown. */
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
  /**
   * The target's subscriptions (`status: all`), which show the use of prices, coupons and tax
   * rates.
   */
  readonly subscriptions: readonly Stripe.Subscription[]
  /**
   * Live id → address of foreign objects that the project maps (`mappings/target.yaml`). They are
   * adopted even if they differ.
   */
  readonly mapped: ReadonlyMap<string, string>
  /** Declared entries with errors. Their objects are identified if they exist, and not changed. */
  readonly leftOut?: readonly LeftOutEntry[]
  /**
   * A file of resources could not be read. An object that seems undeclared may be declared there,
   * so it is not retired.
   */
  readonly incomplete?: boolean
  /**
   * Addresses of prices (and tax rates) to which this plan moves subscribers. They and their
   * products stay active until then.
   */
  readonly needed: ReadonlySet<string>
  /** Addresses whose entries were deleted on purpose (`removed:`). */
  readonly removed?: ReadonlyMap<string, Removal>
  /** Addresses under `removed:` whose objects the journal shows as retired. */
  readonly retired?: ReadonlySet<string>
  /** Old address → new address (`moved:`). */
  readonly moved?: ReadonlyMap<string, string>
  /** Where the lines of both are: see `Catalog.places`. */
  readonly places?: ReadonlyMap<string, Position>
}

/** A price or a tax rate with subscriptions that Stripe can only replace. */
export interface Repriced {
  readonly address: string
  /** What subscriptions hold: their items a price, they and their items tax rates. */
  readonly held: 'item' | 'rates'
  readonly onChange: 'at_renewal' | 'new_only' | 'refuse'
  /** Whether the plan changes the subscriptions to the new one. */
  readonly applies: boolean
  readonly old: StripeObject & { readonly id: string }
  /** The new one, in comparable form. */
  readonly form: JsonObject
  /** Ids of the subscriptions on the old one. */
  readonly subscriptions: readonly string[]
}

export interface ResourcesPlan {
  /** In order of execution; all before the changes of subscribers. */
  readonly changes: readonly Keyless<ResourceChange>[]
  /**
   * Retirements of objects whose entries disappeared without `removed:`; executed only when
   * allowed.
   */
  readonly removals: readonly Keyless<ResourceChange>[]
  /** The same objects, for display. */
  readonly removed: readonly Removed[]
  /** After the changes of subscribers: archives objects that had to stay active. */
  readonly closing: readonly Keyless<ResourceChange>[]
  readonly drift: readonly Drift[]
  readonly blocked: readonly Blocked[]
  /** Declared objects that match their entries. */
  readonly unchanged: number
  /**
   * Address → id of each declared object that exists and belongs to the project, or is adopted
   * without a request: what the store must record.
   */
  readonly ids: ReadonlyMap<string, string>
  /** Address → id of each object that the plan adopts by a request. */
  readonly adopting: ReadonlyMap<string, string>
  /** Address → id of each object that its entry only observes. */
  readonly observed: ReadonlyMap<string, string>
  /**
   * Address → digest of the desired form: what the store must record as `applied` after the apply.
   */
  readonly forms: ReadonlyMap<string, string>
  /**
   * Address → digest of the observed live object, for every changed address: part of the plan's
   * basis.
   */
  readonly touched: ReadonlyMap<string, string>
  /** Changed prices with subscriptions. */
  readonly repriced: readonly Repriced[]
  /** Number of addresses in this project's marks on live objects. */
  readonly owned: number
  /** Number of this project's objects in use: the base of `retire_share`. */
  readonly inUse: number
  readonly otherMarks: OtherMarks
  readonly notices: readonly Notice[]
}

/** Declared objects that carry the mark of another project. */
export interface OtherMarks {
  readonly projects: readonly string[]
  /** Known to the store: the plan would mark them with this project's name. */
  readonly remarked: readonly string[]
  /** Unknown to the store: the plan would create a second object for the entry. */
  readonly again: readonly string[]
}
