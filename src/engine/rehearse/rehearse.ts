import { instant, secondsPerDay, type Instant } from '../../core/instant.ts'
import type { Live } from '../../live/accounts.ts'
import { CommandError } from '../../core/outcome.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Context } from '../context.ts'
import type { InboxStore } from '../inbox/port.ts'
import type { Accounts, CopyMapRow } from '../ports.ts'
import { refresh } from '../read/refresh.ts'
import { migrate } from './migration.ts'
import { rehearsalReport } from './outcome.ts'
import type { RehearsalReport } from './report.ts'

/** One attempted charge of a simulated world. */
export interface SimulatedCharge {
  readonly account: string
  /** `us/sub_…`, wherever it was made; a charge without subscription names the customer: `us/cus_…`. */
  readonly subscriber: string
  readonly at: Instant
  readonly amount: number
  readonly currency: string
  readonly succeeded: boolean
}

/** Somebody whom two accounts could have charged at once. */
export interface TwoPayers {
  readonly subscriber: string
  readonly at: Instant
  readonly payers: readonly string[]
}

/** A simulated world, made by the command line from the sandbox. The engine only plays it. */
export interface RehearsalWorld {
  /** Its accounts, with a store of its own; the catalog is the project's. A new one whenever the store was lost. */
  readonly context: Context
  /** Its accounts as members and the judge look at them, whatever becomes of the program. */
  readonly accounts: Accounts
  /** The cancel service's, in the same store. */
  readonly inbox: InboxStore
  advance(to: Instant): Promise<void>
  /** Stripe's copy of customers and payment methods from one source to the target, as its mapping file says. */
  copy(source: string): Promise<readonly Omit<CopyMapRow, 'importedAt'>[]>
  /** What somebody does by themselves in one account: `{ act: 'cancel', subscription: 'sub_…' }`. */
  act(account: string, what: JsonObject): Promise<JsonObject>
  /** The store is gone; an empty one takes its place. */
  loseStore(): Promise<void>
  charges(): Promise<readonly SimulatedCharge[]>
  /** Everybody who had two payers at some instant between two requests. */
  twoPayers(): readonly TwoPayers[]
  /** Faults injected so far, by kind. */
  faults(): Promise<Readonly<Record<string, number>>>
  close(): Promise<void>
}

/** Builds worlds out of what was read from the real sources: same customers, same subscriptions, an empty target. */
export interface RehearsalWorlds {
  build(live: Live, options: { readonly seed: number; readonly faults: boolean }): Promise<RehearsalWorld>
}

export interface RehearseOptions {
  readonly months: number
  /** Kills at journal boundaries, lost stores, faults of the outside, and members who act on their own. */
  readonly faults: boolean
  readonly seed: number
  readonly worlds: RehearsalWorlds
}

const daysPerMonth = 30.436875

/**
 * Plays the whole migration in two worlds built from the live sources, one in which nobody migrates and one in which the waves of the subscriber files are
 * moved and settled week after week, and compares every charge. Touches no account: the sources are only read.
 */
export async function rehearse(context: Context, options: RehearseOptions): Promise<RehearsalReport> {
  if (context.catalog.subscribers.length === 0)
    throw new CommandError('nobody_to_rehearse', 'the catalog declares no subscribers: there is nobody to move', {
      notDone: 'no account was read',
      fix: 'crossbill pull',
    })
  const live = await refresh(context)
  const { worlds, seed, months } = options
  const stay = await worlds.build(live, { seed, faults: false })
  try {
    const move = await worlds.build(live, { seed, faults: options.faults })
    try {
      const began = stay.context.accounts.target.now()
      const ended = instant(began + Math.round(months * daysPerMonth) * secondsPerDay)
      context.progress.start('playing the months', Math.ceil((ended - began) / secondsPerDay / 7))
      const migration = await migrate(context, { stay, move }, { began, ended, seed, faults: options.faults })
      context.progress.done()
      return await rehearsalReport(context, { stay, move, migration, began, ended, seed, months })
    } finally {
      await move.close()
    }
  } finally {
    await stay.close()
  }
}
