import type { Job } from '../handover/job.ts'
import { splitAddress, subscriberAddress } from '../../core/address.ts'
import { stopped } from '../../handover/reasons.ts'
import type { PlannedStep } from '../../handover/types.ts'
import type { HandoverChange } from '../../plan/types.ts'
import type { AppliedChange } from '../send/applied.ts'
import type { Context } from '../context.ts'
import { beginRun, handOver } from '../handover/hand-over.ts'
import type { Held } from '../lease.ts'
import type { DeclinesBreaker } from './declines.ts'
import { groupsSideBySide } from '../side-by-side.ts'

/**
 * Customers of one source processed at a time. A move is about nine calls of 300 ms in sequence, at
 * most two of them the same operation, which Stripe limits: with this many in progress the limit of
 * the source sets the pace.
 */
const customersAtATime = 48

/**
 * Moves, settles and reverts: one subscriber of a customer at a time, customers in parallel, all
 * sources side by side, because Stripe limits each account by itself. A subscriber who cannot be
 * moved does not affect the others; an unexpected charge stops all of them, and many payment
 * methods that cannot be set up stop the moves.
 */
export async function applySubscribers(
  context: Context,
  changes: readonly HandoverChange[],
  { held, plan, declines }: { readonly held: Held; readonly plan: string; readonly declines: DeclinesBreaker },
): Promise<readonly AppliedChange[]> {
  const results = new Map<string, AppliedChange>()
  const planned = new Set<string>(changes.map(({ address }) => address))
  const run = await beginRun(context)
  const bySource = Map.groupBy(changes, ({ expect }) => expect.source)
  const queues = [...bySource.values()].map((own) => [
    ...Map.groupBy(own, ({ expect }) => expect.customer_old).values(),
  ])
  await groupsSideBySide(queues, customersAtATime, async (change) => {
    if (context.interrupt.requested || held.lost || run.unexpectedCharge) return false
    const result =
      (await leftBehind(context, change, { results, planned })) ??
      declines.skipped(change) ??
      (await handOver(context, jobOf(change, plan), run))
    declines.note(result)
    results.set(change.address, result)
    context.progress.step()
    return true
  })
  return changes.map(
    ({ address, action }) => results.get(address) ?? { address, action, outcome: 'not_started' as const },
  )
}

/**
 * Subscriptions of a customer who share money leave together. When one of them did not leave, in
 * this run or before it, the ones after it are not started.
 */
async function leftBehind(
  { store }: Pick<Context, 'store'>,
  { address, action, expect }: HandoverChange,
  { results, planned }: { readonly results: ReadonlyMap<string, AppliedChange>; readonly planned: ReadonlySet<string> },
): Promise<AppliedChange | undefined> {
  for (const key of expect.together ?? []) {
    const other = subscriberAddress(key)
    const result = results.get(other)
    const isAhead = result === undefined && planned.has(other)
    if (isAhead || result?.outcome === 'done') continue
    const record = result === undefined ? await store.subscriber(key) : undefined
    if (record?.phase === (action === 'move' ? 'moved' : 'source') && result === undefined) continue
    const { message, fix } = stopped('sibling_stopped', `${key} of the same customer did not leave the account`)
    return { address, action, outcome: 'skipped', code: 'sibling_stopped', message, fix }
  }
  return undefined
}

function jobOf(change: HandoverChange, plan: string): Job {
  const steps: PlannedStep[] = change.steps.map(({ id, account, method, path, params }) => ({
    id,
    account,
    method,
    path,
    params,
  }))
  const { action: goal, because, expect } = change
  const handover = { goal, because, steps, expect, charge: null, unproven: false }
  return {
    key: splitAddress(change.address).key,
    plan,
    handover,
  }
}
