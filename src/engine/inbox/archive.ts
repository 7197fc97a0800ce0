import { instant, secondsPerDay } from '../../core/instant.ts'
import type { InboxContext } from './context.ts'

/** Rows in one transaction. */
const atOnce = 200
/** Milliseconds between two transactions, in which signals are stored and worked on. */
const pauseSeconds = 0.05

/**
 * Removes signals that ended longer ago than `policy.keepDays`, in small steps. What waits for a
 * person stays. Ends early when `stopped` says so.
 * @returns how many were removed
 */
export async function archiveFinished(context: InboxContext, stopped: () => boolean = () => false): Promise<number> {
  const { keepDays } = context.policy
  if (keepDays === undefined) return 0
  const before = instant(context.clock() - keepDays * secondsPerDay)
  let removed = 0
  while (!stopped()) {
    const now = await context.inbox.archive(before, atOnce)
    removed += now
    if (now < atOnce) break
    await context.wait(pauseSeconds)
  }
  if (removed > 0) context.log({ level: 'info', event: 'archived', signals: removed })
  return removed
}
