import { catalogIds } from '../send/catalog-ids.ts'
import { subscriberAddress } from '../../core/address.ts'
import type { Standing } from '../../live/observations.ts'
import { parseInstant } from '../../core/instant.ts'
import { stepKey } from './step-key.ts'
import { isHandover } from '../../plan/change.ts'
import type { Change, Plan } from '../../plan/types.ts'
import type { AppliedChange } from '../send/applied.ts'
import type { Context } from '../context.ts'
import type { SubscriberRecord } from '../ports.ts'
import { fillParams, type Resolve } from '../send/references.ts'

/** What is known of an earlier run of the same plan, and the ids that exist now. */
export interface Earlier {
  readonly resumed: boolean
  /** This store knows that the plan was carried out as a whole. */
  readonly finished: boolean
  /** The store's version when this apply began. */
  readonly state: Plan['basis']['state']
  readonly done: ReadonlySet<Change>
  readonly begun: ReadonlySet<Change>
  /**
   * Addresses that an earlier run of this plan or the recovery of this run worked on: they may have
   * been held and released since the plan was made.
   */
  readonly taken: ReadonlySet<string>
  readonly resolve: Resolve
  /** The same, with the objects that are only about to be adopted: they exist. */
  readonly resolveFound: Resolve
  /** Where a subscriber stands now, by the address in the plan. */
  readonly standingOf: (address: string) => Standing | undefined
}

/**
 * Finds which changes of the plan are already done: by an earlier run of this plan, as the journal
 * and the subscribers' records show, or by the recovery just now, which may have finished what an
 * earlier plan also wanted.
 */
export async function progressOf(
  context: Context,
  plan: Plan,
  { resumed, recovered }: { readonly resumed: boolean; readonly recovered: readonly AppliedChange[] },
): Promise<Pick<Earlier, 'done' | 'begun' | 'taken'>> {
  const finished = new Set(recovered.filter(({ outcome }) => outcome === 'done').map(nameOf))
  const { done, begun } = resumed
    ? await earlierRun(context, plan)
    : { done: new Set<Change>(), begun: new Set<Change>() }
  for (const change of plan.changes) if (isHandover(change) && finished.has(nameOf(change))) done.add(change)
  const created = parseInstant(plan.created) ?? 0
  const own = resumed ? (await context.store.subscribers()).filter(({ updated }) => updated >= created) : []
  const taken = new Set([...recovered.map(({ address }) => address), ...own.map(({ key }) => subscriberAddress(key))])
  return { done, begun, taken }
}

function nameOf({ address: at, action }: Pick<Change, 'address' | 'action'>): string {
  return `${action} ${at}`
}

async function earlierRun(context: Context, plan: Plan): Promise<{ done: Set<Change>; begun: Set<Change> }> {
  const records = new Map<string, SubscriberRecord>(
    (await context.store.subscribers()).map((record) => [subscriberAddress(record.key), record]),
  )
  const ids = await catalogIds(context)
  const done = new Set<Change>()
  const begun = new Set<Change>()
  for (const change of plan.changes) {
    if (isHandover(change)) {
      if (records.get(change.address)?.facts['finished'] === plan.plan) done.add(change)
      continue
    }
    const entries = (await context.store.journal({ address: change.address })).filter(
      ({ status }) => status === 'succeeded',
    )
    const created = parseInstant(plan.created) ?? 0
    const sent = change.steps.filter((step) => {
      const filled = fillParams(step.params, (at) => ids.get(at))
      if (!filled.ok) return false
      const key = stepKey(context.catalog.project.name, change, step, filled.value)
      return entries.some((one) => one.startedAt >= created && one.idempotencyKey.startsWith(key))
    })
    if (sent.length > 0) (sent.length === change.steps.length ? done : begun).add(change)
  }
  return { done, begun }
}
