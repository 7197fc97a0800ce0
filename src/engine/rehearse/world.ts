import type { Instant } from '../../core/instant.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Live } from '../../live/accounts.ts'
import type { Context } from '../context.ts'
import type { InboxStore } from '../inbox/port.ts'
import type { Accounts, CopyMapRow } from '../ports.ts'

/** One attempted charge of a simulated world. */
export interface SimulatedCharge {
  readonly account: string
  /**
   * `us/sub_…`, whichever account made it; a charge without a subscription names the customer:
   * `us/cus_…`.
   */
  readonly subscriber: string
  readonly at: Instant
  readonly amount: number
  readonly currency: string
  readonly succeeded: boolean
  /** Of an invoice that a move carried to the target. */
  readonly carried?: true
}

/** A subscriber whom two accounts could have charged at once. */
export interface TwoPayers {
  readonly subscriber: string
  readonly at: Instant
  readonly payers: readonly string[]
}

/** A simulated world, which the command line creates from the sandbox. The engine only plays it. */
export interface RehearsalWorld {
  /**
   * Its accounts, with their own store; the catalog is the project's. A new context after each loss
   * of the store.
   */
  readonly context: Context
  /** Its accounts as members and the comparison see them, even after the program was killed. */
  readonly accounts: Accounts
  /** The cancel service's inbox, in the same store. */
  readonly inbox: InboxStore
  advance(to: Instant): Promise<void>
  /**
   * Stripe's copy of customers and payment methods from one source to the target, as in its mapping
   * file.
   */
  copy(source: string): Promise<readonly Omit<CopyMapRow, 'importedAt'>[]>
  /**
   * What a person does in one account: `{ act: 'cancel', subscription: 'sub_…' }`.
   */
  act(account: string, what: JsonObject): Promise<JsonObject>
  /** The store is lost; an empty one replaces it. */
  loseStore(): Promise<void>
  charges(): Promise<readonly SimulatedCharge[]>
  /** Subscribers who had two payers at any instant between two requests. */
  twoPayers(): readonly TwoPayers[]
  /** Faults injected so far, by kind. */
  faults(): Promise<Readonly<Record<string, number>>>
  close(): Promise<void>
}

/**
 * Builds worlds from the data of the real sources: the same customers and subscriptions, and an
 * empty target.
 */
export interface RehearsalWorlds {
  build(live: Live, options: { readonly seed: number; readonly faults: boolean }): Promise<RehearsalWorld>
}
