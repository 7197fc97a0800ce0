import type Stripe from 'stripe'
import { digest } from '../../core/canonical.ts'
import { subscriberAddress } from '../../core/address.ts'
import type { StripeObject } from '../../core/json.ts'
import type { Outcome } from '../../core/outcome.ts'
import { idOf } from '../../core/reference.ts'
import { holdReason, tooLate } from '../../handover/events.ts'
import { needsOldSchedule, type LiveValues } from '../../handover/live-values.ts'
import { customerOf } from '../../handover/proof.ts'
import { balanceOut, noteStep, withNotedBalance } from '../../handover/carried/money-steps.ts'
import { keptInTime } from '../../handover/hold-steps.ts'
import { numbered, numberOf, requestFor, withLive } from '../../handover/requests.ts'
import type { HandoverState, RequestPhase, StateIn } from '../../handover/state.ts'
import type { Goal, PlannedStep, Reason } from '../../handover/types.ts'
import { alreadyDone } from './already-done.ts'
import { answered, type Sent } from './answers.ts'
import { accountNamed, type Context } from '../context.ts'
import {
  balanceChanged,
  decidedByOthers,
  fallsAway,
  noteToWrite,
  notNoted,
  nothingLeft,
  pieceUnreadable,
} from './carried-money.ts'
import { noteStopped } from './collection.ts'
import { creationKey, holdKey } from './keys.ts'
import { recovery, type Job } from './job.ts'
import { readTexts } from './texts.ts'
import { perform, shut, usesUpKey } from '../send/perform.ts'
import { fillParams, fillPath, type Resolve } from '../send/references.ts'
import { asSubscription, readInvoice, readOld, readSchedule } from '../read/subscriptions.ts'
import { justSeen, noteSeen } from './seen.ts'

/** One command of the machine, and what it concerns. */
export interface Turn {
  readonly job: Job
  readonly state: HandoverState
  readonly resolve: Resolve
}

/** Phases that must not begin close to T: the old account's renewal could fall in the middle. */
const guarded: ReadonlySet<RequestPhase> = new Set(['holding', 'creating'])

/** The requests that complete a move, a settle, and a revert or an undo. */
const completing: ReadonlySet<RequestPhase> = new Set(['keeping', 'cancelling_old', 'restoring_old'])

/** Sends the request that the machine's state asks for, through the journal. */
export async function send(context: Context, turn: Turn, state: StateIn<RequestPhase>): Promise<Sent> {
  const { job } = turn
  const { phase } = state
  const { expect } = job.handover
  const late = guarded.has(phase) ? tooLate(expect, context.accounts.target.now()) : null
  if (late !== null) return { type: 'sent', result: 'too_late', id: null, reason: late }
  const live = await liveValues(context, job, state)
  if (live === undefined) return { type: 'sent', result: 'refused', id: null, reason: unreadOld }
  const now = context.accounts.target.now()
  const requested = numbered(keptInTime(requestFor(state, job.handover, live), expect, now), state, now)
  const planned = withNotedBalance(requested, live.subscription)
  const step =
    planned.id === noteStep ? await noteToWrite(context, job, { planned, live, invoice: state.invoice }) : planned
  if (step === undefined) return { type: 'sent', result: 'unknown', id: null, reason: unreadOld }
  if (step === nothingLeft) return { type: 'sent', result: 'done', id: null, reason: null }
  const path = fillPath(step.path, turn.resolve)
  const params = fillParams(withLive(step, live).params, turn.resolve)
  if (!path.ok || !params.ok) {
    const missing = [...(path.ok ? [] : path.missing), ...(params.ok ? [] : params.missing)]
    return { type: 'sent', result: 'refused', id: null, reason: referenceMissing(missing) }
  }
  const account = accountNamed(context, step.account)
  const address = subscriberAddress(job.key)
  const lost = await decided(context, turn, phase)
  if (lost !== undefined) return lost
  const noted = await noteStopped(context, job, state)
  if (noted?.ok === false) return answered(noted)
  const key = keyOf(turn, step)
  const sending = { phase, account, method: step.method, path: path.value, params: params.value, expect }
  const find = alreadyDone(context, sending)
  const others = notNoted(job, step, live)
  if (others !== undefined) return { type: 'sent', result: 'done', id: null, reason: null, moot: others }
  const changed = step.id === balanceOut ? await balanceChanged(context, account, { step, find }) : undefined
  if (changed !== undefined) return changed
  const theirs = await decidedByOthers(context, job, { step, account, generation: state.generation })
  if (theirs !== undefined) return theirs
  const seen = justSeen(job, path.value.split('/').at(-1) ?? '', context.accounts.target.now())
  const shutAt = `/v1/customers/${step.account === 'target' ? expect.customer_new : expect.customer_old}`
  const outcome = await perform(context, {
    address,
    step: step.id,
    account,
    method: step.method,
    path: path.value,
    params: step.params,
    filled: params.value,
    key,
    ...(numberOf(step, state) === undefined ? { shutAt } : { oneKey: true }),
    ...(find === undefined ? {} : { find, lookFirst: job.plan === recovery }),
    ...(seen === undefined ? {} : { seen }),
    completes: completing.has(phase),
  })
  if (outcome.ok && phase === 'holding') noteSeen(job, asSubscription(outcome.value), context.accounts.target.now())
  const refused = outcome.ok
    ? undefined
    : { step, account, failure: outcome.failure, live, generation: state.generation }
  const moot = refused === undefined ? undefined : await fallsAway(context, job, refused)
  if (moot === 'unread') return pieceUnreadable
  if (moot !== undefined) return { type: 'sent', result: 'done', id: null, reason: null, moot }
  const event = sent(phase, turn, outcome)
  if (event.result !== 'unknown' || (phase !== 'holding' && phase !== 'restoring_old')) return event
  return (await shut(context, { account, shutAt }, key)) === undefined ? { ...event, spent: true } : event
}

/**
 * A key comes from what the accounts show (the subscriber, the hold, the subject of the request),
 * never from a plan, a run or a store. So of two runs that see the same accounts, only one has its
 * request executed. Holds and releases share one sequence of numbers: a run that was suspended
 * finds its number taken. A creation and the request that shuts it share one key.
 */
function keyOf({ job, state }: Turn, step: PlannedStep): string {
  const { expect, goal } = job.handover
  const { successor, invoice, done, schedule, generation } = state
  const number = numberOf(step, state)
  // The id of the old subscription is unique in all of Stripe. The names of projects and sources
  // are words of one checkout: two checkouts with other words are about the same person.
  const who = [expect.old]
  if (number !== undefined)
    return step.account === 'target' ? creationKey(expect.old, number) : holdKey(expect.old, number)
  // A run that finishes from the note of carried money knows no more than the note.
  if (expect.money.includes(step.id)) return `crossbill-${digest([...who, generation ?? 0, step.path, step.params])}`
  const about = [generation ?? 0, goal, step.id, step.path, step.params, successor, invoice, schedule, done]
  return `crossbill-${digest([...who, ...about])}`
}

/**
 * Before these phases, a run that settles and a run that reverts decide which of them continues:
 * neither can undo what the other does.
 */
const decisions: Readonly<Partial<Record<RequestPhase, Partial<Record<Goal | 'undo', string>>>>> = {
  cancelling_old: { settle: 'crossbill_settle' },
  stopping_invoice: { revert: 'crossbill_revert' },
  cancelling_new: { revert: 'crossbill_revert', undo: 'crossbill_revert' },
}

/**
 * A register that can be written once: a request that changes nothing, whose key is the question
 * and whose parameters are the answer. Stripe executes the first answer, replays the same answer
 * and refuses every other answer for a day. Undefined: this run's answer holds.
 *
 * A register whose first answer Stripe stored as a 5xx says so to every run for a day, so all of
 * them go on to the next one. Without Stripe's word that the answer is a stored one, a run waits.
 */
async function decided(context: Context, turn: Turn, phase: RequestPhase): Promise<Sent | undefined> {
  const answer = decisions[phase]?.[turn.job.handover.goal]
  if (answer === undefined) return undefined
  let outcome = await register(context, turn, answer, 1)
  for (let number = 2; number <= registersMost && isStoredError(outcome); number++)
    outcome = await register(context, turn, answer, number)
  // A deleted customer has no successor that another run could revert.
  if (outcome.ok || outcome.failure.code === 'resource_missing') return undefined
  return answered(outcome)
}

const registersMost = 4

function isStoredError(outcome: Outcome<StripeObject>): boolean {
  return !outcome.ok && outcome.failure.isReplayed === true && outcome.failure.status >= 500
}

async function register(
  context: Context,
  { job, state }: Turn,
  answer: string,
  number: number,
): Promise<Outcome<StripeObject>> {
  const { expect } = job.handover
  return perform(context, {
    address: subscriberAddress(job.key),
    step: 'decide',
    account: context.accounts.target,
    method: 'POST',
    path: `/v1/customers/${expect.customer_new}`,
    params: { metadata: { [answer]: null } },
    key: `crossbill-${digest([expect.old, 'end', state.generation ?? 0, ...(number === 1 ? [] : [number])])}`,
    oneKey: true,
    completes: false,
  })
}

const unreadOld: Reason = {
  code: 'source_unreachable',
  message: 'the old subscription could not be read',
  fix: 'Run the same command again.',
}

/** Only some requests take values from live objects; the others need no read. */
async function liveValues(context: Context, job: Job, state: StateIn<RequestPhase>): Promise<LiveValues | undefined> {
  const { phase } = state
  const planned = job.handover.steps.some((step) => JSON.stringify(step.params).includes('"$live"'))
  const fromOldSchedule = job.handover.steps.some(needsOldSchedule)
  const isNew = planned && (phase === 'carrying' || phase === 'creating')
  const needsOld =
    phase === 'billing_gap' ||
    phase === 'money' ||
    phase === 'money_back' ||
    isNew ||
    (phase === 'scheduling' && fromOldSchedule)
  // Values of the new customer and subscription come from the read that began the hand-over, and
  // from the answer to the hold. Money is read again before each piece.
  const seen = isNew ? justSeen(job, job.handover.expect.old, context.accounts.target.now()) : undefined
  const old = needsOld ? (seen ?? (await readOld(context, job.handover.expect))) : undefined
  if (needsOld && old === undefined) return undefined
  const voided =
    state.phase === 'billing_gap'
      ? await readInvoice(context, accountNamed(context, job.handover.expect.source), state.period.invoice)
      : undefined
  if (phase === 'billing_gap' && voided === undefined) return undefined
  const made = phase === 'scheduling' ? state.schedule : null
  const schedule = made === null ? undefined : await readSchedule(context, context.accounts.target, made)
  if (made !== null && schedule === undefined) return undefined
  const before = made === null || !fromOldSchedule ? null : (old?.schedule ?? null)
  const source = accountNamed(context, job.handover.expect.source)
  const oldSchedule = before === null ? undefined : await readSchedule(context, source, idOf(before))
  if (before !== null && oldSchedule === undefined) return undefined
  const texts = phase === 'money' || phase === 'money_back' ? await readTexts(context, job) : new Map()
  if (texts === undefined) return undefined
  // Phases without live values never read the old subscription.
  const subscription = old ?? ({} as Stripe.Subscription)
  return {
    subscription,
    customer: old === undefined ? undefined : customerOf(old),
    voided,
    schedule,
    oldSchedule,
    texts,
  }
}

function sent(phase: RequestPhase, { job }: Turn, outcome: Outcome<StripeObject>): Sent {
  if (outcome.ok && phase === 'holding')
    return { ...answered(outcome), reason: holdReason(job.handover, asSubscription(outcome.value)) }
  if (outcome.ok) return answered(outcome)
  const { failure } = outcome
  // Only these answers shut a creation: a key without the permission to write to the customer is
  // refused, and may still create.
  return phase === 'closing' && !usesUpKey(failure) ? { ...answered(outcome), result: 'unknown' } : answered(outcome)
}

export function referenceMissing(missing: readonly string[]): Reason {
  return {
    code: 'reference_missing',
    message: `it refers to ${missing.join(', ')}, which does not exist`,
    fix: 'fix that first, then run crossbill apply again',
  }
}
