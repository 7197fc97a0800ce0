import type { Catalog } from '../../catalog/types.ts'
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
  /** Where everybody stands who was ever handed over: the phase in the store, by subscriber. */
  readonly phases: ReadonlyMap<string, string>
}

export interface Wave {
  readonly file: string
  readonly people: { readonly source: number; readonly moved: number; readonly settled: number; readonly ended: number }
  /** Of those in the source: who is left there on purpose. */
  readonly excluded: number
}

/** The waves are the files, in the order of their names. Who counts as moved is what was done, not the stage that is written and may wait for an apply. */
export function wavesOf({ catalog: { subscribers }, phases }: Pick<Evidence, 'catalog' | 'phases'>): Wave[] {
  return [...Map.groupBy(subscribers, (one) => one.file)]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([file, members]) => {
      const count = (phase: string): number => members.filter((one) => phases.get(one.key) === phase).length
      const [moved, settled, ended] = [count('moved'), count('settled'), count('ended')]
      const still = members.filter((one) => !restsElsewhere.has(phases.get(one.key) ?? 'source'))
      return {
        file,
        people: { source: still.length, moved, settled, ended },
        excluded: still.filter((one) => one.excluded !== undefined).length,
      }
    })
}

const restsElsewhere: ReadonlySet<string> = new Set(['moved', 'settled', 'ended'])

/** Changes of the catalog that are not applied yet. */
export function openResources(plan: Plan): number {
  return plan.changes.filter((change) => !/^(subscriber|access)\./.test(change.address)).length
}
