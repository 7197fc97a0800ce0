import type { Goal, HandoverPlan } from '../../handover/types.ts'

/**
 * One subscriber's work, as planned and as remembered until it is at rest. JSON, since it is kept
 * in the store.
 */
export type Job = {
  /** `us/sub_…` */
  readonly key: string
  /** Digest of the plan it comes from. */
  readonly plan: string
  readonly handover: HandoverPlan<Goal | 'undo'>
}
