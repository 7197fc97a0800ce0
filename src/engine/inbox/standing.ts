import type { SubscriberKey } from '../../core/address.ts'
import { instant, secondsPerDay, type Instant } from '../../core/instant.ts'
import { failed, success, type Outcome } from '../../core/outcome.ts'
import { observeNew } from '../../live/observations.ts'
import { givesAccess, isHeld, isOnHold } from '../../live/subscription.ts'
import { protectedDays } from '../access/carry-out.ts'
import { asSubscription } from '../read/subscriptions.ts'
import type { InboxContext } from './context.ts'
import { readSides, targetUnreadable, type ReadSides } from './live-sides.ts'
import type { Grant } from '../grants.ts'

/** The state of a grant, as both accounts show it now. */
export interface Standing {
  /**
   * A subscription that gives the offer is paid, or its payment is being retried, in the account
   * that bills it.
   */
  readonly paid: boolean
  /** Its absence in Kajabi is repaired and never read as a cancel request. */
  readonly isProtected: boolean
}

/**
 * Reads the state of a grant. Subscribers who are being moved are protected: old integrations
 * revoke what they think has ended, minutes to days after the event. Settling may come weeks after
 * the grant, so the old subscription is read: its marks survive the loss of the store.
 *
 * | the old subscription                          | protected                                  |
 * | --------------------------------------------- | ------------------------------------------ |
 * | on hold                                       | yes                                        |
 * | settled by Crossbill less than seven days ago | yes                                        |
 * | any other                                     | while the grant's `protectedUntil` says so |
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

/** When its successor has ended, a held subscription bills nothing and only waits to be settled. */
function oldPays({ old, successors }: ReadSides): boolean {
  if (old === undefined || !givesAccess(old)) return false
  return !(isOnHold(old) && observeNew(successors.map(asSubscription), asSubscription(old)) === 'ended')
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
