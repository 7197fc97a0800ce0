import type { Json, JsonObject } from '../core/json.ts'
import type { TaxChange } from '../handover/carried/tax-verdicts.ts'
import type { Operation } from 'fast-json-patch'
import type { NoticeCode } from './notice-codes.ts'

/** What a plan can do to a resource. `move`, `settle`, `revert` concern subscribers; `grant`, `revoke` access. */
export type Action =
  | 'create'
  | 'update'
  | 'replace'
  | 'retire'
  | 'adopt'
  | 'move'
  | 'settle'
  | 'revert'
  | 'grant'
  | 'revoke'

/** An operation of RFC 6902, and beside it the value that it replaces or removes. */
export type PatchOperation = Operation & { readonly was?: Json }

/**
 * One request, complete: the executor sends exactly this and makes no choices. A value `{ "$ref": "price.x" }` anywhere in `params`, or `{price.x}` in
 * `path`, stands for the id that an earlier step of the same plan creates. `service` tells Stripe's requests from Kajabi's.
 */
export interface Step {
  /** Unique within its change: `create`, `hold`, `keep` … */
  readonly id: string
  readonly account: string
  readonly method: 'POST' | 'DELETE'
  readonly path: string
  readonly params: JsonObject
  readonly idempotency_key: string
  /** Where a secret in the answer goes (webhook endpoints); the secret itself is never written anywhere else. */
  readonly secret_to?: JsonObject
}

export interface Change {
  readonly address: string
  readonly action: Action
  /** The fields or reasons, for display only: nothing is decided on them. */
  readonly because: readonly string[]
  /** RFC 6902, from live to desired. */
  readonly patch: readonly PatchOperation[]
  /** Subscribers whose bill or access this touches. */
  readonly people: number
  readonly steps: readonly Step[]
  /** Facts the engine needs to guard and prove the steps (subscribers: fingerprint, T, expectations); never secrets or personal data. */
  readonly expect?: JsonObject
}

export interface Deferred {
  readonly address: string
  readonly code: string
  readonly until: string
  readonly message?: string
}

export interface Blocked {
  readonly address: string
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
  readonly id: string
  readonly limit: number
  readonly actual: number
  readonly tripped: boolean
  readonly message?: string
  /** Addresses of the changes that it stops once it is tripped; the whole plan where it names none. */
  readonly stops?: readonly string[]
}

export interface NextCharge {
  /** `us/sub_…` */
  readonly subscriber: string
  readonly at: string
  readonly amount: number
  readonly currency: string
  readonly before: { readonly at: string; readonly amount: number; readonly currency: string; readonly account: string }
  /** Stripe computes tax on top of these amounts, and no preview has shown how much. */
  readonly tax_not_included?: true
  /** The changed price because of which the amount is another one. */
  readonly price?: string
}

/** What a changed price means for the people on it. */
export interface PriceChange {
  /** `price.membership-monthly` */
  readonly address: string
  readonly on_change: 'at_renewal' | 'new_only' | 'refuse'
  /** Whether this plan puts them onto the new price. If not, `subscribers` shows what they would pay, and nothing changes for them. */
  readonly applies: boolean
  readonly people: number
  /** Their monthly recurring revenue by currency, on the old price and on the new one. */
  readonly mrr: Readonly<Record<string, { readonly before: number; readonly after: number }>>
  /** Their next charges. `us/sub_…`, or `target/sub_…` for those who subscribed in the target. */
  readonly subscribers: readonly NextCharge[]
}

/** An object of this project that the YAML no longer declares. It stays in use until an explicit word retires it. */
export interface Removed {
  readonly address: string
  readonly id: string
  /** Subscribers who use it. */
  readonly people: number
  readonly message: string
  readonly fix: string
}

/** A way by which somebody could still subscribe, change or cancel in an old account that people leave by this plan. */
export interface OpenDoor {
  readonly account: string
  readonly check: string
  readonly message: string
  readonly fix: string
}

/** What nothing else would name before it costs money or access. Nothing is done about it. */
export interface Notice {
  readonly code: NoticeCode
  /** `us/sub_…`, `us/sub_sched_…`, `us/cus_…`, or `price.x`. */
  readonly subscriber: string
  readonly customer?: string
  /** When it happens; null where no date is known. */
  readonly at: string | null
  /** The next amount that is due, minor units. */
  readonly amount?: number
  readonly currency?: string
  readonly message: string
  readonly fix: string
}

export interface Plan {
  readonly format: 1
  readonly tool: string
  /** Digest of everything else in this document. */
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
    /** Monthly recurring revenue by currency, minor units, rounded half up per subscriber, before discounts and taxes. */
    readonly mrr: Readonly<Record<string, { readonly before: number; readonly after: number }>>
    /** Part of `mrr`, by what becomes of its subscribers (`move`, `deferred`, `blocked` …) and currency. Plans of older versions have none. */
    readonly by_outcome?: Readonly<Record<string, Readonly<Record<string, number>>>>
    /** Changed prices that people are on. Left out where there are none. */
    readonly price_changes?: readonly PriceChange[]
    readonly next_charges: readonly NextCharge[]
    /** Automatic tax that differs between the accounts, or could not be compared yet, by country. Plans of older versions have none. */
    readonly tax?: readonly TaxChange[]
  }
  readonly changes: readonly Change[]
  readonly drift: readonly Drift[]
  readonly deferred: readonly Deferred[]
  readonly blocked: readonly Blocked[]
  readonly guards: readonly GuardReading[]
  /** No longer in the YAML and left in use; absent where there are none. */
  readonly removed?: readonly Removed[]
  /** Left out where nobody moves or is settled, or all are closed. */
  readonly doors?: readonly OpenDoor[]
  /** Left out where there is nothing to point out. */
  readonly notices?: readonly Notice[]
  /** Excluded, ending, ended and unchanged subscribers by outcome, so that everybody is accounted for. */
  readonly people: Readonly<Record<string, number>>
}
