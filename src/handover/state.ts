import type { AlarmCode } from './codes.ts'
import type { Goal, Reason } from './types.ts'

/**
 * The states of the hand-over machine (`machine.ts`); `event-types.ts` has its commands and events.
 *
 * The engine drives it: `command(state)` gives the next command. The engine turns the answer into
 * an event, and `next(state, event)` gives the new state, which is stored before the next command.
 * The loop ends at a rest. A run that stopped anywhere resumes with the event `interrupted`.
 */
export type Phase = Rest | ReadingPhase | SendingPhase

/**
 * No further step now. `doubtful` waits for a positive read or for a person and always carries an
 * alarm.
 */
export type Rest = 'source' | 'moved' | 'settled' | 'ended' | 'doubtful'

/** Phases that read before they decide. */
export type ReadingPhase = 'reading' | 'previewing' | 'proving' | 'recovering' | 'reading_invoice' | 'checking_gap'

/** Phases in which one request is sent. */
export type SendingPhase =
  // move
  | 'carrying'
  | 'holding'
  | 'creating'
  | 'pausing'
  | 'scheduling'
  | 'money'
  | 'keeping'
  // undo and revert
  | 'closing'
  | 'reholding'
  | 'stopping_invoice'
  | 'finalizing_invoice'
  | 'voiding_invoice'
  | 'refunding'
  | 'releasing_new'
  | 'cancelling_new'
  | 'money_back'
  | 'restoring_old'
  | 'advancing_draft'
  | 'billing_gap'
  | 'accounting'
  // settle
  | 'releasing_schedule'
  | 'cancelling_old'
  // both
  | 'restoring_collection'

/** Phases whose request follows from the plan and the state alone. */
export type RequestPhase = Exclude<SendingPhase, 'restoring_collection'>

/** The number of requests in each list of the plan. */
export type Lists = {
  readonly carry: number
  /** The customer's money: carried by a move, carried back by a revert. */
  readonly money: number
  /** The source's own pause is copied to the successor. */
  readonly pause: boolean
  /**
   * The remaining phases of the source's schedule get a schedule in the target: one request creates
   * it, one fills it.
   */
  readonly schedule: boolean
}

/**
 * An invoice of the old subscription that our hold kept back: a renewal that was not charged.
 * Amounts in minor units.
 */
export type KeptBack = {
  readonly invoice: string
  /** Creation time, unix seconds. */
  readonly at: number
  readonly amount: number
  readonly currency: string
  /** The target charged the renewal; only items of the old account were on this invoice. */
  readonly itemsOnly: boolean
  /** Items on the target's renewal, which a revert voided: they are billed with the period. */
  readonly more?: readonly TakenLine[]
}

/** A line of a voided invoice of the target. Amounts in minor units, discounts deducted. */
export type TakenLine = {
  readonly amount: number
  /** The tax that came on top. */
  readonly added: number
  readonly start: number
  readonly end: number
  /** Tax rates of the target. */
  readonly rates: readonly string[]
}

/** What every state has. */
type Facts = {
  /** `undo` is a move that is undone before its proof. */
  readonly goal: Goal | 'undo'
  readonly lists: Lists
  readonly successor: string | null
  /**
   * The hold that this hand-over uses, as the old subscription numbers its holds and releases; null
   * until it was read. Keys derive from it.
   */
  readonly generation: number | null
  /** How many numbers after `generation` were used up without the intended effect. */
  readonly skips: number
  /** A creation of this hold ended without a known outcome since the run began. */
  readonly unsure: boolean
  /** Stripe refused the creation of this hold, so its key created nothing. */
  readonly refused: boolean
  /** The key of this hold's creation was used for something other than this run's creation. */
  readonly foreign: boolean
  /**
   * The key of this hold's creation: `shut` before any creation used it, or `used` by a creation.
   * Null while it can still be used.
   */
  readonly closed: 'shut' | 'used' | null
  /**
   * The proof is done and the customer's money has begun to move: from here, a move continues and
   * is not undone.
   */
  readonly proven: boolean
  /** The request that completes the hold only got the answer to an earlier one. */
  readonly replayed: boolean
  /** How many requests of the current list are done. */
  readonly done: number
  /** Passes through `recovering` since the run began. Too many end in `doubtful`. */
  readonly rounds: number
  /** Why it stopped, was undone, or waits. */
  readonly reason: Reason | null
  /**
   * Proven, but Stripe could not set up the payment method: the next renewal will probably fail.
   */
  readonly setup: Reason | null
  /** The code of an alert: a person must look. */
  readonly alarm: AlarmCode | null
  /**
   * The last invoice that this hand-over worked on: the target's that a revert stops and voids, the
   * source's that bills a gap, or one that is carried.
   */
  readonly invoice: string | null
  /**
   * The creation charged the customer unexpectedly: the undo refunds the charge, and the whole run
   * stops.
   */
  readonly charged: boolean
  /**
   * Every period that the hold kept back and neither account had charged: billed by this hand-over,
   * or left as the project's policy says.
   */
  readonly accounted: readonly (KeptBack & { readonly outcome: 'billed' | 'left' })[]
  /** The current schedule: the one created in the target, or the one to release before a cancel. */
  readonly schedule: string | null
  /** Stopped invoices whose collection Stripe refused to restore since the run began. */
  readonly uncollected: readonly string[]
}

/** An invoice whose collection our cancel of one side stopped, as the marks on it show. */
export type Stopped = {
  readonly side: 'old' | 'new'
  readonly invoice: string
  /** The subscription that was cancelled. */
  readonly cancelled: string
}

/** What a phase has beside the facts; phases that are not listed have the facts alone. */
export type PhaseFields = {
  readonly pausing: WithSuccessor
  readonly scheduling: WithSuccessor
  readonly proving: WithSuccessor
  readonly money: WithSuccessor
  readonly keeping: WithSuccessor
  readonly reholding: WithSuccessor
  readonly reading_invoice: WithSuccessor
  readonly stopping_invoice: WithSuccessor & StoppedInvoice
  readonly finalizing_invoice: WithSuccessor & StoppedInvoice
  readonly voiding_invoice: WithSuccessor & StoppedInvoice
  readonly refunding: WithSuccessor & {
    readonly invoice: string
    /** The payment of that invoice. */
    readonly payment: string
  }
  readonly releasing_new: WithSuccessor & WithSchedule
  readonly cancelling_new: WithSuccessor
  readonly releasing_schedule: WithSuccessor & WithSchedule
  readonly cancelling_old: WithSuccessor
  readonly advancing_draft: WithPeriod & { readonly invoice: string }
  readonly billing_gap: WithPeriod & {
    /** The number of requests that bill the gap. */
    readonly gap: number
  }
  readonly restoring_collection: {
    /** Never empty. */
    readonly stopped: readonly Stopped[]
  }
}
/** Phases that stop an invoice of the target: draft, open, void. */
export type InvoicePhase = 'stopping_invoice' | 'finalizing_invoice' | 'voiding_invoice'

type WithSuccessor = { readonly successor: string }
type StoppedInvoice = { readonly invoice: string; readonly invoiceSight: 'draft' | 'open' }
type WithSchedule = { readonly schedule: string }
/** The period that is being billed. */
type WithPeriod = { readonly period: KeptBack }

export type StateIn<P extends Phase> = P extends Phase
  ? Facts & { readonly phase: P } & (P extends keyof PhaseFields ? PhaseFields[P] : unknown)
  : never

/**
 * JSON: stored as `facts`. A phase has the fields that its command needs, so a state that could not
 * send its request does not compile.
 */
export type HandoverState = StateIn<Phase>

/** Fields that belong to some phases only, and these phases. */
const ownFields = {
  invoiceSight: ['stopping_invoice', 'finalizing_invoice', 'voiding_invoice'],
  payment: ['refunding'],
  period: ['advancing_draft', 'billing_gap'],
  gap: ['billing_gap'],
  stopped: ['restoring_collection'],
} as const satisfies { readonly [field: string]: readonly (keyof PhaseFields)[] }

/** The state without what an earlier phase left behind. */
export function trimmed(state: HandoverState): HandoverState {
  const strange = Object.entries(ownFields).flatMap(([field, phases]) =>
    field in state && !(phases as readonly Phase[]).includes(state.phase) ? [field] : [],
  )
  if (strange.length === 0) return state
  return Object.fromEntries(Object.entries(state).filter(([field]) => !strange.includes(field))) as HandoverState
}

const rests: readonly string[] = ['source', 'moved', 'settled', 'ended', 'doubtful'] satisfies Rest[]

export function isRest(phase: string): phase is Rest {
  return rests.includes(phase)
}

/** The state of a subscriber without history. */
export const atSource: StateIn<'source'> = {
  phase: 'source',
  goal: 'move',
  lists: { carry: 0, money: 0, pause: false, schedule: false },
  successor: null,
  generation: null,
  skips: 0,
  unsure: false,
  refused: false,
  foreign: false,
  closed: null,
  proven: false,
  replayed: false,
  done: 0,
  rounds: 0,
  reason: null,
  setup: null,
  alarm: null,
  invoice: null,
  charged: false,
  accounted: [],
  schedule: null,
  uncollected: [],
}
