import type { SubscriberKey } from '../../core/address.ts'
import { failed, success, type Failure, type Outcome } from '../../core/outcome.ts'
import { quietSeconds } from '../../handover/events.ts'
import { markClosed } from '../../live/marks.ts'
import { hasHoldMark } from '../../live/subscription.ts'
import { readHolds } from '../../live/source.ts'
import { creationKey } from '../handover/keys.ts'
import { asSubscription } from '../read/subscriptions.ts'
import { sendPatiently, usesUpKey } from '../send/perform.ts'
import type { InboxContext } from './context.ts'
import { readSides, type ReadSides } from './live-sides.ts'

/**
 * Both sides for a cancel, once no run can create a successor any more that the cancel would not
 * see.
 */
export async function readForCancel(context: InboxContext, subscriber: SubscriberKey): Promise<Outcome<ReadSides>> {
  const both = await readSides(context, subscriber)
  if (!both.ok || both.value.sides.old !== 'live' || both.value.sides.successors === undefined) return both
  // The move was complete, so no creation is in flight: a person has to look for the successor.
  if (both.value.sides.unseen === true) return both
  const shut = await shutCreation(context, both.value)
  if (!shut.ok) return shut
  if (shut.value === 'shut') return both
  const again = await readSides(context, subscriber)
  if (!again.ok || again.value.sides.successors === undefined || isMade(again.value)) return again
  const wait = mayStillAppear(context, again.value)
  return wait === undefined ? again : failed(wait)
}

/** Whether the present hold has its successor, whatever happened to it later. */
function isMade(both: ReadSides): boolean {
  return both.successors.some((one) => readHolds(asSubscription(one)).count === holdOf(both).count)
}

/**
 * A run that moves this subscriber, on any machine, may be about to create the successor, or its
 * creation may still be committed: it must not charge a member after the cancel. So the creation is
 * made impossible before the cancel, as a release does it: a request that changes nothing is sent
 * under the creation's own key.
 *
 * | old subscription                     | the key          | result                           |
 * |--------------------------------------|------------------|----------------------------------|
 * | not on hold, or its successor exists | not used here    | `shut`                           |
 * | on hold, no successor                | free until now   | `shut`                           |
 * | on hold, no successor                | used before      | `used`: read the successors again |
 */
async function shutCreation(context: InboxContext, both: ReadSides): Promise<Outcome<'shut' | 'used'>> {
  const { old, customer } = both
  if (old === undefined || customer === undefined || !hasHoldMark(old)) return success('shut')
  const { id, count } = holdOf(both)
  if (count === 0 || isMade(both)) return success('shut')
  const answer = await sendPatiently(context, context.accounts.target, {
    method: 'POST',
    path: `/v1/customers/${customer}`,
    params: { metadata: { [markClosed]: null } },
    idempotencyKey: creationKey(id, count),
  })
  if (answer.ok || answer.failure.code === 'resource_missing') return success('shut')
  return usesUpKey(answer.failure) ? success('used') : failed(answer.failure)
}

/**
 * The key was used, and no read shows a successor. It was refused, or it is not visible yet: until
 * the hold has been quiet for long enough, the cancel waits.
 */
function mayStillAppear(context: InboxContext, both: ReadSides): Failure | undefined {
  const retryAfter = holdOf(both).at + quietSeconds - context.accounts.target.now()
  if (retryAfter <= 0) return undefined
  const message = 'a run has sent the creation of the new subscription, and no read shows it yet'
  return { kind: 'retryable', code: 'creation_unknown', message, status: 0, retryAfter }
}

function holdOf({ old }: ReadSides): { readonly id: string; readonly count: number; readonly at: number } {
  if (old === undefined) return { id: '', count: 0, at: 0 }
  const subscription = asSubscription(old)
  return { id: subscription.id, ...readHolds(subscription) }
}
