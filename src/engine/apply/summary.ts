import { subscriberAddress } from '../../core/address.ts'
import type { Blocked, Deferred, Plan } from '../../plan/types.ts'
import { addressesOf } from '../../plan/assemble.ts'
import type { AppliedChange } from '../send/applied.ts'
import { doneHere, type RunChanges } from './this-run.ts'

/** How many of a kind, and how often each code is the reason. */
export interface Waiting {
  readonly count: number
  readonly codes: Readonly<Record<string, number>>
}

/**
 * What this run did to subscribers, in numbers, its recovery included; and for how many it does
 * nothing.
 */
export interface ApplySummary {
  readonly moved: number
  readonly settled: number
  readonly reverted: number
  readonly deferred: Waiting
  readonly blocked: Waiting
  /** Catalog objects that are blocked. */
  readonly resources_blocked: Waiting
}

/** `plan`: made after the run where there is one: a recovery ends what a plan waited for. */
export function summaryOf(plan: Pick<Plan, 'deferred' | 'blocked'>, run: RunChanges): ApplySummary {
  const here = doneHere(run)
  const done = (action: AppliedChange['action']): number => here.filter((one) => one.action === action).length
  const isPerson = ({ address }: Pick<Blocked, 'address'>): boolean => address.startsWith(subscriberAddress(''))
  return {
    moved: done('move'),
    settled: done('settle'),
    reverted: done('revert'),
    deferred: waiting(plan.deferred),
    blocked: waiting(plan.blocked.filter(isPerson)),
    resources_blocked: waiting(plan.blocked.filter((one) => !isPerson(one))),
  }
}

/** A subscriber who is blocked for several reasons counts once, and under each code. */
function waiting(all: readonly Pick<Blocked | Deferred, 'address' | 'code'>[]): Waiting {
  const codes: Record<string, number> = {}
  for (const [code, same] of Map.groupBy(all, (one) => one.code).entries()) codes[code] = addressesOf(same).size
  return { count: addressesOf(all).size, codes }
}
