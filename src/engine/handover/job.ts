import type { Goal, HandoverPlan } from '../../handover/types.ts'

/**
 * One subscriber's work, as planned and as stored until the subscriber is at rest. It is JSON,
 * because the store keeps it.
 */
export type Job = {
  /** `us/sub_…` */
  readonly key: string
  /** The digest of the plan that contains it. */
  readonly plan: string
  readonly handover: HandoverPlan<Goal | 'undo'>
}
