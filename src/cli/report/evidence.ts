import type { Catalog, DesiredSubscriber } from '../../catalog/types.ts'
import { subscriberAddress } from '../../core/address.ts'
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
  /** The phase in the store of every subscriber that was ever handed over. */
  readonly phases: ReadonlyMap<string, string>
}

export interface Wave {
  readonly file: string
  readonly people: { readonly source: number; readonly moved: number; readonly settled: number; readonly ended: number }
  /** Of those in the source: subscribers that stay there on purpose. */
  readonly excluded: number
}

/**
 * The waves are the files, in the order of their names. A subscriber counts as moved by what was
 * done, not by the written stage, which may wait for an apply.
 */
export function wavesOf({ catalog: { subscribers }, phases, plan }: Evidence): Wave[] {
  const planned = new Set([...plan.changes, ...plan.deferred, ...plan.blocked].map((one) => one.address))
  const standing = ({ key, stage }: DesiredSubscriber): keyof Wave['people'] => {
    const phase = phases.get(key) ?? 'source'
    if (phase === 'moved' || phase === 'settled' || phase === 'ended') return phase
    // Declared to move, but in no plan: the subscriber left the old account, or is about to.
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

/** Changes of the catalog that are not applied yet. */
export function openResources(plan: Plan): number {
  return plan.changes.filter((change) => !/^(subscriber|access)\./.test(change.address)).length
}
