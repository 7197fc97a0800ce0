import { decideCancel } from '../../cancel/decide.ts'
import { nextInbox, type InboxEvent, type InboxState } from '../../cancel/machine.ts'
import { explainEnd, reasonCode } from '../../cancel/reasons.ts'
import { retryDelay } from '../../cancel/retry.ts'
import { Bug, isBug } from '../../core/assert.ts'
import { splitSubscriberKey, type SubscriberKey } from '../../core/address.ts'
import { instant, type Instant } from '../../core/instant.ts'
import type { JsonObject, StripeObject } from '../../core/json.ts'
import { CommandError, failed, success, type Failure, type Outcome } from '../../core/outcome.ts'
import { agingOf, bound } from '../bound.ts'
import { askedAlready } from './asked-already.ts'
import { cancelSubscription, ownCancel, type CancelWork } from './cancel.ts'
import { askForConfirmation } from './confirm.ts'
import type { StripeAccount } from '../ports.ts'
import type { InboxContext } from './context.ts'
import { isRefusal, tellRefused } from './credentials.ts'
import { followAccess, type Followed } from './follow-access.ts'
import { applyAtWork, putHoldBack } from './hold.ts'
import { isAlive, isOver } from '../../live/subscription.ts'
import { collectAllAgain } from '../send/collection.ts'
import { accountAway } from '../send/listed.ts'
import type { ReadSides } from './live-sides.ts'
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
  try {
    const still = await agingOf(context, rowSeconds)
    await work.end(await handle(bound(context, still), work))
  } catch (error) {
    // A retry would repeat a bug, so a person must see this row. Work on the other rows continues.
    await work.end(isBug(error) ? bugEnd(context, work, error) : postponed(context, work, unexpected(error)))
  }
}

function bugEnd(context: InboxContext, { id }: RowWork, error: Error): InboxEvent {
  context.log({ level: 'error', event: 'bug', id, error: error.name, message: error.message })
  return { event: 'failed', reason: `bug: ${error.message}` }
}

/** A claimed row in progress. Its state changes with every durable note. */
class RowWork {
  readonly id: string
  readonly signal: InboxRow['signal']
  readonly acceptedAt: Instant
  facts: JsonObject
  private now: InboxState
  private readonly context: InboxContext

  constructor(context: InboxContext, row: InboxRow) {
    this.context = context
    this.id = row.id
    this.signal = row.signal
    this.acceptedAt = row.acceptedAt
    this.facts = row.facts
    this.now = row.now
  }

  /** Tries so far, including counted tries that a crash interrupted. */
  get attempts(): number {
    if (this.now.state === 'retry') return this.now.attempts
    // An operator redrove the row, which resets the tries.
    return this.now.state === 'received' ? 0 : Number(this.facts['attempts'] ?? 0)
  }

  /**
   * The subscriber that an earlier, verified try began to cancel. That cancel is finished, even if
   * the tag or the link has changed since.
   */
  get begun(): SubscriberKey | undefined {
    const { subscriber } = this.facts
    const under = this.now.state === 'cancelling' || this.now.state === 'retry'
    return under && typeof subscriber === 'string' ? (subscriber as SubscriberKey) : undefined
  }

  /** Durable before the next request. False when the lease was lost: another worker has the row. */
  async note(event: InboxEvent, facts: JsonObject): Promise<boolean> {
    const next = nextInbox(this.now, event)
    if (next === undefined) throw new Bug(`inbox row ${this.id}: ${event.event} in state ${this.now.state}`)
    const at = this.context.clock()
    const attempts = next.state === 'retry' ? { attempts: next.attempts } : {}
    const known = { ...this.facts, ...facts, ...attempts }
    const saved = await this.context.inbox.save(this.id, this.context.run, {
      now: next,
      facts: known,
      note: { at, state: next.state, text: 'reason' in event ? event.reason : event.event },
      release: next.state !== 'cancelling' && next.state !== 'verifying',
    })
    // The memory changes only after the write, so that after a failed write it still equals the
    // store.
    if (saved) [this.facts, this.now] = [known, next]
    return saved
  }

  async end(event: InboxEvent): Promise<void> {
    if (event.event === 'cancelled' && this.now.state !== 'cancelling') await this.note({ event: 'verified' }, {})
    if (await this.note(event, {}))
      announce(this.context, this, this.now.state, 'reason' in event ? event.reason : event.event)
  }
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
 * The new subscription first: a held old one cannot charge in the meantime. Done only when both are
 * cancelled.
 */
async function cancelBoth(context: InboxContext, work: RowWork, subscriber: SubscriberKey): Promise<InboxEvent> {
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
      const outcome = await send(context, work, both.value, { ...decision, subscriber })
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
function isChosenWrongly(context: InboxContext, work: RowWork, { old, oldAccount }: ReadSides): boolean {
  if (work.begun !== undefined || !isAboutAPerson(work.signal.source)) return false
  return old !== undefined && oldAccount !== undefined && hasWrongMapping(context, oldAccount.name, old)
}

/** A subscription as the answer to its cancel shows it. */
interface Cancelled {
  readonly account: StripeAccount
  readonly subscription: StripeObject
}

/**
 * Collects the customer's other invoices again, which a cancel stopped: a cancel of this try, or of
 * an earlier one that crashed before it restored them.
 */
async function restoreAll(
  context: InboxContext,
  { id: row }: RowWork,
  { old, oldAccount, successors }: ReadSides,
  cancelled: readonly Cancelled[],
): Promise<Outcome<true>> {
  const known = new Map<string, Cancelled>()
  for (const one of successors) known.set(one.id ?? '', { account: context.accounts.target, subscription: one })
  if (old !== undefined && oldAccount !== undefined) known.set(old.id ?? '', { account: oldAccount, subscription: old })
  for (const one of cancelled) known.set(one.subscription.id ?? '', one)
  for (const [id, { account, subscription }] of known) {
    if (!isOver(subscription)) continue
    const restored = await collectAllAgain(context, ownCancel({ row, account, subscription: id }, subscription))
    if (!restored.ok) return restored
  }
  return success(true)
}

async function send(
  context: InboxContext,
  work: RowWork,
  both: ReadSides,
  decision: { readonly subscriber: SubscriberKey; readonly new: readonly string[]; readonly old: boolean },
): Promise<Outcome<readonly Cancelled[]>> {
  const { subscriber } = decision
  const common = { row: work.id }
  const all: Cancelled[] = []
  const cancels: CancelWork[] = decision.new.map((subscription) => ({
    ...common,
    account: context.accounts.target,
    subscription,
    seen: both.successors.find(({ id }) => id === subscription),
    when: context.policy.cancel,
  }))
  if (decision.old && both.oldAccount !== undefined)
    cancels.push({
      ...common,
      account: both.oldAccount,
      subscription: splitSubscriberKey(subscriber).subscription,
      seen: both.old,
      // A held subscription bills nothing, so its period end has no meaning.
      when: decision.new.length > 0 ? 'now' : context.policy.cancel,
    })
  for (const cancel of cancels) {
    if (!(await work.note({ event: 'verified' }, { subscriber }))) return failed(leaseLost)
    const cancelled = await cancelSubscription(context, cancel)
    const { name: account } = cancel.account
    const level = cancelled.ok ? 'info' : 'warn'
    context.log({ level, event: 'stripe_cancel', id: work.id, account, outcome: outcomeWord(cancelled) })
    if (!cancelled.ok) return cancelled
    all.push({ account: cancel.account, subscription: cancelled.value })
  }
  context.log({ level: 'info', event: 'stripe_confirmed', id: work.id, source: work.signal.source })
  // The rest concerns access, and waits while Kajabi does not answer.
  if (!(await work.note({ event: 'verified' }, { confirmed: true }))) return failed(leaseLost)
  return success(all)
}

function outcomeWord(cancelled: Outcome<unknown>): string {
  return cancelled.ok ? 'confirmed' : cancelled.failure.kind
}

const leaseLost: Failure = {
  kind: 'retryable',
  code: 'lease_lost',
  message: 'another worker has this signal',
  status: 0,
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
