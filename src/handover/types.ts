import type { AnchorConfig } from '../billing/anchor.ts'
import type { SubscriberKey } from '../core/address.ts'
import type { Instant } from '../core/instant.ts'
import type { JsonObject } from '../core/json.ts'
import type { OverrideCode } from '../catalog/override-codes.ts'
import type { Catalog } from '../catalog/types.ts'
import type { Live } from '../live/accounts.ts'
import type { Standing } from '../live/observations.ts'
import type { PauseImage } from '../live/source.ts'
import type { BlockedCode, DeferredCode } from './codes.ts'

/**
 * Inputs and results of the hand-over. Everything here is plain data. Types whose values are
 * written to a plan file or the store are JSON (`type`, not `interface`, so that they are
 * assignable to JsonObject).
 */

/* ---------------------------------------------------------------- input */

/** The copy map of one source, by old id. Built with `copyMapOf(rows)`. */
export interface CopyMap {
  /** Old customer id → new one (the same id, but never assumed). */
  readonly customers: ReadonlyMap<string, string>
  /** Old payment id (`pm_ card_ src_ ba_`) → new id and the new customer it belongs to. */
  readonly payments: ReadonlyMap<string, { readonly customer: string; readonly id: string }>
}

/** The store's record of a subscriber: the state of a hand-over, in progress or at rest. */
interface Remembered {
  readonly phase: string
  readonly facts: JsonObject
}

/** Everything a decision about subscribers depends on. Equal input gives equal output. */
export interface HandoverInput {
  readonly catalog: Catalog
  readonly live: Live
  /** By source name. */
  readonly copyMaps: ReadonlyMap<string, CopyMap>
  readonly remembered: ReadonlyMap<SubscriberKey, Remembered>
  readonly now: Instant
}

/* ------------------------------------------------------- classification */

export type Reason<Code extends string = string> = {
  readonly code: Code
  readonly message: string
  /** What to do next; never empty for a blocked subscriber. */
  readonly fix: string
}

/**
 * A difference that is shown and that Crossbill never undoes: a change by the subscriber, a
 * change on a held subscription, or an edit of a moved subscriber's entry.
 */
export interface HandoverDrift {
  readonly code:
    | 'changed_in_target'
    | 'entry_differs'
    | 'paused_in_target'
    | 'drift_on_held_source'
    | 'cancelled_in_source'
    | 'lapsed_in_source'
    | 'money_on_held_source'
    | 'customer_split'
    | 'hold_missing'
    | 'unfinished'
    | 'discount_lost'
    | 'schedule_lost'
    | 'payment_method_differs'
  readonly message: string
  /** The new subscription has an object that the catalog lacks: the target is pulled first. */
  readonly unknown?: true
}

/**
 * The next charge on both sides, for the amounts that the plan shows. Minor units, before the
 * customer balance.
 */
export type ChargeForecast = {
  readonly at: Instant
  readonly amount: number
  readonly currency: string
  readonly before: {
    readonly at: Instant
    readonly amount: number
    readonly currency: string
    readonly account: string
  }
  /** Stripe adds tax to these amounts, and no preview has shown how much. */
  readonly tax_not_included?: true
  /** Collection is paused over the next renewal: until then, or until it is resumed. */
  readonly paused?: { readonly until: Instant | null }
}

/** Every subscriber has exactly one of these outcomes. */
export type Outcome =
  | { readonly outcome: 'unchanged' }
  | { readonly outcome: 'move' | 'settle' | 'revert'; readonly plan: HandoverPlan }
  | { readonly outcome: 'deferred'; readonly code: DeferredCode; readonly until: Instant; readonly message: string }
  | { readonly outcome: 'blocked'; readonly reasons: readonly [Reason<BlockedCode>, ...Reason<BlockedCode>[]] }
  /** `code`: left by `policies.leave`; otherwise the entry excludes the subscriber. */
  | { readonly outcome: 'excluded'; readonly reason: string; readonly code?: BlockedCode }
  | { readonly outcome: 'ending'; readonly at: Instant }
  | { readonly outcome: 'ended' }

export type Classification = Outcome & {
  readonly key: SubscriberKey
  readonly standing: Standing
  /** Id of the live or latest successor in the target, if there is one. */
  readonly successor: string | null
  readonly drift: readonly HandoverDrift[]
  /**
   * For `unfinished`: how the recovery at the start of the next run finishes or undoes the
   * hand-over when the store has no better record.
   */
  readonly recovery?: HandoverPlan<'move' | 'undo' | 'revert'>
  /**
   * For a move or revert whose tax Stripe computes: subscribers with an equal value are taxed
   * equally.
   */
  readonly taxed?: TaxSituation
  /**
   * For a move or revert that leaves money of the customer behind, by the word of the entry: what
   * the next renewal is charged without.
   */
  readonly split?: string
  /**
   * Monthly recurring amount of the subscription that bills now, in minor units, rounded half up.
   * Undefined for subscribers who are not billed.
   */
  readonly monthly?: { readonly amount: number; readonly currency: string }
}

/** The inputs of a subscriber's automatic tax. */
export interface TaxSituation {
  readonly source: string
  /** ISO 3166; empty when the address has no country. */
  readonly country: string
  /** The state, where sellers register by state; otherwise empty. */
  readonly region: string
  /** Equal for subscribers whom one seller taxes equally. */
  readonly group: string
}

/** One tax on an invoice. */
export type TaxRate = { readonly percentage: number; readonly inclusive: boolean }

/* ----------------------------------------------------------------- plan */

/**
 * A request of the plan without its idempotency key, which the plan's assembly derives. The
 * executor resolves `$ref` values.
 */
export type PlannedStep = {
  /**
   * `carry-tax-id-0`, `hold`, `create`, `money-balance-debit`, `keep` …: unique within the
   * subscriber, stable between plans.
   */
  readonly id: string
  readonly account: string
  readonly method: 'POST' | 'DELETE'
  readonly path: string
  readonly params: JsonObject
}

export type Goal = 'move' | 'settle' | 'revert'

/** `undo` is used only for the recovery of an unfinished earlier run. */
export type HandoverPlan<AnyGoal extends Goal | 'undo' = Goal> = {
  readonly goal: AnyGoal
  readonly because: readonly string[]
  /**
   * In the order in which they are sent if nothing fails. Requests that depend on a read during the
   * run are not listed.
   */
  readonly steps: readonly PlannedStep[]
  readonly expect: Expectation
  readonly charge: ChargeForecast | null
  /** A settle before a captured payment proved the move. The guard `settle_unproven` counts it. */
  readonly unproven: boolean
  /**
   * A settle after a cancel in the target that nothing explains. The guard `ended_unexplained`
   * counts it.
   */
  readonly unexplained?: true
}

/**
 * What a hand-over must find during the run; stored in the plan (`Change.expect`). JSON throughout.
 */
export type Expectation = {
  readonly goal: Goal | 'undo'
  readonly project: string
  readonly key: SubscriberKey
  readonly source: string
  readonly old: string
  readonly customer_old: string
  readonly customer_new: string
  readonly currency: string
  /**
   * Digest of the old subscription without volatile fields and without our hold: `fingerprint()`.
   */
  readonly fingerprint: string
  /** T, the next renewal, unix seconds; null when nothing more will be billed. */
  readonly next: number | null
  /** No step before the point of no return is sent when T is nearer than this number of seconds. */
  readonly window: number
  readonly before_pause: PauseImage | null
  /** When our hold began, unix seconds. For a move: the plan's time. */
  readonly held_since: number
  /**
   * How often the old subscription had been held or released when the plan was made; absent for
   * never. A plan whose move was done and then reverted is not this subscriber's plan any more.
   */
  readonly holds?: number
  /** Known successor for settle and revert; null for a move. */
  readonly successor: string | null
  /** Digest of the successor as it was created, for `changed_since_move`; null for a move. */
  readonly successor_fingerprint: string | null
  /**
   * The customer's balance in the source when the plan was made. It is compared only where the
   * customer's money moves.
   */
  readonly balance: number | null
  /** What the subscriber's file permits by name: `changed_since_move`, `bill_refunded_period` … */
  readonly override: readonly OverrideCode[]
  /** Steps by role, as ids of `HandoverPlan.steps`. */
  readonly carry: readonly string[]
  /** The first one notes what the others carry, except in a recovery, which finds the note. */
  readonly money: readonly string[]
  /**
   * The customer's money moves only if these other subscriptions of the customer have moved in this
   * run; otherwise the `money` steps are omitted.
   */
  readonly money_after: readonly SubscriberKey[]
  /**
   * Other subscriptions of the customer that leave in the same run, because they share money of the
   * customer. Without them, this one stays.
   */
  readonly together?: readonly SubscriberKey[]
  /** `recompute` only where the plan showed the difference and it was accepted for the country. */
  readonly tax: 'same' | 'recompute'
  /**
   * The difference that was shown and accepted. If the tax has changed since, the plan is no longer
   * the reviewed one.
   */
  readonly tax_change: { readonly before: string; readonly after: string } | null
  readonly proof: ProofExpectation | null
  readonly gap: 'invoice' | 'leave'
  /** By `policies.setup_failed: undo`, a move whose payment method cannot be set up is undone. */
  readonly undoes_failed_setup?: true
  /** For a recovery: an earlier run proved the new subscription, so only the hold is restored. */
  readonly proven?: true
  /** The customer has several copied methods: the proof compares the old card with the new one. */
  readonly same_card?: true
  /**
   * For a settle and a revert: the mark of the hold, as the plan saw it. Where a person took the
   * hold off since, it is set again with what it knows.
   */
  readonly hold?: string
  /** An item is billed by usage: the old account bills it until T (`by-usage.ts`). */
  readonly by_usage?: true
  /** For a revert: tax rates of the target, and what they are called in the old account. */
  readonly tax_rates_back?: Readonly<Record<string, string>>
  /** For a revert: renewals in the target that are not paid, and what becomes of each. */
  readonly periods?: readonly UnpaidPeriod[]
}

/**
 * `billed`: the old account bills it. `left`: the project's policy leaves it unpaid. `waived`: the
 * entry leaves it unpaid, because a person waived it in the target. `credit`: the customer's credit
 * pays it in the target.
 */
export type UnpaidPeriod = {
  readonly invoice: string
  /** Unix seconds. */
  readonly at: number
  readonly amount: number
  readonly currency: string
  readonly outcome: 'billed' | 'left' | 'waived' | 'credit'
}

/**
 * The expected new subscription, field by field. Catalog references appear as `{ "$ref": address }`
 * and are resolved before the proof.
 */
/** An object of the catalog: by address in a plan, by id once resolved. */
export type Reference = { readonly $ref: string } | string

export type ProofExpectation = {
  readonly status: 'active' | 'trialing'
  readonly currency: string
  readonly customer: string
  readonly collection_method: string
  readonly days_until_due: number | null
  readonly billing_mode: string
  readonly period_end: number
  readonly anchor: ExpectedAnchor
  readonly trial_end: number | null
  readonly cancel_at: number | null
  readonly cancel_at_period_end: boolean
  readonly automatic_tax: boolean
  readonly default_tax_rates: readonly Reference[]
  /**
   * Effective payment method: subscription → its source → customer. Null for sent invoices without
   * one.
   */
  readonly payment: string | null
  readonly items: readonly ExpectedItem[]
  readonly discounts: readonly ExpectedDiscount[]
  /** The source's own pause, carried. */
  readonly pause: PauseImage | null
  /** Whether a schedule with the remaining phases must exist. */
  readonly schedule: boolean
  readonly metadata: Readonly<Record<string, string>>
}

/**
 * `config` as it was sent. Stripe may show any of the instants in `at`: with the day of the month,
 * each fixes the same later dates.
 */
export type ExpectedAnchor = {
  readonly at: readonly number[]
  readonly day: number | null
  readonly config: AnchorConfig | null
}

export type ExpectedItem = {
  readonly price: Reference
  readonly quantity: number | null
  readonly tax_rates: readonly Reference[]
  readonly discounts: readonly ExpectedDiscount[]
}

/**
 * `after` and `until` bracket the discount's `end`: it must cover the renewal at `after` and none
 * from `until` on. Both null without an end.
 */
export type ExpectedDiscount = {
  readonly coupon: Reference
  readonly after: number | null
  readonly until: number | null
}
