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
  /** Only for POST; a POST without a key is a bug. */
  readonly idempotencyKey?: string
  /**
   * Called right before the request is sent, after its wait for the rate limit; throws when it must
   * not be sent any more.
   */
  readonly still?: () => Promise<void>
}

/**
 * One Stripe account. Before anything else, it is proven to be the account that the project names
 * (id and mode).
 */
export interface StripeAccount {
  /** The project's name for it: `target`, `us`, `intl`. */
  readonly name: string
  readonly id: string
  readonly livemode: boolean
  readonly apiVersion: string
  /** Waits for the rate limit, then sends once; the caller decides about retries. */
  send(request: StripeRequest): Promise<Outcome<StripeObject>>
  /**
   * Every object of a list: 100 a page, all pages, with retries (reads are safe to repeat). Throws
   * `CommandError` when the list cannot be read to its end: an incomplete list is never an answer.
   */
  list(path: string, params?: Params): AsyncIterable<StripeObject>
  /** One object, with the same retries as a list. Throws `CommandError` when it cannot be read. */
  retrieve(path: string, params?: Params): Promise<StripeObject>
  /** One object, with the same retries; for a caller that decides by why it cannot be read. */
  look(path: string, params?: Params): Promise<Outcome<StripeObject>>
  /**
   * Stripe's clock (from the `Date` of its answers), so that a wrong local clock cannot affect
   * charges.
   */
  now(): Instant
  /**
   * Stripe's time at this moment, to decide how old a reading is: asks Stripe when no answer has
   * come for a while.
   */
  present(): Promise<Instant>
}

export interface Accounts {
  readonly target: StripeAccount
  /** By name, in the project's order. */
  readonly sources: ReadonlyMap<string, StripeAccount>
}

/** Where long work reports its progress. */
export interface Progress {
  start(what: string, total?: number): void
  step(count?: number): void
  note(text: string): void
  done(): void
}

/** Set when the user asks to stop (Ctrl-C): work ends after the request in flight. */
export interface Interrupt {
  readonly requested: boolean
}

/** Where a webhook's signing secret is stored once. */
export interface SecretSink {
  write(sink: JsonObject, secret: string): Promise<void>
  /**
   * Copies the stored secret beside itself, before a rotation overwrites it, and names the copy.
   * Undefined where the sink cannot be read or has no secret. A simulation stores no secret.
   */
  keepPrevious?(sink: JsonObject): Promise<string | undefined>
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
 * A subscriber's record in the store; `phase` is the hand-over machine's state name, `facts` its
 * stored values (ids, before-image, instants).
 */
export interface SubscriberRecord {
  /** `us/sub_…` */
  readonly key: string
  readonly phase: string
  readonly facts: JsonObject
  readonly updated: Instant
}

/**
 * One intended request: stored durably as `started` before it is sent, closed with its outcome
 * afterwards. A crash leaves a `started` entry without an outcome.
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
  /** The id of the returned object, never the whole object. */
  readonly result: string | null
  readonly failure: JsonObject | null
  /** Stripe's id of the request; null without an answer, and in entries of earlier versions. */
  readonly requestId: string | null
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
  /** Changes with every write of state; a plan is bound to it. */
  version(): Promise<{ lineage: string; serial: number }>
  objects(): Promise<readonly ObjectRecord[]>
  putObjects(records: readonly ObjectRecord[]): Promise<void>
  removeObjects(addresses: readonly string[]): Promise<void>
  subscribers(): Promise<readonly SubscriberRecord[]>
  subscriber(key: string): Promise<SubscriberRecord | undefined>
  putSubscribers(records: readonly SubscriberRecord[]): Promise<void>
  /** Durable before it returns. */
  journalStart(
    entry: Omit<JournalEntry, 'id' | 'status' | 'result' | 'failure' | 'requestId' | 'endedAt'>,
  ): Promise<number>
  /** Final after success or failure; an abandoned entry accepts a later outcome. */
  journalEnd(
    id: number,
    outcome: {
      status: Exclude<JournalEntry['status'], 'started'>
      result?: string
      failure?: JsonObject
      requestId?: string
      at: Instant
    },
  ): Promise<void>
  /** Entries still `started` or `unknown`, oldest first; of one address when given. */
  journalOpen(address?: string): Promise<readonly JournalEntry[]>
  journal(filter?: { address?: string; run?: string; limit?: number }): Promise<readonly JournalEntry[]>
  copyMap(source?: string): AsyncIterable<CopyMapRow>
  putCopyMap(rows: readonly CopyMapRow[]): Promise<void>
  /**
   * A lease by name: one holder at a time, across processes, renewed until released; undefined when
   * another process holds it. An expired lease, whose holder died, is taken over.
   */
  acquire(name: string, holder: string, seconds: number): Promise<Lease | undefined>
  leaseHolder(name: string): Promise<{ holder: string; expires: Instant } | undefined>
  /** Removes the lease from its holder: for an operator who knows that the holder is dead. */
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
  /** Whether this holder still has it; like `renew`, but without extending it. */
  isOurs(): Promise<boolean>
  release(): Promise<void>
}
