import type { Instant } from '../core/instant.ts'
import type { JsonObject } from '../core/json.ts'
import type { Diagnostic, Position } from '../core/diagnostic.ts'
import type { SubscriberKey } from '../core/address.ts'

/** A secret is named, never written: an environment variable, a file, or the output of a command. */
export type SecretRef = { readonly env: string } | { readonly file: string } | { readonly command: readonly string[] }

export type AccountConfig =
  | { readonly sandbox: true }
  | {
      readonly sandbox?: false
      readonly key: SecretRef
      /** `acct_…`; a key of any other account is refused. */
      readonly account: string
      readonly livemode: boolean
      /** Any Stripe-compatible server, e.g. a sandbox on another port. */
      readonly api_base?: string
    }

/** The account named `target` is where everything goes; every other one is a source. */
export const targetAccount = 'target'

export interface Policies {
  readonly tax: 'same' | 'recompute'
  /** Countries whose tax difference was accepted, for `tax: recompute`. */
  readonly tax_accepted: readonly string[]
  readonly customer_balance: 'stop' | 'carry'
  readonly pending_invoice_items: 'stop' | 'carry'
  readonly past_due: 'stop' | 'leave' | 'carry'
  readonly schedules: 'stop' | 'carry'
  readonly collection_paused: 'stop' | 'carry'
  /** Days after the first renewal in the target before an unproven move may be settled. */
  readonly settle_after_days: number
  /** Hours before a renewal in which nobody is moved; a third of the interval when that is less. */
  readonly renewal_window_hours: number
  /** What a Kajabi cancel does. */
  readonly cancel: 'now' | 'period_end'
  readonly uncharged_period: 'invoice' | 'leave'
  readonly plan_hours: number
}

export interface Project {
  readonly name: string
  readonly accounts: Readonly<Record<string, AccountConfig>>
  readonly policies: Policies
  /** Guard limits by guard name; defaults apply to those not named. */
  readonly guards: Readonly<Record<string, number>>
  readonly store: { readonly file: string } | { readonly url: SecretRef }
  readonly sandbox: {
    readonly population?: 'school'
    readonly subscribers?: number
    readonly seed: number
    readonly clock: Instant
    readonly copied: readonly string[]
  }
  /** PAN-copy CSVs kept in the repository, by source, relative to catalog/; rows imported with `copy-map import` are added to them. */
  readonly copy_maps: Readonly<Record<string, readonly string[]>>
  readonly kajabi?: JsonObject
  readonly serve?: JsonObject
  readonly alerts?: JsonObject
}

/** A resource of the target's catalog as written: `value` in Stripe's parameter names with references as keys. */
export interface DesiredResource {
  readonly address: string
  readonly kind: string
  readonly key: string
  readonly value: JsonObject
  /** Absent where the entry says nothing about it. */
  readonly lifecycle?: Lifecycle
  readonly at: Position
}

/** What may happen to an object, beside what it is. */
export interface Lifecycle {
  /** Taken out of use, by an explicit word. */
  readonly retire: boolean
  /** Neither retired nor replaced; written onto the object, so that it outlives the entry. */
  readonly protect: boolean
  /** Compared and referred to, never written. */
  readonly observe: boolean
  /** Fields, or keys in them (`metadata.crm_id`), that are left as they are. */
  readonly ignored: readonly string[]
}

/** What `removed:` says of an address without an entry. */
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
  /** When it ends in the source; absent for `forever` and for a `once` not consumed yet. */
  readonly ends?: Instant
}

/** One subscriber's YAML entry, normalised. Field names are the YAML's own. */
export interface DesiredSubscriber {
  readonly key: SubscriberKey
  readonly source: string
  readonly subscription: string
  /** File under catalog/, which is the wave: `subscribers/us/wave-01.yaml`. */
  readonly file: string
  readonly stage: Stage
  /** Neither the file nor the entry says a stage: `source` is a default then, and no wish to set anybody back. */
  readonly unstaged?: true
  /** A written reason takes a subscriber out of the migration. */
  readonly excluded?: string
  /** A written reason why the same person pays for the same thing a second time with this one. */
  readonly pays_twice?: string
  readonly customer: string
  readonly currency?: string
  readonly items: readonly DesiredItem[]
  /** T as of the pull; renewals since then move it along the old cycle. Absent when nothing more will be billed. */
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
  /** For subscriptions created by a Connect application: the project's word on what they are. */
  readonly managed_by_application?: 'open_ended' | { readonly payments_left: number }
  /** What allows a revert although the subscriber changed the new subscription. */
  readonly override?: readonly string[]
  readonly at: Position
}

/** Old id → key in this catalog, per source: `catalog/mappings/us.yaml`. */
export interface Mappings {
  readonly products: Readonly<Record<string, string>>
  readonly prices: Readonly<Record<string, string>>
  readonly tax_rates: Readonly<Record<string, string>>
  readonly coupons: Readonly<Record<string, string>>
}

/** A repeated charge outside Stripe's subscriptions, declared so that `verify` knows of it. */
export interface DeclaredExternal {
  readonly source: string
  readonly customer: string
  readonly reason: string
}

/** An entry that cannot be used as it is written: it blocks those whom it concerns, and nobody else. */
export interface LeftOutEntry {
  /** `price.x`, `subscriber.us/sub_…`, `mapping.us/price_…`, `external.us/cus_…`. */
  readonly address: string
  readonly kind: string
  readonly key: string
  readonly findings: readonly Diagnostic[]
}

/**
 * What a catalog lacks because something in its files is wrong. What is left out is unknown, not absent: nothing is
 * retired, set back or reported as missing because an entry or a file could not be used.
 */
export interface LeftOut {
  readonly entries: readonly LeftOutEntry[]
  /** Files of which some or all entries are unknown, with the reason. */
  readonly files: ReadonlyMap<string, readonly Diagnostic[]>
}

/** Everything people wrote, read and checked. */
export interface Catalog {
  readonly project: Project
  readonly resources: readonly DesiredResource[]
  /** Addresses whose entries are gone on purpose. */
  readonly removed: ReadonlyMap<string, Removal>
  /** Old address → new address. */
  readonly moved: ReadonlyMap<string, string>
  readonly subscribers: readonly DesiredSubscriber[]
  readonly mappings: ReadonlyMap<string, Mappings>
  readonly access: JsonObject
  readonly externals: readonly DeclaredExternal[]
  /** Digest of everything above, independent of comments and formatting. */
  readonly digest: string
  /** What could not be used as it is written; absent when everything could. */
  readonly leftOut?: LeftOut
}
