import type { JsonObject } from '../core/json.ts'
import { atSource, type HandoverState } from '../handover/state.ts'
import type { Classification, Standing } from '../handover/types.ts'
import { rebuildGrants } from './access/rebuild-grants.ts'
import type { Context } from './context.ts'
import { recoveryRecord } from './hand-over/hand-over.ts'
import { applyLease, withLease } from './lease.ts'
import { planOf } from './make-plan.ts'
import type { SubscriberRecord } from './ports.ts'
import { noteResources } from './apply/prove-done.ts'
import { survey } from './read/survey.ts'

export interface RebuildResult {
  readonly objects: number
  readonly subscribers: number
  /** Offers in Kajabi that carry Crossbill's note. */
  readonly grants: number
  /** Marks that contradict each other, one sentence each. */
  readonly findings: readonly string[]
}

/** Restores the store's objects and subscribers from the marks on live objects. The copy map is not on them: import it again. */
export async function stateRebuild(opened: Context): Promise<RebuildResult> {
  return withLease(opened, applyLease, async (_held, context) => {
    const seen = await survey(context)
    const { resources, known, classified } = seen
    const gone = known.map(({ address }) => address).filter((address) => !resources.ids.has(address))
    await context.store.removeObjects(gone)
    const after = await planOf(context, seen)
    await noteResources(context, seen, new Set(after.changes.map(({ address }) => address)))
    const records = classified.flatMap((one) => recordOf(one, context.accounts.target.now()) ?? [])
    await context.store.putSubscribers(records)
    const findings = classified
      .filter(({ standing, recovery }) => standing === 'unfinished' && recovery === undefined)
      .map(({ key }) => `${key}: several live subscriptions in the target carry its mark`)
    const grants = await rebuildGrants(context, seen.live)
    return { objects: resources.ids.size, subscribers: records.length, grants, findings }
  })
}

const phases: Readonly<Partial<Record<Standing, HandoverState['phase']>>> = {
  target: 'moved',
  ended_in_target: 'moved',
  cancelled_in_source: 'moved',
  settled: 'settled',
}

/** What the store would hold of this subscriber had it not been lost; nothing for one that was never moved. */
function recordOf(one: Classification, updated: SubscriberRecord['updated']): SubscriberRecord | undefined {
  const { key, standing, successor, recovery } = one
  if (recovery !== undefined) return recoveryRecord(key, recovery, updated)
  const phase = standing === 'ended' && successor !== null ? 'ended' : phases[standing]
  if (phase === undefined) return undefined
  const state: HandoverState = { ...atSource, phase, successor }
  return { key, phase, facts: state as unknown as JsonObject, updated }
}
