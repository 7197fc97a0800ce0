import type { Action, Plan } from '../plan/types.ts'
import type { Context } from './context.ts'
import { notYet } from './not-yet.ts'

export interface ApplyOptions {
  /** Guards overridden by name (`--allow mrr_share`). Names are checked against `guardNames` by the command line. */
  readonly allow?: readonly string[]
  /** The plan was reviewed as a saved file; without it live mode needs the guard `live_without_plan_file`. */
  readonly fromFile?: boolean
}

/** How one change of the plan ended. `undone` and `skipped` left everything as it was; `held` is on hold and will be finished by the next run. */
export interface AppliedChange {
  readonly address: string
  readonly action: Action
  readonly outcome: 'done' | 'skipped' | 'undone' | 'held' | 'failed' | 'not_started'
  /** An outcome code of `docs/outcomes`, when there is something to say. */
  readonly code?: string
  readonly message?: string
  readonly fix?: string
}

export interface ApplyResult {
  readonly plan: string
  /** Every change ended `done`, and the plan made afterwards is empty for all addresses touched. */
  readonly ok: boolean
  /** The user asked to stop: run again to go on. */
  readonly interrupted: boolean
  /** What the recovery at the start finished or undid. */
  readonly recovered: readonly AppliedChange[]
  readonly changes: readonly AppliedChange[]
  /** What a plan made after the run still wants to do at the addresses touched; empty when the run proved itself. */
  readonly remaining: readonly {
    readonly address: string
    readonly action: Action
    readonly because: readonly string[]
  }[]
}

/**
 * Does what the plan says and nothing else, then reads again and proves it. Recovery of unfinished work comes first. Refuses (CommandError, code
 * `plan_stale`, `plan_expired`, `plan_other_account`, `guard_tripped`, `apply_running`) before anything is sent.
 */
export async function apply(context: Context, plan: Plan, options: ApplyOptions = {}): Promise<ApplyResult> {
  return notYet(`apply of ${plan.plan} ${context.run} ${String(options.fromFile)}`)
}
