import type { Action } from '../../plan/types.ts'

/** How one change of the plan ended. `undone` and `skipped` left everything as it was; `held` is on hold and will be finished by the next run. */
export interface AppliedChange {
  readonly address: string
  readonly action: Action
  readonly outcome: 'done' | 'skipped' | 'undone' | 'held' | 'failed' | 'not_started'
  /** An outcome code of `docs/codes.md`, when there is something to say. */
  readonly code?: string
  readonly message?: string
  readonly fix?: string
}

/** A change that a plan made after the run still wants at an address that the run touched. */
export interface RemainingChange {
  readonly address: string
  readonly action: Action
  readonly because: readonly string[]
}
