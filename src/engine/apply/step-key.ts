import { digest } from '../../core/canonical.ts'
import type { Change, Step } from '../../plan/types.ts'
import { isCreation } from '../send/creation.ts'

/**
 * The key under which a step about a catalog object is sent. Prices have no name of their own in
 * Stripe, so two runs with separate stores could both create one: the key of a creation comes from
 * what it makes and what the accounts showed of its address, never from a plan. A second run that
 * sees the same accounts is given the object that the first one made. Every other step sets values
 * and keeps the key of its plan.
 */
export function stepKey(project: string, change: Change, step: Step): string {
  if (!isCreation(step)) return step.idempotency_key
  return `crossbill-${digest([project, change.address, change.action, step.id, step.params, change.expect?.['seen'] ?? ''])}`
}
