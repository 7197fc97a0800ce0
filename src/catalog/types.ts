import type { GuardName } from './guards.ts'
import type { LeaveCode } from './leave-codes.ts'
import type { LintSwitches } from './rule-names.ts'
import type { Instant } from '../core/instant.ts'
import type { SecretRef } from './secret-schema.ts'
import type { AlertsConfig, KajabiConfig, ServeConfig } from './service-schema.ts'
import type { JsonObject } from '../core/json.ts'
import type { Diagnostic, Position } from '../core/diagnostic.ts'
import type { SubscriberKey } from '../core/address.ts'
import type { OverrideCode } from './override-codes.ts'

export type AccountConfig =
  | { readonly sandbox: true }
  | {
      readonly sandbox?: false
      readonly key: SecretRef
      /** `acct_…`; a key of any other account is refused. */
      readonly account: string
      readonly livemode: boolean
      /** Any Stripe-compatible server, such as a sandbox on another port. */
      readonly api_base?: string
    }

/** The account named `target` is the new account; every other account is a source. */
export const targetAccount = 'target'

export interface Policies {
  readonly tax: 'same' | 'recompute'
  /** Countries whose tax difference is accepted, for `tax: recompute`. */
  readonly tax_accepted: readonly string[]
  readonly customer_balance: 'stop' | 'carry'
  readonly pending_invoice_items: 'stop' | 'carry'
  readonly past_due: 'stop' | 'leave' | 'carry'
  readonly schedules: 'stop' | 'carry'
  readonly collection_paused: 'stop' | 'carry'
  readonly metered: 'stop' | 'carry'
  /** Days after the first renewal in the target before an unproven move may be settled. */
  readonly settle_after_days: number
  /** Hours before a renewal in which no subscriber is moved; at most a third of the interval. */
  readonly renewal_window_hours: number
  /** What a cancel from Kajabi does. */
  readonly cancel: 'now' | 'period_end'
  readonly uncharged_period: 'invoice' | 'leave'
  /** What a move does whose payment method Stripe could not set up for the renewals. */
  readonly setup_failed: 'keep' | 'undo'
  /** Connect applications whose subscriptions go on until the member stops them. */
  readonly applications: Readonly<Record<string, 'open_ended'>>
  /** Why subscribers with a code stay in the old account. */
  readonly leave: Readonly<Partial<Record<LeaveCode, string>>>
  readonly plan_hours: number
}

export interface Project {
  readonly name: string
  readonly accounts: Readonly<Record<string, AccountConfig>>
  readonly policies: Policies
  /** Guard limits by guard name; other guards keep their defaults. */
  readonly guards: Readonly<Partial<Record<GuardName, number>>>
  readonly store: { readonly file: string } | { readonly url: SecretRef }
  /** Severity of each lint that the project sets. */
  readonly lint?: LintSwitches
  readonly sandbox: {
    readonly population?: 'school'
    readonly subscribers?: number
    readonly seed: number
    readonly clock: Instant
    readonly copied: readonly string[]
  }
  /**
   * PAN-copy CSV files in the repository, by source, relative to catalog/. Rows imported with
   * `copy-map import` are added to them.
   */
  readonly copy_maps: Readonly<Record<string, readonly string[]>>
  readonly kajabi?: KajabiConfig
  readonly serve?: ServeConfig
  readonly alerts?: AlertsConfig
}

/** A resource of the catalog: `value` uses Stripe's parameter names, with keys as references. */
export interface DesiredResource {
  readonly address: string
  readonly kind: string
  readonly key: string
  readonly value: JsonObject
  /** Absent when the entry has no lifecycle keys. */
  readonly lifecycle?: Lifecycle
  readonly at: Position
}

/** What may happen to an object. */
export interface Lifecycle {
  /** Retired on explicit request. */
  readonly retire: boolean
  /**
   * Neither retired nor replaced. Stored on the object, so that it outlives the entry and the line:
   * only `false` ends it. Absent when the entry does not say.
   */
  readonly protect?: boolean
  /** Compared and referenced, never written. */
  readonly observe: boolean
  /** Fields, or keys in them (`metadata.crm_id`), that Crossbill does not change. */
  readonly ignored: readonly string[]
}

/** What `removed:` requests for an address without an entry. */
export type Removal = 'retire' | 'keep'

export type Stage = 'source' | 'target' | 'settled'

export interface DesiredItem {
  /** Key in prices.yaml. */
  readonly price: string
  readonly quantity?: number
  readonly tax_rates?: readonly string[]
  readonly discounts?: readonly DesiredDiscount[]
  readonly metadata?: Readonly<Record<string, string>>
}

export interface DesiredDiscount {
  /** Key in coupons.yaml. */
  readonly coupon: string
  /** When it ends in the source; absent for `forever` and for an unused `once`. */
  readonly ends?: Instant
}

/** One subscriber's YAML entry, normalised, with the field names of the YAML. */
export interface DesiredSubscriber {
  readonly key: SubscriberKey
  readonly source: string
  readonly subscription: string
  /** File under catalog/, which is the wave: `subscribers/us/wave-01.yaml`. */
  readonly file: string
  readonly stage: Stage
  /**
   * Set when neither the file nor the entry has a stage. `source` is only a default then, not a
   * request to revert.
   */
  readonly unstaged?: true
  /** Why the subscriber is not migrated. */
  readonly excluded?: string
  /** Why the person pays for the same thing a second time on purpose. */
  readonly pays_twice?: string
  readonly customer: string
  readonly currency?: string
  readonly items: readonly DesiredItem[]
  /**
   * T as of the pull; later renewals advance it along the old cycle. Absent when no further invoice
   * follows.
   */
  readonly next_invoice?: Instant
  readonly anchor: Instant
  readonly payment_method?: string
  readonly discounts: readonly DesiredDiscount[]
  readonly tax_rates: readonly string[]
  readonly automatic_tax: boolean
  readonly trial_end?: Instant
  readonly cancel_at?: Instant
  readonly cancel_at_period_end?: boolean
  readonly collection_method: 'charge_automatically' | 'send_invoice'
  readonly days_until_due?: number
  readonly status?: string
  /** Terms of a subscription that a Connect application created, as the project declares them. */
  readonly managed_by_application?: 'open_ended' | { readonly payments_left: number }
  /** What a person has confirmed by name. */
  readonly override?: readonly OverrideCode[]
  readonly at: Position
}

/** Old id → key in this catalog, per source: `catalog/mappings/us.yaml`. */
export interface Mappings {
  readonly products: Readonly<Record<string, string>>
  readonly prices: Readonly<Record<string, string>>
  readonly tax_rates: Readonly<Record<string, string>>
  readonly coupons: Readonly<Record<string, string>>
}

/** A recurring charge outside Stripe's subscriptions, declared so that `verify` accounts for it. */
export interface DeclaredExternal {
  readonly source: string
  readonly customer: string
  readonly reason: string
}

/** An entry with an error. It blocks only the subscribers and resources that depend on it. */
export interface LeftOutEntry {
  /** `price.x`, `subscriber.us/sub_…`, `mapping.us/price_…`, `external.us/cus_…`. */
  readonly address: string
  readonly kind: string
  readonly key: string
  readonly findings: readonly Diagnostic[]
}

/**
 * What a catalog lacks because of errors in its files. A left-out entry is unknown, not absent:
 * nothing is retired, reverted or reported as missing because an entry or a file cannot be used.
 */
export interface LeftOut {
  readonly entries: readonly LeftOutEntry[]
  /** Files with unknown entries, and the findings that are the reason. */
  readonly files: ReadonlyMap<string, readonly Diagnostic[]>
}

/** All files of a catalog, read and checked. */
export interface Catalog {
  readonly project: Project
  readonly resources: readonly DesiredResource[]
  /** Addresses whose entries were deleted on purpose. */
  readonly removed: ReadonlyMap<string, Removal>
  /** Old address → new address. */
  readonly moved: ReadonlyMap<string, string>
  /** Where the lines of both are, by `moved price.old` and `removed price.old`. */
  readonly places?: ReadonlyMap<string, Position>
  readonly subscribers: readonly DesiredSubscriber[]
  readonly mappings: ReadonlyMap<string, Mappings>
  readonly access: JsonObject
  readonly externals: readonly DeclaredExternal[]
  /** Digest of the content above, independent of comments and formatting. */
  readonly digest: string
  /** What cannot be used because of errors; absent without errors. */
  readonly leftOut?: LeftOut
}
