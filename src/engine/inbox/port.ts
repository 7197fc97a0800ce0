import type { InboxState } from '../../cancel/machine.ts'
import type { Signal } from '../../cancel/signal.ts'
import type { Instant } from '../../core/instant.ts'
import type { JsonObject } from '../../core/json.ts'
import type { GrantStore } from '../grants.ts'

/** One accepted signal and what became of it. */
export interface InboxRow {
  readonly id: string
  readonly signal: Signal
  readonly now: InboxState
  /**
   * What the worker must remember between tries: invoices whose collection is to be restored, what
   * was cancelled. Ids and instants only.
   */
  readonly facts: JsonObject
  /** Wall-clock instants of the service (Stripe's clock is not involved in waiting). */
  readonly acceptedAt: Instant
  readonly updatedAt: Instant
}

/** What is written about one step of a row, for `inbox show`: when, what, why. */
export interface InboxNote {
  readonly at: Instant
  readonly state: InboxState['state']
  readonly text: string
}

/**
 * The durable inbox. The same store as the rest; several processes may work on it. Every method is
 * durable when it returns, and a row belongs to one worker at a time: a claim is a lease that runs
 * out when its holder dies.
 */
export interface InboxStore extends GrantStore {
  /**
   * Stores a signal unless one of its keys is already there. Many at once are committed together
   * (group commit). `duplicate` names the earlier row.
   */
  accept(entry: {
    readonly keys: readonly string[]
    readonly signal: Signal
    readonly at: Instant
  }): Promise<{ readonly id: string; readonly duplicate: boolean }>
  /**
   * Rows that wait, leased to `holder` until `until`. The lane `fresh` holds what has just arrived,
   * newest first; `old` holds everything that waits (received, due retries, abandoned in the
   * middle), the longest due first. News never stands behind a backlog.
   */
  claim(
    holder: string,
    now: Instant,
    until: Instant,
    which: {
      readonly limit: number
      /** False: only signals that cancel nobody. */
      readonly cancels: boolean
      readonly lane: 'fresh' | 'old'
    },
  ): Promise<readonly InboxRow[]>
  /** Keeps these rows in the hands of `holder` until then; what was lost meanwhile stays lost. */
  renew(holder: string, ids: readonly string[], until: Instant): Promise<void>
  /** Retries that wait for this cause are due now. */
  hasten(cause: string): Promise<void>
  /** Gives these rows back, as far as they are still in the hands of `holder`. */
  release(holder: string, ids: readonly string[]): Promise<void>
  /**
   * False when the lease was lost meanwhile: then nothing was written, and the row is somebody
   * else's.
   */
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
  /** An operator's change, outside any lease; refused (false) while a worker holds the row. */
  change(id: string, change: { readonly now: InboxState; readonly note: InboxNote }): Promise<boolean>
  get(id: string): Promise<{ readonly row: InboxRow; readonly notes: readonly InboxNote[] } | undefined>
  /** The row that one of these keys was accepted as. */
  byKey(keys: readonly string[]): Promise<InboxRow | undefined>
  list(filter: { readonly state?: InboxState['state']; readonly limit: number }): Promise<readonly InboxRow[]>
  /** Rows that name this contact or this customer, newest first. */
  about(
    who: { readonly contact?: string | undefined; readonly customer?: string | undefined },
    limit: number,
  ): Promise<readonly InboxRow[]>
  /**
   * How many rows are in this state for which cause (the code of the reason), with the id of one of
   * each.
   */
  causes(
    state: InboxState['state'],
  ): Promise<readonly { readonly cause: string; readonly rows: number; readonly example: string }[]>
  counts(): Promise<{
    readonly states: Readonly<Record<InboxState['state'], number>>
    readonly oldestPending: Instant | undefined
  }>
  /** For the breaker: cancels done since then, and those that any process has in hand now. */
  cancelsSince(at: Instant, now: Instant): Promise<{ readonly done: number; readonly inHand: number }>
}
