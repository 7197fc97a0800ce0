import { digest } from '../../core/canonical.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Change, Step } from '../../plan/types.ts'
import { isCreation } from '../send/creation.ts'

/**
 * The key of a step about a catalog object. Prices have no unique name in Stripe, so two runs with
 * separate stores could both create one. A creation's key therefore comes from what it creates and
 * what the accounts showed at its address, never from a plan: a second run that sees the same
 * accounts gets the object of the first. `params` has its references filled in: a plan refers to an
 * object that does not exist yet by its address, and a later plan by its id. Every other step sets
 * values and keeps the key of its plan.
 */
export function stepKey(project: string, change: Change, step: Step, params: JsonObject): string {
  if (!isCreation(step)) return step.idempotency_key
  return `crossbill-${digest([project, change.address, change.action, step.id, params, change.expect.seen])}`
}
