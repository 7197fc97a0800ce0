import type { Access } from '../catalog/schemas/access.ts'
import type { Instant } from '../core/instant.ts'
import type { Outcome } from '../core/outcome.ts'
import type { Accepted } from '../engine/inbox/accept.ts'
import type { Alert, LogLine } from '../engine/inbox/context.ts'
import type { Ending } from '../engine/inbox/ending.ts'
import type { Pressed } from '../engine/inbox/pressed.ts'
import type { ServiceStatus } from '../engine/inbox/status.ts'
import type { Signal } from '../cancel/signal.ts'
import type { Metrics } from './metrics.ts'
import type { School } from './page.ts'

/** What the listeners work with. They accept and show; they never cancel anything themselves. */
export interface ServerContext {
  readonly access: Access
  readonly secrets: ServerSecrets
  readonly metrics: Metrics
  /** Accounts that may send webhooks, `target` among them. */
  readonly accounts: readonly string[]
  /** Durable when it returns; rejects when the store cannot be written. */
  accept(signal: Signal): Promise<Accepted>
  /** Wakes the worker: something waits. */
  wake(): void
  /** What a member's cancel would end; for the page that asks once more. */
  describe(subscriber: string): Promise<Outcome<Ending>>
  /**
   * What became of the wish that this link, by its id, has brought; `no` while nobody has pressed
   * it.
   */
  pressed(link: string): Promise<Pressed>
  /** Whose pages these are. */
  readonly school: School
  /** The store can be written, its tables are this version's. */
  ready(): Promise<boolean>
  status(): Promise<ServiceStatus>
  alert(alert: Alert): void
  log(line: LogLine): void
  /** Stripe's clock, by which links expire. */
  clock(): Instant
  /** The clock by which relays sign: every machine's own. */
  machineClock(): Instant
  /** The clock by which this account signs its webhooks: simulated in a sandbox. */
  stripeClock(account: string): Instant
}

/** Resolved secrets, current ones first; lists hold the previous one during a rotation. */
export interface ServerSecrets {
  readonly hooks: readonly string[]
  readonly relays: readonly string[]
  readonly links: readonly string[]
  readonly stripe: ReadonlyMap<string, string>
}
