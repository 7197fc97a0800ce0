import type { Job } from '../handover/job.ts'
import { splitAddress } from '../../core/address.ts'
import type { Expectation, PlannedStep } from '../../handover/types.ts'
import type { Change } from '../../plan/types.ts'
import type { AppliedChange } from '../send/applied.ts'
import type { Context } from '../context.ts'
import { beginRun, handOver } from '../handover/hand-over.ts'
import type { Held } from '../lease.ts'
import { sideBySide } from '../side-by-side.ts'

/**
 * Customers worked on at a time. A move is some ten calls of 300 ms, one after the other, three or
 * four of them the same operation: with this many under way the limiter of each account sets the
 * pace, not the waiting, also when two accounts share the work.
 */
const customersAtATime = 64

/**
 * Hands over, settles and sets back: one subscriber of a customer at a time, customers side by
 * side. One who cannot be moved leaves the others alone; a charge that nobody expected stops
 * everybody.
 */
export async function applySubscribers(
  context: Context,
  changes: readonly Change[],
  { held, plan }: { readonly held: Held; readonly plan: string },
): Promise<readonly AppliedChange[]> {
  const results = new Map<string, AppliedChange>()
  const run = await beginRun(context)
  const queues = Map.groupBy(changes, (change) => {
    const { source, customer_old } = expectationOf(change)
    return `${source}/${customer_old}`
  })
  await sideBySide(queues.values(), customersAtATime, async (change) => {
    if (context.interrupt.requested || held.lost || run.unexpectedCharge) return false
    results.set(change.address, await handOver(context, jobOf(change, plan), run))
    context.progress.step()
    return true
  })
  return changes.map(
    ({ address, action }) => results.get(address) ?? { address, action, outcome: 'not_started' as const },
  )
}

function expectationOf(change: Change): Expectation {
  // Made by `planSubscribers` from exactly this type; a plan file carries it as JSON, protected by
  // its digest.
  return change.expect as unknown as Expectation
}

function jobOf(change: Change, plan: string): Job {
  const steps: PlannedStep[] = change.steps.map(({ id, account, method, path, params }) => ({
    id,
    account,
    method,
    path,
    params,
  }))
  const expect = expectationOf(change)
  const handover = { goal: expect.goal, because: change.because, steps, expect, charge: null, unproven: false }
  return {
    key: splitAddress(change.address).key,
    plan,
    handover,
  }
}
