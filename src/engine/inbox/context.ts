import type { KnownAccess } from '../../catalog/access-read.ts'
import type { Catalog } from '../../catalog/types.ts'
import type { Instant } from '../../core/instant.ts'
import type { Outcome } from '../../core/outcome.ts'
import type { KajabiSite, OfferUrls } from '../kajabi-port.ts'
import type { Patience } from '../send/perform.ts'
import type { Accounts, Interrupt, Store } from '../ports.ts'
import type { InboxStore } from './port.ts'

/** The dependencies of the cancel service. */
export interface InboxContext {
  readonly accounts: Accounts
  readonly store: Store
  readonly inbox: InboxStore
  /** Absent for a site without an API: then only signals that need no check in Kajabi can act. */
  readonly kajabi: KajabiSite | undefined
  readonly access: KnownAccess
  /**
   * Old ids → keys of the catalog, by account. A price is identified by its id, never by a name.
   */
  readonly mappings: Catalog['mappings']
  /** The catalog's prices, which show whether a mapping names the right one. */
  readonly resources: Catalog['resources']
  /** Renamed entries: a price's mark and the store have the old key until the next apply. */
  readonly moved: Catalog['moved']
  /** For offers that are given by their activation and deactivation URLs. */
  readonly urls?: OfferUrls
  /**
   * Hands a signed cancel link for this subscription to the mailer. `id` makes a retry use the same
   * link and the same mail request. Absent when the project has no mailer.
   */
  readonly mailLink?: (link: {
    readonly email: string
    readonly subscriber: string
    readonly offer: string
    readonly id: string
  }) => Promise<Outcome<true>>
  readonly policy: {
    readonly cancel: 'now' | 'period_end'
    /** The number of cancels in an hour above which the breaker opens. */
    readonly cancelsPerHour: number
    /** Seconds between the two reads that must agree before a missing offer counts. */
    readonly secondLookSeconds: number
    /** Days for which finished signals are kept; absent: forever. */
    readonly keepDays?: number
  }
  /**
   * Whether an account has stopped answering; the worker then claims no rows for it. Absent where
   * every request is simply tried.
   */
  readonly isAway?: (account: string) => boolean
  /**
   * How often a request is repeated while its row occupies a worker. The inbox has its own retries,
   * which occupy none.
   */
  readonly patience?: Patience
  /** Called when nothing bills the member of this row any more. */
  readonly unbilled?: (id: string) => void
  readonly alert: (alert: Alert) => void
  readonly log: (line: LogLine) => void
  /** The holder of leases: unique to this process. */
  readonly run: string
  readonly interrupt: Interrupt
  /**
   * Stripe's clock, continued between answers. Requests are dated by it, as grants and
   * subscriptions are.
   */
  clock(): Instant
  /** In [0, 1). */
  random(): number
  wait(seconds: number): Promise<void>
}

/** A message to the person on call. One per `key` until it is resolved or an hour has passed. */
export interface Alert {
  readonly key: string
  readonly severity: 'warning' | 'critical'
  readonly summary: string
  /** The command that helps. */
  readonly fix: string
  /**
   * The shared cause of several alerts; the first word of the key when absent. Alerts of one cause
   * are bundled.
   */
  readonly group?: string
  /** A message that summarises several causes. */
  readonly digest?: true
  readonly resolved?: true
}

/** Ids and words only: never an address, a name, a secret or a URL. */
export interface LogLine {
  readonly level: 'info' | 'warn' | 'error'
  readonly event: string
  readonly [key: string]: string | number | boolean | undefined
}
