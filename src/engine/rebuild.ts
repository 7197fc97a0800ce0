import { rebuildGrants } from './access/rebuild-grants.ts'
import type { Context } from './context.ts'
import { applyLease, withLease } from './lease.ts'
import { planOf } from './plan/make-plan.ts'
import { noteResources, recordOf } from './apply/prove-done.ts'
import { survey } from './plan/survey.ts'

export interface RebuildResult {
  readonly objects: number
  readonly subscribers: number
  /** Offers in Kajabi that carry Crossbill's mark. */
  readonly grants: number
  /** Marks that contradict each other, one sentence each. */
  readonly findings: readonly string[]
}

/**
 * Restores the store's objects and subscribers from the marks on live objects. The marks do not
 * contain the copy map: import it again.
 */
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
