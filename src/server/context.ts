import type { KnownAccess } from '../catalog/access-read.ts'
import type { JsonObject } from '../core/json.ts'
import type { Instant } from '../core/instant.ts'
import type { Outcome } from '../core/outcome.ts'
import type { CardOwner } from '../engine/cards/context.ts'
import type { Opened } from '../engine/cards/session.ts'
import type { CardState } from '../engine/cards/state.ts'
import type { Accepted } from '../engine/inbox/accept.ts'
import type { Alert, LogLine } from '../engine/inbox/context.ts'
import type { Ending } from '../engine/inbox/ending.ts'
import type { Pressed } from '../engine/inbox/pressed.ts'
import type { ServiceStatus } from '../engine/inbox/status.ts'
import type { Signal } from '../cancel/signal.ts'
import type { Metrics } from './metrics.ts'
import type { School } from './page.ts'

/** What the listeners work with. They store signals and show state; they never cancel. */
export interface ServerContext {
  /** As `crossbill --version` prints it. */
  readonly version: string
  readonly access: KnownAccess
  readonly secrets: ServerSecrets
  readonly metrics: Metrics
  /** Accounts that may send webhooks, `target` among them. */
  readonly accounts: readonly string[]
  /** Resolves when the signal is durable; rejects when the store cannot be written. */
  accept(signal: Signal): Promise<Accepted>
  /** Wakes the worker because a signal waits. */
  wake(): void
  /** The snapshot of an event, by its id: thin events name it. One attempt. */
  eventOf(account: string, id: string): Promise<Outcome<JsonObject>>
  /** What a member's cancel would end, for the page that asks for confirmation. */
  describe(subscriber: string): Promise<Outcome<Ending>>
  /**
   * The state of the request that the link with this id made; `no` before its button is pressed.
   */
  pressed(link: string): Promise<Pressed>
  /** Members' card pages; absent when the project has no public address. */
  readonly cards?: CardDoor
  /** The school that the member's pages name. */
  readonly school: School
  /** Whether the store can be written and its tables belong to this version. */
  ready(): Promise<boolean>
  status(): Promise<ServiceStatus>
  alert(alert: Alert): void
  log(line: LogLine): void
  /** Stripe's clock: links expire by it. */
  clock(): Instant
  /** This machine's clock: relays sign by their machine's clock. */
  machineClock(): Instant
  /** The clock by which this account signs its webhooks; simulated in a sandbox. */
  stripeClock(account: string): Instant
}

/** What a member's card page does in Stripe. */
interface CardDoor {
  /** The state of a link; finishes what its member did on Stripe's page. */
  state(owner: CardOwner): Promise<Outcome<CardState>>
  /** Opens Stripe's page, or returns the one that is open. `token`: the link, to return to. */
  open(owner: CardOwner, token: string): Promise<Outcome<Opened>>
  /** Milliseconds that a member waits for Stripe; eight seconds when absent. */
  readonly patience?: number
}

/** Resolved secrets. During a rotation a list holds the current secret first, then the previous. */
export interface ServerSecrets {
  readonly hooks: readonly string[]
  readonly relays: readonly string[]
  readonly links: readonly string[]
  readonly stripe: ReadonlyMap<string, readonly string[]>
}
