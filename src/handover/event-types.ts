import type { InvoiceObservation, NewObservation, OldObservation } from '../live/observations.ts'
import type { KeptBack, Lists, RequestPhase, StateIn, Stopped } from './state.ts'
import type { Goal, Reason } from './types.ts'

/*
 * What the machine asks of the engine, and what the engine answers.
 */

export type Command =
  | { readonly do: 'rest' }
  /** GET the old subscription; answer with `old_read`. */
  | { readonly do: 'read_old' }
  /** createPreview on both sides; answer with `previewed`. */
  | { readonly do: 'preview' }
  /** Send the request that `requestFor` gives for the state; answer with `sent`. */
  | { readonly do: 'send'; readonly state: StateIn<RequestPhase> }
  /** Let Stripe collect an invoice again that our cancel stopped; answer with `sent`. */
  | { readonly do: 'collect'; readonly stopped: Stopped }
  /** Compare a fresh read of the successor and of the old one; answer with `proved`. */
  | { readonly do: 'prove' }
  /**
   * GET the old subscription and list the target's by mark with `status: all`; answer with
   * `both_read`.
   */
  | { readonly do: 'read_both' }
  /** The successor's newest invoice with its payments; answer with `invoice_read`. */
  | { readonly do: 'read_invoice'; readonly successor: string }
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
  /**
   * `reason` says why the old subscription is not as planned (changed, renews soon); null when it
   * is.
   */
  | {
      readonly type: 'old_read'
      readonly observation: OldObservation
      readonly reason: Reason | null
      readonly generation: number | null
    }
  | { readonly type: 'previewed'; readonly reason: Reason | null }
  | {
      readonly type: 'sent'
      /**
       * `refused`: answered and not executed. `contended`: not executed, because another run sent a
       * different request at the same point. `too_late`: not sent, because T is inside the guard
       * window. `unknown`: may have been executed.
       */
      readonly result: 'done' | 'refused' | 'contended' | 'too_late' | 'unknown'
      /** Id of the object in the answer. */
      readonly id: string | null
      /**
       * For `done`: how the answer differs from the expectation. Otherwise: why the request was not
       * executed.
       */
      readonly reason: Reason | null
      /**
       * For `unknown`: the key is used up, so the request can no longer be executed. A read shows
       * whether it was.
       */
      readonly spent?: true
      /** For `done`: the answer is that of an earlier request, and this one was not executed. */
      readonly replayed?: true
      /**
       * How many later requests of the list are no longer needed, because there is nothing left to
       * carry.
       */
      readonly moot?: number
    }
  | {
      readonly type: 'proved'
      readonly result: 'ok' | 'differs' | 'charged' | 'unsure'
      readonly reason: Reason | null
      /** The invoice that charged the customer, for `charged`. */
      readonly invoice: string | null
    }
  | (SuccessorSeen & {
      readonly type: 'both_read'
      readonly old: OldObservation
      /** The customer was deleted in the target, and no read shows a successor. */
      readonly erased: boolean
      /** A live subscription of the customer that bills the same and names no old subscription. */
      readonly unmarked: Reason | null
      /** Whether a creation may still be tried: T is ahead and outside the guard window. */
      readonly time: 'before' | 'too_late'
      readonly schedule: string | null
      /** A schedule of the successor. */
      readonly newSchedule: string | null
      /** Invoices of the customer that our own cancel of either side stopped. */
      readonly stopped: readonly Stopped[]
      /**
       * The held subscription was changed since, and no override confirms that the new one was
       * changed the same way.
       */
      readonly drifted: boolean
      /**
       * For a move whose creation is still to come: why it would not be what was planned. The old
       * subscription changed since its hold, or its copied card is another one.
       */
      readonly stale: Reason | null
      /** For a revert: why the old subscription could not bill again (`no-method.ts`). */
      readonly methodless: Reason | null
      /** An earlier run proved the successor; only its hold is not what it was. */
      readonly proven: boolean
      /** Another change on the held subscription that a settle would lose. */
      readonly lost: Reason | null
      /**
       * The number of holds and releases that the old subscription has had; null when it could not
       * be read.
       */
      readonly generation: number | null
      /** A successor was created since the present hold, whatever happened to it later. */
      readonly made: boolean
      /** The present hold is older than the longest time that any request can take. */
      readonly quiet: boolean
    })
  | (InvoiceSeen & {
      readonly type: 'invoice_read'
      /** Why a revert cannot take the invoices back now (`taken-back.ts`). */
      readonly stay: Reason | null
      /**
       * The successor differs from what the plan of this revert saw: its subscriber changed it in
       * between.
       */
      readonly changed: boolean
    })
  | ({ readonly type: 'gap_read' } & GapSeen)

/** A successor that lives or has ended has an id. */
export type SuccessorSeen =
  | { readonly new: 'live' | 'ended'; readonly successor: string }
  | { readonly new: Exclude<NewObservation, 'live' | 'ended'>; readonly successor: string | null }

type InvoiceSeen =
  | { readonly observation: 'none' | 'unreadable'; readonly invoice: null; readonly payment: null }
  | {
      readonly observation: Exclude<InvoiceObservation, 'none'>
      readonly invoice: string
      /** The payment intent of the invoice, if there is one. */
      readonly payment: string | null
    }

/** `left`: periods that are left uncharged. */
type GapSeen =
  | {
      readonly gap: 'none'
      readonly left: readonly KeptBack[]
      /** The old subscription still carries the mark that periods are to be accounted for. */
      readonly marked: boolean
    }
  | { readonly gap: 'unreadable' }
  /** A complete draft in the source that must only be advanced. */
  | { readonly gap: 'draft'; readonly invoice: string; readonly period: KeptBack }
  /** `requests` requests bill the oldest period; `done` of them were sent. */
  | {
      readonly gap: 'uncharged'
      readonly invoice: string | null
      readonly period: KeptBack
      readonly requests: number
      readonly done: number
    }
