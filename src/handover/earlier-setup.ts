import { setupFailure } from '../live/setup.ts'
import { isUndone } from '../live/subscription.ts'
import type { Candidate } from './candidate.ts'
import type { Findings } from './findings.ts'
import { methodInTarget } from './method-in-target.ts'

/**
 * An earlier move of this subscriber was undone because Stripe could not set up the same payment
 * method. Another try would fail in the same way, once for each apply. The cancelled successors
 * show it, so this does not depend on the store. A member who confirms the SetupIntent, or gives
 * another card, can move.
 */
export function noFailedSetup(candidate: Candidate, findings: Findings): void {
  const { desired, old, copyMap, entered, around } = candidate
  if (around.policies.setup_failed !== 'undo' || triesAgain(candidate)) return
  const copy = methodInTarget(old.payment, copyMap, entered)
  if (copy === undefined) return
  const earlier = around.successors.get(desired.subscription)?.filter(isUndone) ?? []
  const failure = earlier.map((one) => setupFailure(one, copy.id)).find((one) => one?.method === copy.id)
  if (failure !== undefined) findings.block('setup_failed', failure.message)
}

/** The entry names `setup_failed` under `override`: the member moves whatever the set-up shows. */
export function triesAgain({ desired }: Pick<Candidate, 'desired'>): boolean {
  return desired.override?.includes('setup_failed') === true
}
