import type { Access } from '../../catalog/schemas/access.ts'
import type { Catalog } from '../../catalog/types.ts'
import type { Instant } from '../../core/instant.ts'
import type { Outcome } from '../../core/outcome.ts'
import type { KajabiSite, OfferUrls } from '../kajabi-port.ts'
import type { Patience } from '../send/perform.ts'
import type { Accounts, Interrupt, Store } from '../ports.ts'
import type { InboxStore } from './port.ts'

/** What the cancel service works with. */
export interface InboxContext {
  readonly accounts: Accounts
  readonly store: Store
  readonly inbox: InboxStore
  /** Absent for a site without API: then only signals that need no reading back can act. */
  readonly kajabi: KajabiSite | undefined
  readonly access: Access
  /**
   * Old ids → keys of the catalog, by account: a price is known by its identity, never by a name.
   */
  readonly mappings: Catalog['mappings']
  /** For offers that are given by their activation and deactivation URLs. */
  readonly urls?: OfferUrls
  /**
   * Hands a signed cancel link for this subscription to whoever mails it. `id` makes the link and
   * the request to mail it one and the same when they are tried again. Absent when the project
   * names no mailer.
   */
  readonly mailLink?: (link: {
    readonly email: string
    readonly subscriber: string
    readonly offer: string
    readonly id: string
  }) => Promise<Outcome<true>>
  readonly policy: {
    readonly cancel: 'now' | 'period_end'
    /** Cancels an hour above which the breaker opens. */
    readonly cancelsPerHour: number
    /** Seconds between the two reads that must agree before a missing offer counts. */
    readonly secondLookSeconds: number
  }
  /**
   * Whether an account has stopped answering: then nothing is taken in hand for it. Absent where
   * every request is simply tried.
   */
  readonly isAway?: (account: string) => boolean
  /**
   * How often a request is repeated while its row waits in hand; the inbox has retries of its own,
   * which keep no hand busy.
   */
  readonly patience?: Patience
  readonly alert: (alert: Alert) => void
  readonly log: (line: LogLine) => void
  /** Holder of leases: unique to this process. */
  readonly run: string
  readonly interrupt: Interrupt
  /**
   * Stripe's clock as it runs on between answers: wishes are dated by it, as grants and
   * subscriptions are.
   */
  clock(): Instant
  /** In [0, 1). */
  random(): number
  wait(seconds: number): Promise<void>
}

/** Somebody has to look. One per `key` until it is resolved or an hour has passed. */
export interface Alert {
  readonly key: string
  readonly severity: 'warning' | 'critical'
  readonly summary: string
  /** The command that helps. */
  readonly fix: string
  /**
   * The cause that this is one case of; the first word of the key when absent. Cases of one cause
   * are bundled.
   */
  readonly group?: string
  /** News of several causes in one message. */
  readonly digest?: true
  readonly resolved?: true
}

/** Ids and words only: never an address, a name, a secret or a URL. */
export interface LogLine {
  readonly level: 'info' | 'warn' | 'error'
  readonly event: string
  readonly [key: string]: string | number | boolean | undefined
}
