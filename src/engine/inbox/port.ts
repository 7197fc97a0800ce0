import type { InboxState } from '../../cancel/machine.ts'
import type { Signal } from '../../cancel/signal.ts'
import type { Instant } from '../../core/instant.ts'
import type { JsonObject } from '../../core/json.ts'
import type { GrantStore } from '../grants.ts'

/** One accepted signal and its outcome. */
export interface InboxRow {
  readonly id: string
  readonly signal: Signal
  readonly now: InboxState
  /**
   * What the worker must remember between tries: invoices whose collection must be restored, and
   * cancelled subscriptions. Ids and instants only.
   */
  readonly facts: JsonObject
  /** The service's wall clock; Stripe's clock plays no part in waiting. */
  readonly acceptedAt: Instant
  readonly updatedAt: Instant
}

/** A record of one step of a row, for `inbox show`: when, what and why. */
export interface InboxNote {
  readonly at: Instant
  readonly state: InboxState['state']
  readonly text: string
}

/**
 * The durable inbox, in the same store as the rest. Several processes may work on it. Every method
 * is durable when it returns. A row belongs to one worker at a time: a claim is a lease that
 * expires when its holder dies.
 */
export interface InboxStore extends GrantStore {
  /**
   * Stores a signal unless one of its keys is already there. Concurrent calls are committed
   * together (group commit). `duplicate` names the earlier row.
   */
  accept(entry: {
    readonly keys: readonly string[]
    readonly signal: Signal
    readonly at: Instant
  }): Promise<{ readonly id: string; readonly duplicate: boolean }>
  /**
   * Leases waiting rows to `holder` until `until`. The lane `fresh` holds new arrivals, newest
   * first. The lane `old` holds everything that waits (received, due retries, abandoned midway),
   * longest due first. A new arrival never queues behind a backlog.
   */
  claim(
    holder: string,
    now: Instant,
    until: Instant,
    which: {
      readonly limit: number
      /** False: only signals that cancel nothing. */
      readonly cancels: boolean
      readonly lane: 'fresh' | 'old'
    },
  ): Promise<readonly InboxRow[]>
  /** Extends the leases of `holder` on these rows. A lease that was lost stays lost. */
  renew(holder: string, ids: readonly string[], until: Instant): Promise<void>
  /** Makes retries that wait for this cause due now. */
  hasten(cause: string): Promise<void>
  /**
   * Removes up to `limit` signals that are done or ignored and have not changed since `before`,
   * with everything about them. Returns how many it removed.
   */
  archive(before: Instant, limit: number): Promise<number>
  /** Releases those of these rows that `holder` still has. */
  release(holder: string, ids: readonly string[]): Promise<void>
  /** False when the lease was lost: nothing was written, and another worker has the row. */
  save(
    id: string,
    holder: string,
    change: {
      readonly now: InboxState
      readonly facts: JsonObject
      readonly note: InboxNote
      readonly release: boolean
    },
  ): Promise<boolean>
  /** An operator's change, outside any lease. Refused (false) while a worker holds the row. */
  change(id: string, change: { readonly now: InboxState; readonly note: InboxNote }): Promise<boolean>
  get(id: string): Promise<{ readonly row: InboxRow; readonly notes: readonly InboxNote[] } | undefined>
  /** The row that was accepted with one of these keys. */
  byKey(keys: readonly string[]): Promise<InboxRow | undefined>
  list(filter: { readonly state?: InboxState['state']; readonly limit: number }): Promise<readonly InboxRow[]>
  /** Rows that name this contact or this customer, newest first. */
  about(
    who: { readonly contact?: string | undefined; readonly customer?: string | undefined },
    limit: number,
  ): Promise<readonly InboxRow[]>
  /**
   * Rows that name this subscriber, or that were found to mean them, newest first. For one person's
   * question: it reads every row.
   */
  naming(subscriber: string, limit: number): Promise<readonly InboxRow[]>
  /**
   * Counts the rows in this state by cause (the code of the reason), with the id of one of each.
   */
  causes(
    state: InboxState['state'],
  ): Promise<readonly { readonly cause: string; readonly rows: number; readonly example: string }[]>
  counts(): Promise<{
    readonly states: Readonly<Record<InboxState['state'], number>>
    readonly oldestPending: Instant | undefined
  }>
  /** For the breaker: the cancels done since `at`, and those in progress in any process. */
  cancelsSince(at: Instant, now: Instant): Promise<{ readonly done: number; readonly inHand: number }>
}
