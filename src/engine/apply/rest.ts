import { canonicalJson } from '../../core/canonical.ts'
import type { Json } from '../../core/json.ts'
import type { Standing } from '../../live/observations.ts'
import { isAccess, isHandover } from '../../plan/change.ts'
import type { Change, Plan, Step } from '../../plan/types.ts'
import { fillPath, type Resolve } from '../send/references.ts'

export interface Ground {
  readonly resolve: Resolve
  /** Where a subscriber stands now, by the address in the plan. */
  readonly standingOf: (address: string) => Standing | undefined
  /** What was reviewed of a change. */
  readonly essenceOf: (change: Change) => string
  /** A value with its references replaced by the ids that they resolve to. */
  readonly resolved: (value: Json) => Json
}

/** What a plan still has to do, and what the accounts show as done. */
export interface Rest {
  readonly ready: readonly Change[]
  readonly done: readonly Change[]
}

const reached = { move: 'target', settle: 'settled', revert: 'source' } as const satisfies Record<string, Standing>

/**
 * The rest of a plan that was begun by a run of which this store knows nothing: a job that was
 * killed, or run a second time, in a fresh checkout. The accounts show what was done. Undefined
 * unless the rest follows from the plan: each change that is left sends only requests that were
 * reviewed in this plan, and each change that is gone is shown as done.
 */
export function restOf(plan: Plan, fresh: Plan, ground: Ground): Rest | undefined {
  if (plan.basis.catalog !== fresh.basis.catalog) return undefined
  const addresses = new Set(plan.changes.map(({ address }) => address))
  const stopped = new Set([...fresh.blocked, ...fresh.deferred].map(({ address }) => address))
  if ([...addresses].some((address) => stopped.has(address))) return undefined
  const requests = new Set(plan.changes.flatMap(({ steps }) => steps.map((step) => requestOf(step, ground))))
  const reviewed = new Set(plan.changes.map(ground.essenceOf))
  const isReviewed = (change: Change): boolean =>
    isHandover(change) || isAccess(change)
      ? reviewed.has(ground.essenceOf(change))
      : change.steps.every((step) => requests.has(requestOf(step, ground)))
  // A request of one change may be left as a change of another object: a product's default price.
  const ready = fresh.changes.filter(
    (change) => addresses.has(change.address) || (change.steps.length > 0 && isReviewed(change)),
  )
  if (!ready.every(isReviewed) || ready.some((change) => isFromOtherValues(change, plan))) return undefined
  const left = new Set(ready.map(({ address }) => address))
  const done = plan.changes.filter(({ address }) => !left.has(address))
  const isDone = (change: Change): boolean =>
    !isHandover(change) || ground.standingOf(change.address) === reached[change.action]
  // Without a trace of the plan's own work, a difference was made by others.
  const isBegun = done.length > 0 || ready.some((change) => !reviewed.has(ground.essenceOf(change)))
  return isBegun && done.every(isDone) ? { ready, done } : undefined
}

/**
 * Whether an update sends all of its reviewed requests, and begins from other values than the plan
 * shows: another person changed the object, because this plan's own work would have left fewer
 * requests.
 */
function isFromOtherValues(change: Change, plan: Plan): boolean {
  if (change.action !== 'update') return false
  const planned = plan.changes.find(({ address, action }) => address === change.address && action === 'update')
  if (planned === undefined || planned.steps.length !== change.steps.length) return false
  const shown = new Map(planned.patch.map((one) => [one.path, canonicalJson(one)]))
  return change.patch.some((one) => shown.get(one.path) !== canonicalJson(one))
}

function requestOf({ account, method, path, params, secret_to: sink }: Step, { resolve, resolved }: Ground): string {
  const filled = fillPath(path, resolve)
  const where = filled.ok ? filled.value : path
  return canonicalJson([account, method, where, resolved(params), sink ?? null])
}
