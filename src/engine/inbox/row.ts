import { decideCancel } from '../../cancel/decide.ts'
import type { InboxEvent } from '../../cancel/machine.ts'
import { explainEnd, reasonCode } from '../../cancel/reasons.ts'
import { retryDelay } from '../../cancel/retry.ts'
import { isBug } from '../../core/assert.ts'
import type { SubscriberKey } from '../../core/address.ts'
import { instant } from '../../core/instant.ts'
import { CommandError, success, type Failure, type Outcome } from '../../core/outcome.ts'
import { agingOf, bound } from '../bound.ts'
import { askedAlready } from './asked-already.ts'
import { cancelPayer, cancelSides, restoreAll, type Cancelled } from './cancel-sides.ts'
import { askForConfirmation } from './confirm.ts'
import type { InboxContext } from './context.ts'
import { isRefusal, tellRefused } from './credentials.ts'
import { followAccess, type Followed } from './follow-access.ts'
import { applyAtWork, putHoldBack } from './hold.ts'
import { isAlive } from '../../live/subscription.ts'
import { accountAway } from '../send/listed.ts'
import type { ReadSides } from './live-sides.ts'
import { payerOf } from './payer.ts'
import { leaseLost, RowWork } from './row-work.ts'
import { readForCancel } from './shut-creation.ts'
import type { InboxRow } from './port.ts'
import { verifySignal } from './truth.ts'
import { hasWrongMapping, wronglyMapped } from './gives.ts'
import { isAboutAPerson, subscribedAgain, whomItMeans, type Meant } from './whom.ts'

/**
 * Seconds after which the readings of a row are too old to act on. It may wait long for Kajabi, but
 * not this long.
 */
const rowSeconds = 4 * 3_600

/**
 * Works on one claimed row until it ends or has to wait. Throws only when the store does not accept
 * the result.
 */
export async function workRow(context: InboxContext, row: InboxRow): Promise<void> {
  const work = new RowWork(context, row)
  const end = async (event: InboxEvent): Promise<void> => {
    const state = await work.end(event)
    if (state !== undefined) announce(context, work, state, 'reason' in event ? event.reason : event.event)
  }
  try {
    const still = await agingOf(context, rowSeconds)
    await end(await handle(bound(context, still), work))
  } catch (error) {
    // A retry would repeat a bug, so a person must see this row. Work on the other rows continues.
    await end(isBug(error) ? bugEnd(context, work, error) : postponed(context, work, unexpected(error)))
  }
}

function bugEnd(context: InboxContext, { id }: RowWork, error: Error): InboxEvent {
  context.log({ level: 'error', event: 'bug', id, error: error.name, message: error.message })
  return { event: 'failed', reason: `bug: ${error.message}` }
}

function unexpected(error: unknown): Failure {
  const message = error instanceof Error ? error.message : 'an unexpected failure'
  const code = error instanceof CommandError ? error.code : 'unexpected'
  return { kind: 'retryable', code, message, status: 0 }
}

/**
 * Processes one signal. Every request before the end is recorded durably; the caller writes the
 * end.
 */
async function handle(context: InboxContext, work: RowWork): Promise<InboxEvent> {
  if (work.begun !== undefined) return cancelBoth(context, work, work.begun)
  const truth = await verifySignal(context, work.signal)
  if (truth.truth === 'false') return { event: 'refuted', reason: truth.reason }
  if (truth.truth === 'unknown') return afterFailure(context, work, truth.failure)

  if (work.signal.event === 'subscription_ended') {
    const followed = await followAccess(context, { customer: work.signal.customer })
    return followed.ok ? { event: 'refuted', reason: 'access_followed' } : afterFailure(context, work, followed.failure)
  }
  if (work.signal.event === 'hold_removed') {
    const put = await putHoldBack(context, {
      id: work.id,
      signal: work.signal,
      facts: work.facts,
      remember: (facts) => work.note({ event: 'verified' }, facts),
    })
    return put.ok ? { event: 'refuted', reason: put.value } : afterFailure(context, work, put.failure)
  }
  if (work.signal.source === 'form') {
    const asked = await askForConfirmation(context, work)
    return asked.ok ? { event: 'refuted', reason: asked.value } : afterFailure(context, work, asked.failure)
  }

  const whom = await whomItMeans(context, work.signal)
  if (!whom.ok) return afterFailure(context, work, whom.failure)
  const choice = whom.value
  switch (choice.choice) {
    case 'one':
      return cancelBoth(context, work, choice.subscriber as SubscriberKey)
    case 'none':
      return noOne(context, work, choice)
    case 'ambiguous':
      return {
        event: 'failed',
        reason: `ambiguous: several subscriptions match: ${choice.subscribers.join(', ')}`,
      }
  }
}

/**
 * The signal matches no subscription that Crossbill knows. A repeat of a request that is done or in
 * progress needs no person; anything else that may cost money does.
 */
async function noOne(
  context: InboxContext,
  work: RowWork,
  { reason, customer }: Extract<Meant, { choice: 'none' }>,
): Promise<InboxEvent> {
  if (reason === 'contradicting_ids') return { event: 'failed', reason }
  // An offer that cannot be read may be the one that the member pays for.
  if (context.access.incomplete === true && reason !== 'nobody') return { event: 'failed', reason: 'offers_unknown' }
  if (reason !== 'already_ended' && reason !== 'no_match_for_offer') {
    const repeat = await askedAlready(context, work)
    if (!repeat.ok) return afterFailure(context, work, repeat.failure)
    if (repeat.value === undefined) return { event: 'failed', reason }
    if ('newer' in repeat.value) return { event: 'failed', reason: `subscribed_again: ${repeat.value.newer}` }
    return { event: 'refuted', reason: repeat.value.reason }
  }
  const again = await subscribedAgain(context, work.signal, customer)
  if (!again.ok) return afterFailure(context, work, again.failure)
  if (again.value !== undefined) return { event: 'failed', reason: `subscribed_again: ${again.value}` }
  const unsure = customer === undefined ? success(undefined) : await wronglyMapped(context, customer, isAlive)
  if (!unsure.ok) return afterFailure(context, work, unsure.failure)
  if (unsure.value !== undefined) return { event: 'failed', reason: `mapping_differs: ${unsure.value}` }
  // A tag left in place could later be read as a request to cancel a newer subscription.
  const removed = await removeTag(context, work.signal)
  return removed.ok ? { event: 'refuted', reason } : afterFailure(context, work, removed.failure)
}

/**
 * The subscription that bills first: a held old one cannot charge in the meantime. Then both
 * accounts are read, and whatever else is alive ends as well. Done only when both are cancelled.
 */
async function cancelBoth(context: InboxContext, work: RowWork, subscriber: SubscriberKey): Promise<InboxEvent> {
  if (work.begun === undefined) {
    const payer = await payerOf(context, subscriber)
    if (
      payer !== undefined &&
      !isChosenWrongly(context, work, { old: payer.subscription, oldAccount: payer.account })
    ) {
      const ended = await cancelPayer(context, work, payer, subscriber)
      if (!ended.ok) return afterFailure(context, work, ended.failure)
    }
  }
  const both = await readForCancel(context, subscriber)
  if (!both.ok) return afterFailure(context, work, both.failure)
  const decision = decideCancel(both.value.sides)
  if (decision.do === 'cancel' && decision.new.length === 0 && isChosenWrongly(context, work, both.value))
    return { event: 'failed', reason: `mapping_differs: ${subscriber}` }
  let cancelled: readonly Cancelled[] = []
  switch (decision.do) {
    case 'wait':
      return postponed(context, work, { kind: 'retryable', code: decision.reason, message: '', status: 0 })
    case 'ask':
      return { event: 'failed', reason: decision.reason }
    case 'nothing': {
      if (work.begun === undefined) {
        const again = await subscribedAgain(context, work.signal, both.value.customer)
        if (!again.ok) return afterFailure(context, work, again.failure)
        if (again.value !== undefined) return { event: 'failed', reason: `subscribed_again: ${again.value}` }
      }
      if (!(await work.note({ event: 'verified' }, { subscriber }))) return postponed(context, work, leaseLost)
      break
    }
    case 'cancel': {
      const outcome = await cancelSides(context, work, both.value, { ...decision, subscriber })
      if (!outcome.ok) return afterFailure(context, work, outcome.failure)
      cancelled = outcome.value
    }
  }
  const restored = await restoreAll(context, work, both.value, cancelled)
  return restored.ok
    ? tidy(context, work, { customer: both.value.customer, subscriber })
    : afterFailure(context, work, restored.failure)
}

/**
 * Whether the subscriber was found by the offer of the signal while the mapping of a price that
 * they pay is wrong: which subscription gives the offer is then unknown. A link and an operator
 * name the subscription.
 */
function isChosenWrongly(
  context: InboxContext,
  work: RowWork,
  { old, oldAccount }: Pick<ReadSides, 'old' | 'oldAccount'>,
): boolean {
  if (work.begun !== undefined || !isAboutAPerson(work.signal.source)) return false
  return old !== undefined && oldAccount !== undefined && hasWrongMapping(context, oldAccount.name, old)
}

/**
 * After the cancel: removes the tag, so that it can be set again later, and revokes the access that
 * no subscription pays for any more.
 */
async function tidy(context: InboxContext, work: RowWork, whose: Followed): Promise<InboxEvent> {
  const removed = await removeTag(context, work.signal)
  if (!removed.ok) return afterFailure(context, work, removed.failure)
  const followed = await followAccess(context, whose)
  return followed.ok ? { event: 'cancelled' } : afterFailure(context, work, followed.failure)
}

async function removeTag({ kajabi }: InboxContext, { contact, tag }: InboxRow['signal']): Promise<Outcome<true>> {
  if (kajabi === undefined || contact === undefined || tag === undefined) return success(true)
  const removed = await kajabi.removeTag(contact, tag)
  return removed.ok || removed.failure.code === 'not_found' ? success(true) : removed
}

/** Seconds between checks whether an apply has ended. Such a wait is not a failed try. */
const applySeconds = 10
/**
 * The longest wait, in seconds, of a row whose account is unavailable; it becomes due as soon as
 * the account answers.
 */
const awaySeconds = 120

function afterFailure(context: InboxContext, work: RowWork, failure: Failure): InboxEvent {
  tellRefused(context, failure)
  if (isRefusal(failure)) return postponed(context, work, failure)
  // A permanent refusal: a retry changes nothing, a person must look.
  if (failure.kind === 'rejected' || failure.kind === 'conflict')
    return { event: 'failed', reason: `${failure.code}: ${failure.message}` }
  return postponed(context, work, failure)
}

function postponed(context: InboxContext, work: RowWork, failure: Failure): InboxEvent {
  const { attempts } = work
  const uncounted = uncountedSeconds(failure, context.random())
  if (uncounted !== undefined)
    return { event: 'postponed', at: instant(context.clock() + uncounted), attempts, reason: failure.code }
  const delay = retryDelay(attempts, context.random(), failure.retryAfter)
  if (delay === undefined) return { event: 'failed', reason: `given up after ${attempts} tries: ${failure.code}` }
  return { event: 'postponed', at: instant(context.clock() + delay), attempts: attempts + 1, reason: failure.code }
}

/**
 * A wait for an apply, or for an account known not to answer, is not a failed try of this signal.
 */
function uncountedSeconds({ code }: Failure, random: number): number | undefined {
  if (code === applyAtWork.code) return applySeconds
  return code === accountAway ? Math.ceil(1 + random * awaySeconds) : undefined
}

function announce(context: InboxContext, { id, signal, acceptedAt }: RowWork, state: string, reason: string): void {
  const seconds = context.clock() - acceptedAt
  const level = state === 'dead' ? 'error' : 'info'
  context.log({ level, event: 'signal', id, state, reason, seconds, source: signal.source })
  if (state !== 'dead') return
  const { means = '', next = '' } = explainEnd({ id, state, reason }) ?? {}
  context.alert({
    key: `dead ${id}`,
    group: `dead ${reasonCode(reason)}`,
    severity: 'critical',
    summary: `a cancel could not be done (${reason}). ${means} ${next}`,
    fix: `crossbill inbox show ${id}`,
  })
}
