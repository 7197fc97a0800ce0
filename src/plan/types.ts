import type { GuardName } from '../catalog/guards.ts'
import type { Json, JsonObject } from '../core/json.ts'
import type { Expectation, Goal } from '../handover/types.ts'
import type { TaxChange } from '../handover/carried/tax-verdicts.ts'
import type { Ending } from '../kinds/kind.ts'
import type { NoticeCode } from './notice-codes.ts'

/** What a plan can do to an object of the catalog. */
export type ResourceAction = 'create' | 'update' | 'replace' | 'retire' | 'adopt'

/** What a plan can do to a member's access. */
type AccessAction = 'grant' | 'revoke'

/** `Goal` concerns subscribers. */
export type Action = ResourceAction | Goal | AccessAction

/** An operation of RFC 6902 with the value that it replaces or removes. */
export type PatchOperation =
  | { readonly op: 'add' | 'replace'; readonly path: string; readonly value: Json; readonly was?: Json }
  | { readonly op: 'remove'; readonly path: string; readonly was?: Json }

/**
 * One complete request: the executor sends exactly this and decides nothing. `{ "$ref": "price.x"
 * }` anywhere in `params`, or `{price.x}` in `path`, refers to the id that an earlier step of the
 * same plan creates. `account` distinguishes the services.
 */
export type Step = {
  /** Unique within its change: `create`, `hold`, `keep` … */
  readonly id: string
  readonly account: string
  readonly method: 'POST' | 'DELETE'
  readonly path: string
  readonly params: JsonObject
  readonly idempotency_key: string
  /**
   * Where a secret in the response is stored (webhook endpoints); the secret is written nowhere
   * else.
   */
  readonly secret_to?: JsonObject
}

/*
 * `type`, not `interface`: changes and their expectations are written to the plan file, and a type
 * is assignable to JsonObject.
 */

type Described = {
  readonly address: string
  /** The fields or reasons, for display only. */
  readonly because: readonly string[]
  /** RFC 6902, from live to desired. */
  readonly patch: readonly PatchOperation[]
  /** Number of subscribers whose bill or access the change affects. */
  readonly people: number
  readonly steps: readonly Step[]
}

/**
 * Digest of what the accounts showed at the change's address when the plan was made; empty when the
 * address was not observed.
 */
export type Seen = { readonly seen: string }

/** A change of an object of the catalog. */
export type ResourceChange = Described & {
  readonly action: ResourceAction
  /** What ends with it; absent when nothing does. */
  readonly ends?: readonly Ending[]
  /**
   * Changes without which Stripe would refuse this one, or an entry would lose its name: entries
   * that exchange their names or objects. Absent when there are none.
   */
  readonly together?: readonly string[]
  readonly expect: ResourceExpectation & Seen
}

type ResourceExpectation = {
  /** Digest of the form that the change applies; absent for a retirement. */
  readonly applied?: string
}

/** A subscriber's hand-over. */
export type HandoverChange = Described & { readonly action: Goal; readonly expect: Expectation & Seen }

/** A grant or revoke of one offer. A grant finds or creates the contact when it is carried out. */
export type AccessChange = GrantChange | RevokeChange
export type GrantChange = Described & { readonly action: 'grant'; readonly expect: GrantExpectation & Seen }
export type RevokeChange = Described & { readonly action: 'revoke'; readonly expect: RevokeExpectation & Seen }

/** Ids only: a saved plan contains no e-mail address. */
type GrantExpectation = {
  /** The offer's key in `access.yaml`. */
  readonly offer: string
  /** Keys of the subscribers that pay for the offer. */
  readonly subscribers: readonly string[]
}

type RevokeExpectation = GrantExpectation & {
  /** The contact in Kajabi; the customer for an offer given by URLs. */
  readonly contact: string
}

/**
 * The parts of a plan. A new part does not compile until `plan/change.ts` and its users handle it.
 */
export type Parts = {
  readonly resource: ResourceChange
  readonly handover: HandoverChange
  readonly access: AccessChange
}
export type Part = keyof Parts

/**
 * `expect` holds the facts with which the engine guards and proves the steps; never secrets or
 * personal data.
 */
export type Change = Parts[Part]

export interface Deferred {
  readonly address: string
  readonly code: string
  readonly until: string
  readonly message?: string
}

export interface Blocked {
  readonly address: string
  /** Where the entry of an object is: `catalog/prices.yaml:12:5`. */
  readonly position?: string
  readonly code: string
  readonly message: string
  readonly fix: string
}

export interface Drift {
  readonly address: string
  readonly code: string
  readonly message: string
  readonly patch: readonly PatchOperation[]
}

export interface GuardReading {
  readonly id: GuardName
  readonly limit: number
  readonly actual: number
  readonly tripped: boolean
  readonly message?: string
  /** Addresses of the changes that a tripped guard stops; absent when it stops the whole plan. */
  readonly stops?: readonly string[]
}

export interface NextCharge {
  /** `us/sub_…` */
  readonly subscriber: string
  readonly at: string
  readonly amount: number
  readonly currency: string
  readonly before: { readonly at: string; readonly amount: number; readonly currency: string; readonly account: string }
  /** Stripe adds tax to these amounts, and no preview has shown how much. */
  readonly tax_not_included?: true
  /** Collection is paused over the next renewal: until then, or until it is resumed. */
  readonly paused?: { readonly until: string | null }
  /** The changed price that causes the new amount. */
  readonly price?: string
}

/** The effect of a changed price or tax rate on its subscribers. */
export interface PriceChange {
  /** `price.membership-monthly`, `tax_rate.vat` */
  readonly address: string
  readonly on_change: 'at_renewal' | 'new_only' | 'refuse'
  /**
   * Whether this plan changes them to the new price. If not, `subscribers` shows what they would
   * pay, and nothing changes.
   */
  readonly applies: boolean
  readonly people: number
  /** Their monthly recurring revenue by currency, at the old price and at the new price. */
  readonly mrr: Readonly<Record<string, { readonly before: number; readonly after: number }>>
  /** Their next charges. `us/sub_…`, or `target/sub_…` for a subscription made in the target. */
  readonly subscribers: readonly NextCharge[]
}

/** An object of this project without an entry. It stays in use until it is retired explicitly. */
export interface Removed {
  readonly address: string
  readonly id: string
  /** Number of subscribers who use it. */
  readonly people: number
  /** What would end if it were retired; absent when nothing would. */
  readonly ends?: readonly Ending[]
  readonly message: string
  readonly fix: string
}

/**
 * A way to subscribe, change or cancel that is still open in an old account from which this plan
 * moves subscribers.
 */
export interface OpenDoor {
  readonly account: string
  readonly check: string
  readonly message: string
  readonly fix: string
}

/**
 * A fact that otherwise stays unseen until it costs money or access. Crossbill does not act on it.
 */
export interface Notice {
  readonly code: NoticeCode
  /** `us/sub_…`, `us/sub_sched_…`, `us/cus_…`, `price.x`, or `question.5`. */
  readonly subscriber: string
  readonly customer?: string
  /** When it happens; null when the date is unknown. */
  readonly at: string | null
  /** The next amount due, in minor units. */
  readonly amount?: number
  readonly currency?: string
  readonly message: string
  readonly fix: string
}

export interface Plan {
  readonly format: 1
  readonly tool: string
  /** Digest of the rest of this document. */
  readonly plan: string
  readonly created: string
  readonly expires: string
  readonly basis: {
    readonly catalog: string
    readonly live: string
    readonly state: { readonly lineage: string; readonly serial: number }
    readonly api_version: string
    readonly accounts: Readonly<Record<string, { readonly id: string; readonly livemode: boolean }>>
  }
  readonly summary: Readonly<Record<Action | 'unchanged' | 'drift' | 'deferred' | 'blocked', number>>
  readonly money: {
    readonly subscribers: number
    /**
     * Monthly recurring revenue by currency, in minor units, rounded half up per subscriber, before
     * discounts and taxes.
     */
    readonly mrr: Readonly<Record<string, { readonly before: number; readonly after: number }>>
    /**
     * Parts of `mrr` by outcome (`move`, `deferred`, `blocked` …) and currency. Absent in plans of
     * older versions.
     */
    readonly by_outcome?: Readonly<Record<string, Readonly<Record<string, number>>>>
    /** Changed prices with subscribers. Absent when there are none. */
    readonly price_changes?: readonly PriceChange[]
    readonly next_charges: readonly NextCharge[]
    /**
     * Automatic tax that differs between the accounts or cannot be compared yet, by country. Absent
     * in plans of older versions.
     */
    readonly tax?: readonly TaxChange[]
  }
  readonly changes: readonly Change[]
  readonly drift: readonly Drift[]
  readonly deferred: readonly Deferred[]
  readonly blocked: readonly Blocked[]
  readonly guards: readonly GuardReading[]
  /** Objects without an entry that stay in use; absent when there are none. */
  readonly removed?: readonly Removed[]
  /** Absent when no subscriber is moved or settled, or when all doors are closed. */
  readonly doors?: readonly OpenDoor[]
  /**
   * First renewals that the moves lead to, and how many will probably fail; `notices` has them by
   * code. Absent when none will.
   */
  readonly cards?: { readonly renewals: number; readonly failing: number }
  /** Absent when there are none. */
  readonly notices?: readonly Notice[]
  /**
   * Subscribers by outcome, including excluded, ending, ended and unchanged ones, so that each is
   * accounted for.
   */
  readonly people: Readonly<Record<string, number>>
}
