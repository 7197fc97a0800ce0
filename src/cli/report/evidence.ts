import type { Catalog, Stage } from '../../catalog/types.ts'
import type { CopyMapCheck } from '../../engine/copy-map.ts'
import type { DoctorResult } from '../../engine/doctor/doctor.ts'
import type { Identity } from '../../engine/state.ts'
import type { VerifyResult } from '../../engine/verify/verify.ts'
import type { Plan } from '../../plan/types.ts'

/** Everything the evidence packet is made of, read at one time. */
export interface Evidence {
  readonly tool: string
  /** When it was read: Stripe's clock. */
  readonly at: string
  readonly catalog: Catalog
  readonly plan: Plan
  readonly verified: VerifyResult
  readonly doctor: DoctorResult
  readonly copied: CopyMapCheck
  readonly identities: readonly Identity[]
  /** Number of subscribers by phase of the hand-over. */
  readonly phases: Readonly<Record<string, number>>
}

export interface Wave {
  readonly file: string
  readonly stages: Readonly<Record<Stage, number>>
}

/** The waves are the files, in the order of their names. */
export function wavesOf({ subscribers }: Catalog): Wave[] {
  return [...Map.groupBy(subscribers, (one) => one.file)]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([file, members]) => {
      const count = (stage: Stage): number => members.filter((one) => one.stage === stage).length
      return { file, stages: { source: count('source'), target: count('target'), settled: count('settled') } }
    })
}

/** Changes of the catalog that are not applied yet. */
export function openResources(plan: Plan): number {
  return plan.changes.filter((change) => !/^(subscriber|access)\./.test(change.address)).length
}
