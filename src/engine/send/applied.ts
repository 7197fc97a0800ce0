import type { Action } from '../../plan/types.ts'

/**
 * How one change of the plan ended. `undone` and `skipped` left everything as it was; `held` is on
 * hold and will be finished by the next run.
 */
export interface AppliedChange {
  readonly address: string
  readonly action: Action
  readonly outcome: 'done' | 'skipped' | 'undone' | 'held' | 'failed' | 'not_started'
  /** An outcome code of `docs/codes.md`, when there is something to say. */
  readonly code?: string
  readonly message?: string
  readonly fix?: string
  /**
   * Renewals of the old subscription that a hold kept back and neither account had charged, oldest
   * first.
   */
  readonly periods?: readonly UnchargedPeriod[]
}

/**
 * A period that neither account had charged: billed now by the old account, or left uncharged.
 * Amounts in minor units.
 */
export interface UnchargedPeriod {
  readonly at: string
  readonly amount: number
  readonly currency: string
  readonly outcome: 'billed' | 'left'
  /** The invoice of the old account that the hold kept back. */
  readonly invoice: string
}

/** A change that a plan made after the run still wants at an address that the run touched. */
export interface RemainingChange {
  readonly address: string
  readonly action: Action
  readonly because: readonly string[]
}
