import type Stripe from 'stripe'
import type { IgnoredReason } from '../../cancel/reasons.ts'
import { subscriberAddress, type SubscriberKey } from '../../core/address.ts'
import { digest } from '../../core/canonical.ts'
import { isJsonObject, type JsonObject } from '../../core/json.ts'
import { idOf } from '../../core/reference.ts'
import { CommandError, failed, success, type Failure, type Outcome } from '../../core/outcome.ts'
import { endsComment, markHold } from '../../live/marks.ts'
import { keptPause } from '../../handover/hold-steps.ts'
import { observeNew, observeOld } from '../../live/observations.ts'
import { readHold } from '../../live/source.ts'
import { endOfHold, isAlive } from '../../live/subscription.ts'
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
 * Restores a hold that was removed from an old subscription whose successor bills. Without it, both
 * accounts would charge from the next renewal on. Everything is read again under the lease of an
 * apply, so that this never works against a revert in progress.
 *
 * | old             | new          | the store says | then                                        |
 * | --------------- | ------------ | -------------- | ------------------------------------------- |
 * | over, or unread |              |                | nothing, or a later retry                   |
 * | any             | unread       |                | a later retry                               |
 * | any             | not one live |                | no hold; alert if the old one would collect |
 * | hold gone       | live         | moved          | hold restored; alert                        |
 * | hold gone       | live         | in progress    | nothing: left to recovery                   |
 * | hold gone       | live         | anything else  | no hold; alert: a person decides            |
 * | on hold         | live         | moved          | no hold needed                              |
 *
 * In the fourth and the last row, the collection of invoices that the old account created in the
 * meantime stops. A person decides about voids and refunds.
 * @returns why the signal ends here
 */
export async function putHoldBack(context: InboxContext, row: HoldRow): Promise<Outcome<IgnoredReason>> {
  if ((await context.store.leaseHolder(applyLease)) !== undefined) return failed(applyAtWork)
  try {
    return await withLease({ ...context, progress: unseen }, applyLease, (held, bound) => restoreHold(bound, row, held))
  } catch (error) {
    if (error instanceof CommandError && stoppedCodes.has(error.code)) return failed(applyAtWork)
    throw error
  }
}

const stoppedCodes = new Set(['apply_running', 'lease_lost', 'run_too_old'])

/** This wait does not count as a try: an apply may take hours. */
export const applyAtWork: Failure = {
  kind: 'retryable',
  code: 'apply_running',
  message: 'an apply is running on this store',
  status: 0,
}

const unseen = { start() {}, step() {}, note() {}, done() {} }

/**
 * The signal in progress. `remember` is durable when it returns; it returns false when another
 * worker has taken the row.
 */
export interface HoldRow {
  readonly id: string
  readonly signal: InboxRow['signal']
  readonly facts: JsonObject
  remember(facts: JsonObject): Promise<boolean>
}

async function restoreHold(context: InboxContext, row: HoldRow, held: Held): Promise<Outcome<IgnoredReason>> {
  const subscriber = (row.signal.subscriber ?? '') as SubscriberKey
  const both = await readSides(context, subscriber)
  if (!both.ok) return both
  const { old, oldAccount: account, sides, successors } = both.value
  if (old === undefined || account === undefined || sides.old !== 'live') return success('old_is_over')
  if (sides.successors === undefined) return failed(targetUnreadable)
  const observation = observeOld(asSubscription(old))
  const gone = observation === 'free' || observation === 'hold_removed'
  const successor = observeNew(successors.map(asSubscription), asSubscription(old))
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
  const live = successors.find(isAlive)?.id ?? ''
  const work: HoldWork = { row: row.id, subscriber, account, old: asSubscription(old), successor: live }
  if (gone) {
    if (held.lost || !(await row.remember({ hold_gone: true }))) return failed(applyAtWork)
    const put = await putBack(context, work)
    if (!put.ok) return afterRefusal(context, subscriber, put)
  }
  const since = readHold(work.old)?.since ?? record.updated
  const made = await madeSince(account, work.old, since)
  if (!made.ok) return made
  const stopped = [...new Set([...stoppedBefore(row.facts), ...idsOf(made.value, 'collecting')])]
  // Durable before the first request: after a crash, the next worker must still report all of them.
  if (stopped.length > 0 && !(await row.remember({ stopped }))) return failed(applyAtWork)
  let refused: Failure | undefined
  for (const invoice of idsOf(made.value, 'collecting')) {
    const outcome = await stopCollecting(context, { row: row.id, account, customer: idOf(work.old.customer) }, invoice)
    if (!outcome.ok && outcome.failure.kind !== 'rejected') return outcome
    if (!outcome.ok) refused = outcome.failure
  }
  // An invoice may have been paid or voided at this moment, whether or not it took the request.
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
 * A cancel may end both subscriptions while the hold is being restored. Stripe then refuses the
 * hold, and nothing is left to hold. While this cannot be read, the refusal is not final.
 */
async function afterRefusal(
  context: InboxContext,
  subscriber: SubscriberKey,
  refused: { readonly ok: false; readonly failure: Failure },
): Promise<Outcome<'old_is_over'>> {
  if (refused.failure.kind !== 'rejected') return refused
  const both = await readSides(context, subscriber)
  if (!both.ok) return both
  return both.value.sides.old === 'live' ? refused : success('old_is_over')
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
  readonly successor: string
}

/**
 * Sets the pause that a proven move keeps, and the original mark, which records what a revert
 * restores.
 */
async function putBack(context: InboxContext, work: HoldWork): Promise<Outcome<true>> {
  const { row, subscriber, account, old } = work
  const mark = old.metadata[markHold] ?? (await markOnce(context, subscriber))
  if (mark === undefined)
    return failed({
      kind: 'rejected',
      code: 'hold_mark_lost',
      message: `${subscriber} collects although its successor is live. The record of its hold is lost, so the hold was not restored; run "crossbill apply" now`,
      status: 0,
    })
  const outcome = await perform(context, {
    address: `inbox.${row}`,
    step: `hold ${account.name} ${old.id}`,
    account,
    method: 'POST',
    path: `/v1/subscriptions/${old.id}`,
    params: {
      ...(endOfHold(old) === undefined ? { pause_collection: keptPause } : endAgain(work)),
      metadata: { [markHold]: mark },
    },
    shutAt: `/v1/customers/${idOf(old.customer)}`,
    key: digest([row, account.id, old.id, 'hold']),
  })
  if (!outcome.ok) return outcome
  if (observeOld(asSubscription(outcome.value)) === 'kept') return success(true)
  return failed({
    kind: 'rejected',
    code: 'hold_not_taken',
    message: `Stripe accepted the hold of ${old.id}, but the subscription is not on hold (it may resume by itself): pause it in the Dashboard of ${account.name}`,
    status: 0,
  })
}

/** A pause would void the usage of the period. */
function endAgain({ successor }: HoldWork): JsonObject {
  const comment = `${endsComment}${successor}`
  return { pause_collection: null, cancel_at_period_end: true, cancellation_details: { comment } }
}

/** The mark as the hand-over set it, from the journal, which keeps every request. */
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
    `the hold of ${subscriber} was removed in Stripe; Crossbill has restored it`,
    ...(stopped.length === 0
      ? []
      : [
          `invoices created in the meantime, whose collection Crossbill stopped: ${stopped.join(', ')}; void those in the old account that the target also bills`,
        ]),
    ...(paid.length === 0
      ? []
      : [
          `invoices paid in the meantime in the old account: ${paid.join(', ')}; refund those that the target also charged`,
        ]),
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
  several: 'several live subscriptions are marked as its successor',
  unknown: 'this store has no record that it was moved',
} as const

function tellNotPutBack(context: InboxContext, subscriber: string, why: keyof typeof whyNot): void {
  context.alert({
    key: `hold_missing ${subscriber}`,
    severity: 'critical',
    summary: `the hold of ${subscriber} was removed in Stripe, and Crossbill did not restore it: ${whyNot[why]}. The old account will charge at the next renewal`,
    fix: why === 'unknown' ? 'crossbill apply' : 'crossbill verify',
  })
}
