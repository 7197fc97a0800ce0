import type { Action } from '../../plan/types.ts'

/**
 * How one change of the plan ended. `undone` and `skipped` left everything unchanged; `held` is on
 * hold, and the next run finishes it.
 */
export interface AppliedChange {
  readonly address: string
  readonly action: Action
  readonly outcome: 'done' | 'skipped' | 'undone' | 'held' | 'failed' | 'not_started'
  /**
   * On a change that is done: another run carried it out, at the same time or before. This run
   * found it done.
   */
  readonly by?: 'another_run'
  /** An outcome code of `docs/codes.md`, if any. */
  readonly code?: string
  readonly message?: string
  readonly fix?: string
  /**
   * Renewals of the old subscription that a hold kept back and that neither account charged, oldest
   * first.
   */
  readonly periods?: readonly UnchargedPeriod[]
}

/**
 * A period that neither account had charged: the old account bills it now, or it stays uncharged.
 * Amounts in minor units.
 */
interface UnchargedPeriod {
  readonly at: string
  readonly amount: number
  readonly currency: string
  readonly outcome: 'billed' | 'left'
  /** The invoice of the old account that the hold kept back. */
  readonly invoice: string
}

/** A change that a plan made after the run still contains, at an address that the run touched. */
export interface RemainingChange {
  readonly address: string
  readonly action: Action
  readonly because: readonly string[]
}
