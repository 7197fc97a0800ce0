import { formatInstant } from '../../core/instant.ts'
import { isJsonObject } from '../../core/json.ts'
import type { Action, Plan } from '../../plan/types.ts'
import type { Context } from '../context.ts'
import type { AppliedChange } from '../send/applied.ts'

/** The plans that were carried out as a whole: once done, what differs was changed afterwards. */
const finishedKey = 'apply.finished'
/** A plan is valid for hours; no project applies more of them in that time. */
const finishedKept = 50

export async function noteFinished({ store }: Pick<Context, 'store'>, { plan }: Plan): Promise<void> {
  const earlier = (await finishedPlans(store)).filter((one) => one !== plan)
  await store.put(finishedKey, [...earlier, plan].slice(-finishedKept))
}

export async function finishedPlans(store: Context['store']): Promise<readonly string[]> {
  const noted = await store.get(finishedKey)
  return Array.isArray(noted) ? noted.filter((one) => typeof one === 'string') : []
}

/**
 * One run of a plan, for the evidence: which digest was applied, when, and what it did. No decision
 * is based on it, so its loss with the store loses nothing else.
 */
export type AppliedPlan = {
  readonly plan: string
  readonly made: string
  readonly tool: string
  readonly began: string
  readonly ended?: string
  /**
   * `proven`: all of it was done and read again. `open`: a part was not done or not proven.
   * `interrupted`: a user stopped it. `stopped`: an error or a crash ended it.
   */
  readonly result: 'proven' | 'open' | 'interrupted' | 'stopped'
  /** Guards that were allowed. */
  readonly allowed: readonly string[]
  /** Changes that are done, by action. */
  readonly done: Readonly<Partial<Record<Action, number>>>
}

const logKey = 'apply.log'
const logKept = 200

type Noted = Pick<Context, 'store' | 'accounts'>

/** Called before the first request of the plan; a crash leaves it as `stopped`. */
export async function noteBegun(context: Noted, plan: Plan, allowed: readonly string[]): Promise<void> {
  if (plan.changes.length === 0) return
  const began = formatInstant(context.accounts.target.now())
  const one: AppliedPlan = {
    plan: plan.plan,
    made: plan.created,
    tool: plan.tool,
    began,
    result: 'stopped',
    allowed,
    done: {},
  }
  await write(context.store, [...(await appliedPlans(context.store)), one])
}

/** Completes what `noteBegun` wrote last for this plan. */
export async function noteEnded(
  context: Noted,
  { plan }: Plan,
  result: AppliedPlan['result'],
  changes: readonly AppliedChange[],
): Promise<void> {
  const all = await appliedPlans(context.store)
  const at = all.findLastIndex((one) => one.plan === plan && one.ended === undefined)
  const begun = all[at]
  if (begun === undefined) return
  const done: Partial<Record<Action, number>> = {}
  for (const { action, outcome } of changes) if (outcome === 'done') done[action] = (done[action] ?? 0) + 1
  const ended = formatInstant(context.accounts.target.now())
  await write(context.store, all.with(at, { ...begun, ended, result, done }))
}

/** The runs that this store knows, the oldest first. */
export async function appliedPlans(store: Context['store']): Promise<readonly AppliedPlan[]> {
  const noted = await store.get(logKey)
  return (Array.isArray(noted) ? noted : []).filter(isApplied)
}

async function write(store: Context['store'], all: readonly AppliedPlan[]): Promise<void> {
  await store.put(logKey, all.slice(-logKept))
}

function isApplied(value: unknown): value is AppliedPlan {
  return (
    isJsonObject(value) &&
    typeof value['plan'] === 'string' &&
    typeof value['began'] === 'string' &&
    isJsonObject(value['done'])
  )
}
