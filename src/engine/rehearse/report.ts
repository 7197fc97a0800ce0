import type { Instant } from '../../core/instant.ts'

/**
 * The result of a rehearsal, for the HTML report. Ids only, no addresses and no names.
 */
export interface RehearsalReport {
  readonly seed: number
  /** The simulator's settings for both runs that differ from the default: `name=value …`. */
  readonly world?: string
  /** What those settings change for the subscribers, one sentence each. */
  readonly means?: readonly string[]
  /** Members who were asked for a card, and how many entered one; absent when none was asked. */
  readonly answering?: { readonly share: number; readonly asked: number; readonly entered: number }
  /** The share of members whose card was refused for some weeks; absent when none was. */
  readonly declineRate?: number
  /** Open invoices that were carried and collected at the move; absent when there were none. */
  readonly carriedInvoices?: number
  /**
   * Cards refused once because of the move, in this run alone, and payments that came later for it;
   * absent when none was to be refused.
   */
  readonly moveDeclines?: { readonly share: number; readonly cards: number; readonly late: number }
  /** Sources that were played as if Stripe had copied them; no copy map was imported. */
  readonly uncopied?: readonly string[]
  readonly months: number
  /** All declared subscribers; `people` says which of them were played. */
  readonly subscribers: number
  readonly people: {
    readonly declared: number
    /** Those whom an old account bills or holds. */
    readonly played: number
    /** Of these, those who had moved before; they are played as moved from the first instant. */
    readonly moved: number
    /** Settled before, so that only the new account bills them; not played. */
    readonly settled: number
    /** Ended before; not played. */
    readonly ended: number
  }
  readonly ok: boolean
  readonly began: Instant
  readonly ended: Instant
  readonly counts: {
    readonly expected: number
    readonly actual: number
    readonly double: number
    readonly missed: number
    readonly amount_differs: number
    readonly date_differs: number
    /** Subscribers whom two accounts could have charged at some instant. */
    readonly two_payers: number
    /** Subscribers whose hand-over was undone or failed. */
    readonly not_moved: number
  }
  /**
   * One row for each currency; amounts in minor units. `expected` is the control run.
   */
  readonly currencies: readonly {
    readonly currency: string
    readonly expected: { readonly charges: number; readonly amount: number }
    readonly actual: { readonly charges: number; readonly amount: number }
  }[]
  /** Succeeded charges per UTC day, `2026-12-31`, in both worlds; every day of the rehearsal. */
  readonly days: readonly { readonly day: string; readonly expected: number; readonly actual: number }[]
  readonly waves: readonly {
    readonly name: string
    readonly people: number
    readonly movedAt: Instant
    readonly settledAt?: Instant
  }[]
  readonly differences: readonly RehearsalDifference[]
  /** Subscribers whose migration is not finished, and what to do about each. */
  readonly standing: readonly {
    readonly subscriber: string
    /** Already billed by the new account; only the old subscription is not cancelled yet. */
    readonly moved: boolean
    readonly outcome: 'deferred' | 'blocked'
    readonly code: string
    readonly until?: Instant
    readonly message: string
    readonly fix: string
    /** What the old account bills in a month, before discounts and taxes. */
    readonly monthly?: { readonly amount: number; readonly currency: string }
  }[]
  /** Declined attempts and subscriptions that fell behind or ended by dunning, in both worlds. */
  readonly declines: { readonly expected: number; readonly actual: number }
  readonly dunning: { readonly expected: number; readonly actual: number }
  /** What members did on their own, the same in both runs; empty without faults. */
  readonly members: readonly { readonly act: string; readonly count: number }[]
  readonly faults: readonly { readonly kind: string; readonly count: number }[]
}

export interface RehearsalDifference {
  readonly code: 'double' | 'missed' | 'amount_differs' | 'date_differs' | 'two_payers' | 'not_moved'
  readonly subscriber: string
  readonly at: Instant
  /** What happened, with both sides. */
  readonly detail: string
  /** Why: one sentence, the same for all differences with this cause. */
  readonly cause: string
  /** The details of this subscriber: `us/sub_… cancels in Kajabi at …`, the terms of both sides. */
  readonly evidence?: string
  readonly remedy: string
}
