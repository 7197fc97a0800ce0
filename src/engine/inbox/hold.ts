import type Stripe from 'stripe'
import type { IgnoredReason } from '../../cancel/reasons.ts'
import { subscriberAddress, type SubscriberKey } from '../../core/address.ts'
import { digest } from '../../core/canonical.ts'
import { isJsonObject, type JsonObject } from '../../core/json.ts'
import { CommandError, failed, success, type Failure, type Outcome } from '../../core/outcome.ts'
import { markHold } from '../../live/marks.ts'
import { keptPause } from '../../handover/plans.ts'
import { sightNew, sightOld } from '../../live/sights.ts'
import { readHold } from '../../live/source.ts'
import { isUnfinished } from '../handover/hand-over.ts'
import { applyLease, withLease, type Held } from '../lease.ts'
import { perform } from '../send/perform.ts'
import type { StripeAccount } from '../ports.ts'
import { asSubscription } from '../read/subscriptions.ts'
import type { InboxContext } from './context.ts'
import { madeSince, stopCollecting, type Made } from './hold-invoices.ts'
import { readSides, targetUnreadable } from './live-sides.ts'
import type { InboxRow } from './port.ts'

/**
 * Somebody took the hold off an old subscription whose successor bills: from its next renewal on
 * two accounts would charge. Everything is read back, under the lease that an apply holds, so that
 * a revert under way is never worked against.
 *
 * | old                | new     | the store says | then                                                                |
 * |--------------------|---------|----------------|---------------------------------------------------------------------|
 * | over, or unread    |         |                | nothing, or again later                                             |
 * | any                | unread  |                | again later                                                         |
 * | any                | not one live |           | nothing is put back; alarm when it would collect from somebody who left |
 * | hold gone          | live    | moved          | put back; alarm                                                     |
 * | hold gone          | live    | on the way     | nothing: recovery finishes or undoes it                             |
 * | hold gone          | live    | anything else  | nothing: alarm, a person decides                                    |
 * | on hold            | live    | moved          | nothing to put back                                                 |
 *
 * In the last and the fourth row, invoices that the old account made meanwhile stop collecting.
 * Nothing is voided or refunded by itself: that is a person's to decide.
 * @returns why the signal ends here
 */
export async function putHoldBack(context: InboxContext, row: HoldRow): Promise<Outcome<IgnoredReason>> {
  if ((await context.store.leaseHolder(applyLease)) !== undefined) return failed(applyAtWork)
  try {
    return await withLease({ ...context, progress: unseen }, applyLease, (held, bound) => mend(bound, row, held))
  } catch (error) {
    if (error instanceof CommandError && (error.code === 'apply_running' || error.code === 'lease_lost'))
      return failed(applyAtWork)
    throw error
  }
}

/** Waits without counting as a try: an apply may take hours. */
export const applyAtWork: Failure = {
  kind: 'retryable',
  code: 'apply_running',
  message: 'an apply is at work on this store',
  status: 0,
}

const unseen = { start() {}, step() {}, note() {}, done() {} }

/**
 * The signal in hand. `remember` is durable when it returns; false when the row is somebody else's
 * by now.
 */
export interface HoldRow {
  readonly id: string
  readonly signal: InboxRow['signal']
  readonly facts: JsonObject
  remember(facts: JsonObject): Promise<boolean>
}

async function mend(context: InboxContext, row: HoldRow, held: Held): Promise<Outcome<IgnoredReason>> {
  const subscriber = (row.signal.subscriber ?? '') as SubscriberKey
  const both = await readSides(context, subscriber)
  if (!both.ok) return both
  const { old, oldAccount: account, sides, successors } = both.value
  if (old === undefined || account === undefined || sides.old !== 'live') return success('old_is_over')
  if (sides.successors === undefined) return failed(targetUnreadable)
  const sight = sightOld(asSubscription(old))
  const gone = sight === 'free' || sight === 'hold_removed'
  const successor = sightNew(successors.map(asSubscription))
  if (successor !== 'live') {
    if (gone && (successor === 'ended' || successor === 'several')) tellNotPutBack(context, subscriber, successor)
    return success(successor === 'several' ? 'several_successors' : 'no_live_successor')
  }
  const record = await context.store.subscriber(subscriber)
  if (record !== undefined && isUnfinished(record)) return success('left_to_recovery')
  if (record?.phase !== 'moved') {
    if (gone) tellNotPutBack(context, subscriber, 'unknown')
    return success('not_on_hold_by_the_store')
  }
  const work: HoldWork = { row: row.id, subscriber, account, old: asSubscription(old) }
  if (gone) {
    if (held.lost || !(await row.remember({ hold_gone: true }))) return failed(applyAtWork)
    const put = await putBack(context, work)
    if (!put.ok) return (await isOverNow(context, subscriber, put.failure)) ? success('old_is_over') : put
  }
  const since = readHold(work.old)?.since ?? record.updated
  const made = await madeSince(account, work.old, since)
  if (!made.ok) return made
  const stopped = [...new Set([...stoppedBefore(row.facts), ...idsOf(made.value, 'collecting')])]
  // Durable before the first request: whoever goes on after a crash still has to tell of all of it.
  if (stopped.length > 0 && !(await row.remember({ stopped }))) return failed(applyAtWork)
  let refused: Failure | undefined
  for (const invoice of idsOf(made.value, 'collecting')) {
    const outcome = await stopCollecting(context, row.id, account, invoice)
    if (!outcome.ok && outcome.failure.kind !== 'rejected') return outcome
    if (!outcome.ok) refused = outcome.failure
  }
  // One of them may have been paid or voided in this moment, whether or not it took the request.
  const left = stopped.length === 0 ? made : await madeSince(account, work.old, since)
  if (!left.ok) return left
  if (refused !== undefined && idsOf(left.value, 'collecting').length > 0) return failed(refused)
  const wasGone = gone || row.facts['hold_gone'] === true
  const paid = idsOf(left.value, 'paid')
  const unpaid = stopped.filter((id) => !paid.includes(id))
  if (wasGone || stopped.length > 0 || paid.length > 0) tell(context, subscriber, { stopped: unpaid, paid })
  return success(wasGone ? 'hold_put_back' : 'hold_is_there')
}

/**
 * A cancel may end both while the hold is being put back: Stripe then refuses it, and there is
 * nothing left to hold.
 */
async function isOverNow(context: InboxContext, subscriber: SubscriberKey, { kind }: Failure): Promise<boolean> {
  if (kind !== 'rejected') return false
  const both = await readSides(context, subscriber)
  return both.ok && both.value.sides.old !== 'live'
}

function idsOf(made: readonly Made[], status: Made['status']): string[] {
  return made.filter((one) => one.status === status).map(({ id }) => id)
}

function stoppedBefore({ stopped }: JsonObject): string[] {
  return Array.isArray(stopped) ? stopped.filter((id) => typeof id === 'string') : []
}

interface HoldWork {
  readonly row: string
  readonly subscriber: SubscriberKey
  readonly account: StripeAccount
  readonly old: Stripe.Subscription
}

/**
 * The pause as it is kept after a proven move, and the mark as it was: it remembers what a revert
 * restores.
 */
async function putBack(context: InboxContext, work: HoldWork): Promise<Outcome<true>> {
  const { row, subscriber, account, old } = work
  const mark = old.metadata[markHold] ?? (await markOnce(context, subscriber))
  if (mark === undefined)
    return failed({
      kind: 'rejected',
      code: 'hold_mark_lost',
      message: `${subscriber} collects although its successor lives, and what its hold remembered is lost; run "crossbill apply" now`,
      status: 0,
    })
  const outcome = await perform(context, {
    address: `inbox.${row}`,
    step: `hold ${account.name} ${old.id}`,
    account,
    method: 'POST',
    path: `/v1/subscriptions/${old.id}`,
    params: { pause_collection: keptPause, metadata: { [markHold]: mark } },
    key: digest([row, account.id, old.id, 'hold']),
  })
  if (!outcome.ok) return outcome
  if (sightOld(asSubscription(outcome.value)) === 'kept') return success(true)
  return failed({
    kind: 'rejected',
    code: 'hold_not_taken',
    message: `${old.id} took the hold and yet is not held (it may resume by itself): pause it in the Dashboard of ${account.name}`,
    status: 0,
  })
}

/** The mark as the hand-over set it: the journal keeps every request. */
async function markOnce(context: InboxContext, subscriber: SubscriberKey): Promise<string | undefined> {
  const marks = (await context.store.journal({ address: subscriberAddress(subscriber) })).flatMap(({ params }) => {
    const metadata = params['metadata']
    const mark = isJsonObject(metadata) ? metadata[markHold] : undefined
    return typeof mark === 'string' ? [mark] : []
  })
  return marks.at(-1)
}

function tell(
  context: InboxContext,
  subscriber: string,
  { stopped, paid }: { readonly stopped: readonly string[]; readonly paid: readonly string[] },
): void {
  const summary = [
    `somebody took the hold off ${subscriber}; it is on hold again`,
    ...(stopped.length === 0
      ? []
      : [
          `made meanwhile and collecting no more: ${stopped.join(', ')}; void in the old account what the target bills`,
        ]),
    ...(paid.length === 0
      ? []
      : [`paid meanwhile in the old account: ${paid.join(', ')}; refund what the target charged, too`]),
  ]
  context.log({ level: 'warn', event: 'hold_put_back', subscriber, stopped: stopped.length, paid: paid.length })
  context.alert({
    key: `hold_missing ${subscriber}`,
    severity: 'critical',
    summary: summary.join('. '),
    fix: 'crossbill verify',
  })
}

const whyNot = {
  ended: 'its successor has ended, so it must be settled and never bill again',
  several: 'several live subscriptions claim to succeed it',
  unknown: 'this store does not know it as moved',
} as const

function tellNotPutBack(context: InboxContext, subscriber: string, why: keyof typeof whyNot): void {
  context.alert({
    key: `hold_missing ${subscriber}`,
    severity: 'critical',
    summary: `somebody took the hold off ${subscriber}, and it was not put back: ${whyNot[why]}. The old account will charge at its next renewal`,
    fix: why === 'unknown' ? 'crossbill apply' : 'crossbill verify',
  })
}
