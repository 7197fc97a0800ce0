import type Stripe from 'stripe'
import { unreachable } from '../core/assert.ts'
import { digest } from '../core/canonical.ts'
import type { JsonObject, StripeObject } from '../core/json.ts'
import type { Failure, Outcome } from '../core/outcome.ts'
import { bothRead, holdReason, invoiceRead, oldRead, proved, tooLate } from '../handover/events.ts'
import { gapMark, gapOf } from '../handover/gap.ts'
import type { LiveValues } from '../handover/live-values.ts'
import { comparePreviews, previewParams } from '../handover/preview.ts'
import { customerOf } from '../handover/proof.ts'
import { requestFor, withLive } from '../handover/requests.ts'
import type { Command, HandoverEvent, HandoverState, SendingPhase } from '../handover/state.ts'
import type { Expectation, HandoverPlan, PlannedStep, Reason } from '../handover/types.ts'
import { alreadyDone } from './already-done.ts'
import { accountNamed, type Context } from './context.ts'
import type { Job } from './hand-over.ts'
import { perform, sendPatiently } from './perform.ts'
import type { StripeAccount } from './ports.ts'
import { fillParams, fillPath, type Resolve } from './references.ts'
import {
  asInvoice,
  asSubscription,
  collectingInvoices,
  gapInvoice,
  newestInvoice,
  readOld,
  readNewSchedule,
  readSuccessor,
  readSuccessors,
  successorInvoices,
} from './subscriber-reads.ts'
import { subscriberAddress } from './subscribers.ts'

/** One command of the machine, and everything it concerns. */
export interface Turn {
  readonly job: Job
  readonly state: HandoverState
  readonly resolve: Resolve
}

/** Carries out what the machine asks for and says what came of it. Failures of the outside are events, never exceptions. */
export async function answer(context: Context, turn: Turn, command: Command): Promise<HandoverEvent> {
  const { handover: plan } = turn.job
  switch (command.do) {
    case 'rest':
      return { type: 'interrupted' }
    case 'read_old':
      return oldRead(plan, await readOld(context, plan.expect), context.accounts.target.now())
    case 'preview':
      return { type: 'previewed', reason: await preview(context, turn) }
    case 'send':
      return send(context, turn, command.phase)
    case 'prove':
      return prove(context, turn)
    case 'read_both':
      return readBoth(context, turn)
    case 'read_invoice':
      return invoiceRead(plan, await newestInvoice(context, turn.state.successor))
    case 'read_gap':
      return readGap(context, turn)
    default:
      return unreachable(command)
  }
}

/* ------------------------------------------------------------------ reads */

/** Both sides' next invoice; without side effect, so outside the journal. */
async function preview(context: Context, { job, resolve }: Turn): Promise<Reason | null> {
  // Only moves are previewed, and a move's plan is one of goal `move`.
  const plan = job.handover as HandoverPlan
  const params = previewParams(plan)
  const filled = fillParams(params.new, resolve)
  if (!filled.ok) return referenceMissing(filled.missing)
  const [old, created] = await Promise.all([
    previewOne(context, accountNamed(context, plan.expect.source), params.old, job),
    previewOne(context, context.accounts.target, filled.value, job),
  ])
  const refused = [old, created].find((one) => !one.ok && one.failure.kind === 'rejected')
  if (refused !== undefined && !refused.ok) return reasonOf(refused.failure, 'preview_failed')
  return comparePreviews(plan, invoiceOf(old), invoiceOf(created))
}

async function previewOne(
  context: Context,
  account: StripeAccount,
  params: JsonObject,
  job: Job,
): Promise<Outcome<StripeObject>> {
  let outcome: Outcome<StripeObject> | undefined
  for (let turn = 0; turn < 3; turn++) {
    const idempotencyKey = `crossbill-preview-${digest([context.run, job.key, account.name, turn, account.now()])}`
    outcome = await sendPatiently(context, account, {
      method: 'POST',
      path: '/v1/invoices/create_preview',
      params,
      idempotencyKey,
    })
    if (outcome.ok || outcome.failure.kind !== 'unknown') return outcome
    await context.wait(0.5 * 2 ** turn)
  }
  return outcome as Outcome<StripeObject>
}

function invoiceOf(outcome: Outcome<StripeObject>): Stripe.Invoice | undefined {
  return outcome.ok ? asInvoice(outcome.value) : undefined
}

/** The successor and the old one as they are right now, against what was planned. */
async function prove(context: Context, { job, state, resolve }: Turn): Promise<HandoverEvent> {
  const filled = fillParams(job.handover.expect as unknown as JsonObject, resolve)
  if (state.successor === null || !filled.ok) return proved(undefined)
  const answer = await readSuccessor(context, state.successor)
  const old = await readOld(context, job.handover.expect)
  if (answer === undefined || old === undefined) return proved(undefined)
  return proved({ expect: filled.value as unknown as Expectation, answer, old })
}

async function readBoth(context: Context, { job }: Turn): Promise<HandoverEvent> {
  const { expect } = job.handover
  const old = await readOld(context, expect)
  const [successors, collecting] = await Promise.all([
    readSuccessors(context, expect),
    collectingInvoices(context, expect),
  ])
  return bothRead(job.handover, {
    // Without knowing what a cancel would stop, nothing about the old one is decided.
    old: collecting === undefined ? undefined : old,
    successors,
    collecting: collecting ?? [],
    now: context.accounts.target.now(),
  })
}

async function readGap(context: Context, { job }: Turn): Promise<HandoverEvent> {
  const { expect } = job.handover
  const old = await readOld(context, expect)
  const newInvoices = await successorInvoices(context, expect)
  const latest = old?.latest_invoice
  const begun =
    typeof latest === 'object' && latest !== null ? await gapInvoice(context, expect, gapMark(expect, latest)) : null
  return gapOf({ expect, old: begun === undefined ? undefined : old, newInvoices, begun: begun ?? null })
}

/* ------------------------------------------------------------------ sends */

type Sent = Extract<HandoverEvent, { type: 'sent' }>

/** Sending these when T is near could leave the old account's renewal in the middle of them. */
const guarded: ReadonlySet<SendingPhase> = new Set(['holding', 'creating'])

async function send(context: Context, turn: Turn, phase: SendingPhase): Promise<Sent> {
  const { job, state } = turn
  const { expect } = job.handover
  const late = guarded.has(phase) ? tooLate(expect, context.accounts.target.now()) : null
  if (late !== null) return { type: 'sent', result: 'too_late', id: null, reason: late }
  const live = await liveValues(context, turn, phase)
  if (live === undefined) return { type: 'sent', result: 'refused', id: null, reason: unreadOld }
  const step = requestFor(phase, state, job.handover, live)
  const path = fillPath(step.path, turn.resolve)
  const params = fillParams(withLive(step, live).params, turn.resolve)
  if (!path.ok || !params.ok) {
    const missing = [...(path.ok ? [] : path.missing), ...(params.ok ? [] : params.missing)]
    return { type: 'sent', result: 'refused', id: null, reason: referenceMissing(missing) }
  }
  const account = accountNamed(context, step.account)
  const address = subscriberAddress(job.key)
  const key = keyOf(turn, step)
  const since = await firstTried(context, address, key)
  const sending = { phase, account, method: step.method, path: path.value, params: params.value, expect, since }
  const find = alreadyDone(context, sending)
  const outcome = await perform(context, {
    address,
    step: step.id,
    account,
    method: step.method,
    path: path.value,
    params: step.params,
    filled: params.value,
    key,
    ...(find === undefined ? {} : { find }),
  })
  return sent(phase, turn, outcome)
}

/** The plan's key where the plan lists the request; else one of its own, bound to what it is about. */
function keyOf({ job, state }: Turn, step: PlannedStep): string {
  const planned = job.keys[step.id]
  if (planned !== undefined) return planned
  const { successor, invoice, done, schedule } = state
  return `crossbill-${digest([job.plan, job.key, step.id, step.path, successor, invoice, schedule, done])}`
}

async function firstTried(context: Context, address: string, key: string): Promise<number> {
  const entries = await context.store.journal({ address })
  const first = entries.find((entry) => entry.idempotencyKey.startsWith(key))
  return first?.startedAt ?? context.accounts.target.now()
}

const unreadOld: Reason = {
  code: 'source_unreachable',
  message: 'the old subscription could not be read',
  fix: 'Run the same command again.',
}

/** Only some requests take values from live objects; the others need no read. */
async function liveValues(
  context: Context,
  { job, state }: Turn,
  phase: SendingPhase,
): Promise<LiveValues | undefined> {
  const planned = job.handover.steps.some((step) => JSON.stringify(step.params).includes('"$live"'))
  const needsOld =
    phase === 'billing_gap' ||
    (planned && (phase === 'carrying' || phase === 'creating' || phase === 'money' || phase === 'money_back'))
  const old = needsOld ? await readOld(context, job.handover.expect) : undefined
  if (needsOld && old === undefined) return undefined
  const successor =
    phase === 'pausing' && state.successor !== null ? await readSuccessor(context, state.successor) : undefined
  if (phase === 'pausing' && successor === undefined) return undefined
  const filling = phase === 'scheduling' && state.schedule !== null
  const schedule = filling ? await readNewSchedule(context, state.schedule ?? '') : undefined
  if (filling && schedule === undefined) return undefined
  // Phases that need no live value never look at the old subscription.
  const subscription = old ?? ({} as Stripe.Subscription)
  return { subscription, customer: old === undefined ? undefined : customerOf(old), successor, schedule }
}

function sent(phase: SendingPhase, { job }: Turn, outcome: Outcome<StripeObject>): Sent {
  if (outcome.ok) {
    const reason = phase === 'holding' ? holdReason(job.handover, asSubscription(outcome.value)) : null
    return { type: 'sent', result: 'done', id: outcome.value.id ?? null, reason }
  }
  const { failure } = outcome
  const result = failure.kind === 'unknown' ? 'unknown' : 'refused'
  return { type: 'sent', result, id: null, reason: reasonOf(failure, failure.code) }
}

function reasonOf({ message, code: failed }: Failure, code: string): Reason {
  return { code, message: code === failed ? message : `${message} (${failed})`, fix: '' }
}

function referenceMissing(missing: readonly string[]): Reason {
  return {
    code: 'reference_missing',
    message: `it refers to ${missing.join(', ')}, which is not there`,
    fix: 'mend that one and apply again',
  }
}
