import type { SubscriberKey } from '../../core/address.ts'
import { instant, secondsPerDay, type Instant } from '../../core/instant.ts'
import { failed, success, type Outcome } from '../../core/outcome.ts'
import { sightNew } from '../../live/sights.ts'
import { givesAccess, isHeld, isOnHold } from '../../live/subscription.ts'
import { protectedDays } from '../access/carry-out.ts'
import { asSubscription } from '../read/subscriptions.ts'
import type { InboxContext } from './context.ts'
import { readSides, targetUnreadable, type ReadSides } from './live-sides.ts'
import type { Grant } from '../grants.ts'

/** How a grant stands, as both accounts say now. */
export interface Standing {
  /** Some subscription that gives it is paid or being retried, in the account that bills it. */
  readonly paid: boolean
  /** Its absence in Kajabi is repaired and never read as a wish. */
  readonly isProtected: boolean
}

/**
 * Reads how a grant stands. Protected is who is being moved: old integrations take away what they
 * think has ended, minutes to days after they hear of it. Settling may be weeks after the grant, so
 * this is asked of the old subscription itself, whose marks survive the loss of the store.
 *
 * | the old subscription                      | protected |
 * |-------------------------------------------|---------|
 * | on hold                                   | yes     |
 * | settled by us, less than seven days ago   | yes     |
 * | any other                                 | only as long as the grant says: after being given, and while we take it away or repair it |
 */
export async function readStanding(context: InboxContext, grant: Grant): Promise<Outcome<Standing>> {
  const now = context.clock()
  let paid = false
  let isProtected = grant.protectedUntil > now
  for (const subscriber of grant.subscribers) {
    const both = await readSides(context, subscriber as SubscriberKey)
    if (!both.ok) return both
    if (both.value.sides.successors === undefined) return failed(targetUnreadable)
    paid ||= both.value.successors.some(givesAccess) || oldPays(both.value)
    isProtected ||= isBeingMoved(both.value, now)
  }
  return success({ paid, isProtected })
}

/**
 * On hold for a successor that has ended it bills nobody any more, and only waits to be settled.
 */
function oldPays({ old, successors }: ReadSides): boolean {
  if (old === undefined || !givesAccess(old)) return false
  return !(isOnHold(old) && sightNew(successors.map(asSubscription)) === 'ended')
}

function isBeingMoved({ sides, old }: ReadSides, now: Instant): boolean {
  if (old === undefined) return false
  if (sides.old === 'live') return isHeld(old)
  const { canceled_at: settled } = old
  return sides.old === 'cancelled_by_us' && typeof settled === 'number' && now < protectedUntil(instant(settled))
}

function protectedUntil(settled: Instant): Instant {
  return instant(settled + protectedDays * secondsPerDay)
}
