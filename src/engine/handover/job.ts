import { schemaOf } from '../../core/exact-schema.ts'
import type { JsonObject } from '../../core/json.ts'
import { parserOf, type Parsed } from '../../core/parser.ts'
import { handoverPlanSchema } from '../../handover/schemas.ts'
import type { Goal, HandoverPlan } from '../../handover/types.ts'
import Type from 'typebox'

/** In place of a plan’s digest: the accounts show this work, and no store knows it. */
export const recovery = 'recovery'

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

const parse = parserOf(
  schemaOf<Job>()(Type.Object({ key: Type.String(), plan: Type.String(), handover: handoverPlanSchema })),
)

/** The job that the store keeps with a subscriber who is not at rest. */
export function jobOf(facts: JsonObject): Parsed<Job> {
  return parse(facts['job'])
}
