import type { RowStanding } from '../../assumptions/standing.ts'
import type { Catalog, DesiredSubscriber } from '../../catalog/types.ts'
import { subscriberAddress } from '../../core/address.ts'
import type { CopyMapCheck } from '../../engine/verify/copied.ts'
import type { DoctorResult } from '../../engine/doctor/doctor.ts'
import type { Identity } from '../../engine/state.ts'
import type { VerifyResult } from '../../engine/verify/verify.ts'
import type { Plan } from '../../plan/types.ts'

/** The data of the evidence packet, read at one time. */
export interface Evidence {
  readonly tool: string
  /** The time of reading, by Stripe's clock. */
  readonly at: string
  readonly catalog: Catalog
  readonly plan: Plan
  readonly verified: VerifyResult
  readonly doctor: DoctorResult
  readonly copied: CopyMapCheck
  /** What is known of the questions that the documents leave open. */
  readonly standing: readonly RowStanding[]
  readonly identities: readonly Identity[]
  /** The phase of every subscriber whose hand-over has ever begun. */
  readonly phases: ReadonlyMap<string, string>
}

export interface Wave {
  readonly file: string
  readonly people: { readonly source: number; readonly moved: number; readonly settled: number; readonly ended: number }
  /** The number of those in the source that are excluded on purpose. */
  readonly excluded: number
}

/**
 * The waves: one for each file, in the order of the file names. A subscriber counts as moved when
 * the move is done; the stage in the YAML may still wait for an apply.
 */
export function wavesOf({ catalog: { subscribers }, phases, plan }: Evidence): Wave[] {
  const planned = new Set([...plan.changes, ...plan.deferred, ...plan.blocked].map((one) => one.address))
  const standing = ({ key, stage }: DesiredSubscriber): keyof Wave['people'] => {
    const phase = phases.get(key) ?? 'source'
    if (phase === 'moved' || phase === 'settled' || phase === 'ended') return phase
    // A subscriber who is declared to move but is in no plan has left the old account or leaves it.
    const left = phase === 'source' && stage !== 'source' && !planned.has(subscriberAddress(key))
    return left ? 'ended' : 'source'
  }
  return [...Map.groupBy(subscribers, (one) => one.file)]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([file, members]) => {
      const all = Map.groupBy(members, standing)
      const count = (what: keyof Wave['people']): number => all.get(what)?.length ?? 0
      return {
        file,
        people: { source: count('source'), moved: count('moved'), settled: count('settled'), ended: count('ended') },
        excluded: all.get('source')?.filter((one) => one.excluded !== undefined).length ?? 0,
      }
    })
}

/** The number of catalog changes that are not applied yet. */
export function openResources(plan: Plan): number {
  return plan.changes.filter((change) => !/^(subscriber|access)\./.test(change.address)).length
}
