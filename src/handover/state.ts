import type { InvoiceSight, NewSight, OldSight } from '../live/sights.ts'
import type { AlarmCode } from './codes.ts'
import type { Goal, Reason } from './types.ts'

/**
 * The words of the hand-over machine (`machine.ts`): its states, what it asks to be done, and what
 * it is told.
 *
 * The engine drives it: `command(state)` says what to do; the answer, interpreted, becomes an
 * event; `next(state, event)` gives the new state, which is stored before the next command. At a
 * rest the loop ends. A run that stops anywhere is taken up again with the event `interrupted`.
 */
export type Phase = Rest | ReadingPhase | SendingPhase

/**
 * Nothing more to do now. `doubtful` waits for a positive read or for a person and always carries
 * an alarm.
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
  // settle
  | 'releasing_schedule'
  | 'cancelling_old'
  | 'restoring_collection'

/** How many requests the plan holds for the lists of a hand-over. */
export type Lists = {
  readonly carry: number
  /** Money of the customer: carried by a move, carried back by a revert. */
  readonly money: number
  /** The source's own pause is copied to the successor. */
  readonly pause: boolean
  /**
   * Remaining phases of the source's schedule get a schedule in the target: one request makes it,
   * one fills it.
   */
  readonly schedule: boolean
}

/**
 * An invoice of the old subscription that our hold kept back: a renewal that it did not charge.
 * Amounts in minor units.
 */
export type KeptBack = {
  readonly invoice: string
  /** When it was made, unix seconds. */
  readonly at: number
  readonly amount: number
  readonly currency: string
  /** The target charged the renewal; only items of the old account went with the invoice. */
  readonly itemsOnly: boolean
}

/** JSON: kept as `facts` in the store. */
export type HandoverState = {
  readonly phase: Phase
  /** `undo` is a move that is being taken back before it was proven. */
  readonly goal: Goal | 'undo'
  readonly lists: Lists
  readonly successor: string | null
  /**
   * Which hold of this subscriber the hand-over is about, as the old subscription counts its holds
   * and releases; null until it has been read. Keys derive from it.
   */
  readonly generation: number | null
  /** Numbers after it whose keys were used up without the wanted effect. */
  readonly skips: number
  /** A creation of this hold ended without a known outcome since the run began. */
  readonly unsure: boolean
  /** Stripe refused the creation of this hold, so that nothing was made under its key. */
  readonly refused: boolean
  /** The key of this hold's creation was used for something else than this run's creation. */
  readonly foreign: boolean
  /**
   * The key of this hold's creation: `shut` before any creation used it, or `used` by a creation.
   * Null while it may still be used.
   */
  readonly closed: 'shut' | 'used' | null
  /**
   * The proof is behind it, and money of the customer has begun to move: from here a move goes on
   * and is not taken back.
   */
  readonly proven: boolean
  /** How many requests of the list in hand are done. */
  readonly done: number
  /** Passes through `recovering` since the run began; too many end in `doubtful`. */
  readonly rounds: number
  /** Why it stopped, was undone, or waits. */
  readonly reason: Reason | null
  /** Somebody has to look; code of the alert. */
  readonly alarm: AlarmCode | null
  /**
   * The invoice in hand: the target's that a revert stops and voids, or the source's that bills a
   * gap.
   */
  readonly invoice: string | null
  readonly invoiceSight: InvoiceSight | null
  /** The payment of that invoice, for a refund. */
  readonly payment: string | null
  /**
   * The creation took money against all expectation: the undo refunds it, and the whole run stops.
   */
  readonly charged: boolean
  /** Requests that bill the gap. */
  readonly gap: number
  /** The period in hand, while it is billed. */
  readonly period: KeptBack | null
  /**
   * Every period that the hold kept back and neither side had charged: billed by this hand-over, or
   * left as the project says.
   */
  readonly accounted: readonly (KeptBack & { readonly outcome: 'billed' | 'left' })[]
  /**
   * The schedule in hand: the one made in the target, or the one that is released before a cancel.
   */
  readonly schedule: string | null
  /**
   * Open invoices of other subscriptions of the customer in the source, whose collection is
   * restored after settling.
   */
  readonly collect: readonly string[]
}

export type Command =
  | { readonly do: 'rest' }
  /** GET the old subscription; answer with `old_read`. */
  | { readonly do: 'read_old' }
  /** createPreview on both sides; answer with `previewed`. */
  | { readonly do: 'preview' }
  /** Send the request that `requestFor(state, …)` gives; answer with `sent`. */
  | { readonly do: 'send'; readonly phase: SendingPhase }
  /** Compare a fresh read of the successor and of the old one; answer with `proved`. */
  | { readonly do: 'prove' }
  /**
   * GET the old subscription and list the target's by mark with `status: all`; answer with
   * `both_read`.
   */
  | { readonly do: 'read_both' }
  /** The successor's newest invoice with its payments; answer with `invoice_read`. */
  | { readonly do: 'read_invoice' }
  /** The oldest period that neither side charged; answer with `gap_read`. */
  | { readonly do: 'read_gap' }

export type HandoverEvent =
  | {
      readonly type: 'begin'
      readonly goal: Goal | 'undo'
      readonly lists: Lists
      readonly successor: string | null
    }
  /** The run stopped or crashed here. */
  | { readonly type: 'interrupted' }
  /** `reason` says why the old one is not as planned (changed, renews soon); null when it is. */
  | {
      readonly type: 'old_read'
      readonly sight: OldSight
      readonly reason: Reason | null
      readonly generation: number | null
    }
  | { readonly type: 'previewed'; readonly reason: Reason | null }
  | {
      readonly type: 'sent'
      /**
       * `refused`: understood and not done. `contended`: not done, because another run sent a
       * different request at the same point. `too_late`: not sent, T is inside the guard window.
       * `unknown`: may have been done.
       */
      readonly result: 'done' | 'refused' | 'contended' | 'too_late' | 'unknown'
      /** Id of the object in the answer. */
      readonly id: string | null
      /** For `done`: the answer is not what was expected. Otherwise why not. */
      readonly reason: Reason | null
      /**
       * For `unknown`: the key is used up, so that the request is not executed from now on. What is
       * there now shows whether it was.
       */
      readonly spent?: true
      /**
       * Requests of the list after this one that fall away with it: there is nothing left to carry.
       */
      readonly moot?: number
    }
  | {
      readonly type: 'proved'
      readonly result: 'ok' | 'differs' | 'charged' | 'unsure'
      readonly reason: Reason | null
      /** The invoice that took money, for `charged`. */
      readonly invoice: string | null
    }
  | {
      readonly type: 'both_read'
      readonly old: OldSight
      readonly new: NewSight
      readonly successor: string | null
      /** Whether a creation may still be tried: T is ahead and outside the guard window. */
      readonly time: 'before' | 'too_late'
      readonly schedule: string | null
      /** A schedule of the successor. */
      readonly newSchedule: string | null
      readonly collect: readonly string[]
      /**
       * The held old one was changed there since, and nobody said that the new one was changed like
       * it.
       */
      readonly drifted: boolean
      /** Anything else that happened to it there and would be lost by a settle. */
      readonly lost: Reason | null
      /**
       * The number of holds and releases that the old subscription has had; null when it could not
       * be read.
       */
      readonly generation: number | null
      /** A successor was made since the present hold, whatever became of it. */
      readonly made: boolean
      /** The present hold has stood for longer than any request can take. */
      readonly quiet: boolean
    }
  | {
      readonly type: 'invoice_read'
      readonly sight: InvoiceSight | 'unreadable'
      readonly invoice: string | null
      /** Its payment intent, where there is one. */
      readonly payment: string | null
      /** A refunded or disputed period may be set back: `override` names what to do. */
      readonly allowed: boolean
      /** The successor is not what the plan of this revert saw: its subscriber acted in between. */
      readonly changed: boolean
    }
  | {
      readonly type: 'gap_read'
      /**
       * `draft`: a complete draft in the source only has to be advanced. `uncharged`: `requests`
       * requests bill it, `done` of them were sent.
       */
      readonly gap: 'none' | 'draft' | 'uncharged' | 'unreadable'
      readonly invoice: string | null
      /** The oldest period that is still to be billed. */
      readonly period: KeptBack | null
      /** Periods that are left uncharged. */
      readonly left: readonly KeptBack[]
      readonly requests: number
      readonly done: number
    }

const rests: readonly Phase[] = ['source', 'moved', 'settled', 'ended', 'doubtful'] satisfies Rest[]

export function isRest(phase: Phase): phase is Rest {
  return rests.includes(phase)
}

/** Where a subscriber without any history stands. */
export const atSource: HandoverState = {
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
  done: 0,
  rounds: 0,
  reason: null,
  alarm: null,
  invoice: null,
  invoiceSight: null,
  payment: null,
  charged: false,
  gap: 0,
  period: null,
  accounted: [],
  schedule: null,
  collect: [],
}
