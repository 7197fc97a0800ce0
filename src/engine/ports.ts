import type { Instant } from '../core/instant.ts'
import type { Json, JsonObject, StripeObject } from '../core/json.ts'
import type { Outcome } from '../core/outcome.ts'

/** Parameters of a Stripe request before form encoding. `null` unsets (sent as an empty string). */
export type Params = { readonly [key: string]: Json | undefined }

export interface StripeRequest {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** `/v1/subscriptions/sub_…`, without query; GET parameters go into `params`. */
  readonly path: string
  readonly params?: Params
  /** Only for POST; a POST without one is a bug. */
  readonly idempotencyKey?: string
  /**
   * Asked right before the request leaves, after its wait for a place in the rate limit; throws
   * when it must not leave any more.
   */
  readonly still?: () => Promise<void>
}

/**
 * One Stripe account, proven to be the one the project names (id and mode) before anything else is
 * asked of it.
 */
export interface StripeAccount {
  /** The project's name for it: `target`, `us`, `intl`. */
  readonly name: string
  readonly id: string
  readonly livemode: boolean
  readonly apiVersion: string
  /** Sends once; the caller decides about retries. Waits for its place in the rate limit first. */
  send(request: StripeRequest): Promise<Outcome<StripeObject>>
  /**
   * Every object of a list, 100 a page, `has_more` followed, retried by itself (reads are safe to
   * repeat). Throws `CommandError` when it cannot be read to its end: half a list is never an
   * answer.
   */
  list(path: string, params?: Params): AsyncIterable<StripeObject>
  /** One object, read as patiently as a list. Throws `CommandError` when it cannot be read. */
  retrieve(path: string, params?: Params): Promise<StripeObject>
  /**
   * Stripe's own clock (from its answers' `Date`), so that a wrong clock of this machine moves
   * nobody's money.
   */
  now(): Instant
}

export interface Accounts {
  readonly target: StripeAccount
  /** By name, in the project's order. */
  readonly sources: ReadonlyMap<string, StripeAccount>
}

/** Where long work tells how far it is. */
export interface Progress {
  start(what: string, total?: number): void
  step(count?: number): void
  note(text: string): void
  done(): void
}

/** Set when the user asked to stop (Ctrl-C): work ends after the request in flight. */
export interface Interrupt {
  readonly requested: boolean
}

/** Where a webhook's signing secret goes, once. */
export interface SecretSink {
  write(sink: JsonObject, secret: string): Promise<void>
}

/* ------------------------------------------------------------------ store */

/** What the store knows of one object of the target: address ↔ id. */
export interface ObjectRecord {
  readonly address: string
  readonly account: string
  readonly id: string
  /** Digest of the desired value last applied, when known. */
  readonly applied: string | null
}

/**
 * Where a subscriber stands in the store; `phase` is the hand-over machine's state name, `facts`
 * its remembered values (ids, before-image, instants).
 */
export interface SubscriberRecord {
  /** `us/sub_…` */
  readonly key: string
  readonly phase: string
  readonly facts: JsonObject
  readonly updated: Instant
}

/**
 * One request that was meant: written durably as `started` before it is sent, closed with its
 * outcome after. A `started` entry without outcome is what a crash leaves behind.
 */
export interface JournalEntry {
  readonly id: number
  readonly run: string
  readonly address: string
  readonly step: string
  readonly account: string
  readonly method: string
  readonly path: string
  readonly params: JsonObject
  readonly idempotencyKey: string
  readonly attempt: number
  readonly status: 'started' | 'succeeded' | 'failed' | 'unknown' | 'abandoned'
  /** Id of the object that came back, never the whole object. */
  readonly result: string | null
  readonly failure: JsonObject | null
  readonly startedAt: Instant
  readonly endedAt: Instant | null
}

export interface CopyMapRow {
  readonly source: string
  readonly customerOld: string
  readonly customerNew: string
  /** Empty for a customer without any copied payment method. */
  readonly sourceOld: string
  readonly sourceNew: string
  readonly importedAt: Instant
}

export interface Store {
  /** Changes whenever state is written; a plan is bound to it. */
  version(): Promise<{ lineage: string; serial: number }>
  objects(): Promise<readonly ObjectRecord[]>
  putObjects(records: readonly ObjectRecord[]): Promise<void>
  removeObjects(addresses: readonly string[]): Promise<void>
  subscribers(): Promise<readonly SubscriberRecord[]>
  subscriber(key: string): Promise<SubscriberRecord | undefined>
  putSubscribers(records: readonly SubscriberRecord[]): Promise<void>
  /** Durable before it returns. */
  journalStart(entry: Omit<JournalEntry, 'id' | 'status' | 'result' | 'failure' | 'endedAt'>): Promise<number>
  /** Final once it succeeded or failed; an abandoned entry takes a later, better word. */
  journalEnd(
    id: number,
    outcome: { status: Exclude<JournalEntry['status'], 'started'>; result?: string; failure?: JsonObject; at: Instant },
  ): Promise<void>
  /** Entries still `started` or `unknown`, oldest first; of one address when given. */
  journalOpen(address?: string): Promise<readonly JournalEntry[]>
  journal(filter?: { address?: string; run?: string; limit?: number }): Promise<readonly JournalEntry[]>
  copyMap(source?: string): AsyncIterable<CopyMapRow>
  putCopyMap(rows: readonly CopyMapRow[]): Promise<void>
  /**
   * A lease by name: one holder at a time, across processes, renewed until released; undefined when
   * somebody else holds it. `expired` leases (holder died) are taken over.
   */
  acquire(name: string, holder: string, seconds: number): Promise<Lease | undefined>
  leaseHolder(name: string): Promise<{ holder: string; expires: Instant } | undefined>
  /**
   * Takes the lease away from whoever holds it: for an operator who knows that the holder is gone.
   */
  breakLease(name: string): Promise<void>
  /** Small named values (last run, lineage, cached parse results). */
  get(key: string): Promise<Json | undefined>
  put(key: string, value: Json): Promise<void>
  close(): Promise<void>
}

export interface Lease {
  readonly name: string
  readonly holder: string
  renew(): Promise<boolean>
  /** Whether nobody else has taken it since; like `renew`, without giving it more time. */
  isOurs(): Promise<boolean>
  release(): Promise<void>
}
