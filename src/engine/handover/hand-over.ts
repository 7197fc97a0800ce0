import { catalogIds } from '../send/catalog-ids.ts'
import { jobOf, recovery as recoveryPlan, type Job } from './job.ts'
import { subscriberAddress } from '../../core/address.ts'
import { formatInstant, instant, type Instant } from '../../core/instant.ts'
import { isJsonObject, type JsonObject } from '../../core/json.ts'
import { CommandError } from '../../core/outcome.ts'
import { alarmCodes } from '../../handover/codes.ts'
import { stateSchema } from '../../handover/schemas.ts'
import { parserOf, type Parsed } from '../../core/parser.ts'
import { noteStep } from '../../handover/carried/money-steps.ts'
import { command, next } from '../../handover/machine.ts'
import { beginOf } from '../../handover/requests.ts'
import type { HandoverEvent } from '../../handover/event-types.ts'
import { atSource, isRest, type HandoverState } from '../../handover/state.ts'
import type { Goal } from '../../handover/types.ts'
import type { AppliedChange } from '../send/applied.ts'
import type { Context } from '../context.ts'
import { answer } from './commands.ts'
import type { SubscriberRecord } from '../ports.ts'
import type { Resolve } from '../send/references.ts'

/** The state that the hand-overs of one run share. */
export interface Run {
  readonly resolve: Resolve
  /** Set by one hand-over to stop all others: a creation charged money unexpectedly. */
  unexpectedCharge: boolean
}

/**
 * Ids of the catalog's objects as the store knows them: prices are created before any subscriber
 * moves to them.
 */
export async function beginRun({ store }: Pick<Context, 'store'>): Promise<Run> {
  const ids = await catalogIds({ store })
  return { resolve: (address) => ids.get(address), unexpectedCharge: false }
}

/**
 * More turns than any path through the machine takes. Reaching it is a bug, not a state of a
 * subscriber. The longest path bills every day of a hold of three years, each day with an invoice
 * of several lines.
 */
const turnsMax = 20_000

/** Whether a crash, an unreachable account or a person's action left this hand-over unfinished. */
export function isUnfinished({ facts, phase }: SubscriberRecord): boolean {
  return isJsonObject(facts['job']) && (phase === 'doubtful' || !isRest(String(facts['phase'] as string)))
}

/**
 * Takes one subscriber from the current resting state to the planned one. A hand-over that an
 * earlier run left unfinished is finished or undone first.
 */
export async function handOver(context: Context, job: Job, run: Run): Promise<AppliedChange> {
  const record = await context.store.subscriber(job.key)
  const known = record === undefined ? { value: atSource } : stateOf(record.facts)
  if ('problem' in known) return unreadable(job.key, known.problem)
  const unfinished = record !== undefined && isUnfinished(record) ? jobOf(record.facts) : undefined
  if (unfinished !== undefined && 'problem' in unfinished) return unreadable(job.key, unfinished.problem)
  const begin = beginOf(job.handover, await moneyMoves(context, job))
  return finish(context, job, await drive(context, { job, run }, known.value, begin), run)
}

/** Resumes a hand-over that an earlier run left: reads both sides and lets the machine decide. */
export async function resume(context: Context, { key, facts }: SubscriberRecord, run: Run): Promise<AppliedChange> {
  const job = jobOf(facts)
  const state = stateOf(facts)
  if ('problem' in state) return unreadable(key, state.problem)
  if ('problem' in job) return unreadable(key, job.problem)
  const last = await drive(context, { job: job.value, run }, state.value, { type: 'interrupted' })
  return settledInstead(last, job.value) ?? finish(context, job.value, last, run)
}

/**
 * The successor ended while the hand-over stood still, so the recovery settled the old
 * subscription. It is what a plan made meanwhile also wants.
 */
function settledInstead({ phase, reason }: HandoverState, { key }: Job): AppliedChange | undefined {
  if (phase !== 'ended' || reason?.code !== 'ended_in_target') return undefined
  return { address: subscriberAddress(key), action: 'settle', outcome: 'done', message: reason.message }
}

/** Without its state, a hand-over cannot be continued safely. The others continue. */
function unreadable(key: string, problem: string): AppliedChange {
  return {
    address: subscriberAddress(key),
    action: 'move',
    outcome: 'held',
    code: 'store_damaged',
    message: `the store's record of this hand-over cannot be read: ${problem}`,
    fix: alarmCodes.store_damaged.fix,
  }
}

/**
 * A customer's money moves with the last of their subscriptions, and only when all others really
 * moved.
 */
async function moneyMoves(context: Context, { handover: { expect, goal } }: Job): Promise<boolean> {
  const others = await Promise.all(expect.money_after.map((key) => context.store.subscriber(key)))
  return others.every((record) => record?.phase === (goal === 'move' ? 'moved' : 'source'))
}

const parseState = parserOf(stateSchema)

/** The machine's state is stored unchanged, with `job` and `finished` beside it. */
function stateOf(facts: JsonObject): Parsed<HandoverState> {
  const { job: _job, finished: _finished, ...state } = facts
  return parseState({ ...atSource, ...state })
}

/**
 * The record that an earlier run would have left in the store; the next step is to read both sides.
 */
export function recoveryRecord(key: string, recovery: Job['handover'], updated: Instant): SubscriberRecord {
  const { goal, lists, successor } = beginOf(recovery, true)
  // Money moves only after the proof, and the live note shows that it began to move.
  const proven = goal === 'move' && lists.money > 0 && recovery.expect.money[0] !== noteStep
  const state: HandoverState = { ...atSource, goal, lists, successor, proven, phase: 'recovering' }
  const job: Job = { key, plan: recoveryPlan, handover: recovery }
  return { key, phase: state.phase, facts: { ...state, job }, updated }
}

/**
 * Each state is stored before its command is carried out. After a crash, the stored state is never
 * ahead of what the accounts show.
 */
async function drive(
  context: Context,
  { job, run }: { readonly job: Job; readonly run: Run },
  from: HandoverState,
  first: HandoverEvent,
): Promise<HandoverState> {
  let state = from
  let event = first
  for (let turn = 0; turn < turnsMax; turn++) {
    state = next(state, event)
    await save(context, job, state)
    const wanted = command(state)
    if (wanted.do === 'rest') return state
    event = await answer(context, { job, state, resolve: run.resolve }, wanted)
  }
  throw new CommandError('no_progress', `the hand-over of ${job.key} made no progress in the phase ${state.phase}`, {
    notDone: 'nothing more was sent; a hold on the old subscription stays in place',
    fix: 'crossbill verify, then crossbill apply',
  })
}

/**
 * While a hand-over is in progress, the whole job is stored, so that any later run can finish it.
 * At rest, only its lasting facts are stored.
 */
async function save(context: Context, job: Job, state: HandoverState): Promise<void> {
  const resting = isRest(state.phase) && state.phase !== 'doubtful'
  const facts = {
    ...state,
    ...(resting ? {} : { job }),
    ...(reached(state, job.handover.goal) ? { finished: job.plan } : {}),
  }
  await context.store.putSubscribers([
    { key: job.key, phase: state.phase, facts, updated: context.accounts.target.now() },
  ])
}

const goals: Readonly<Record<Goal | 'undo', HandoverState['phase']>> = {
  move: 'moved',
  settle: 'settled',
  revert: 'source',
  undo: 'source',
}

function reached({ phase, goal: now, reason }: HandoverState, goal: Goal | 'undo'): boolean {
  // Settling a subscriber whose new subscription has ended leaves no payer. That was the request.
  if (goal === 'settle' && phase === 'ended') return true
  if (phase !== goals[goal]) return false
  // A request refused because it was already done does not decide the outcome: the old subscription
  // was given back.
  if (goal === 'revert') return now === goal
  return goal === 'undo' ? now === goal && reason === null : true
}

function finish(context: Context, job: Job, state: HandoverState, run: Run): AppliedChange {
  if (state.charged) run.unexpectedCharge = true
  const { goal } = job.handover
  const base = {
    address: subscriberAddress(job.key),
    action: goal === 'undo' ? 'move' : goal,
    ...periodsOf(state),
  } satisfies Pick<AppliedChange, 'address' | 'action' | 'periods'>
  const { reason, alarm } = state
  // A failed set-up is reported at once: the member must act before the next renewal.
  if (reached(state, goal)) return { ...base, outcome: 'done', ...(goal === 'move' ? (state.setup ?? {}) : {}) }
  if (alarm !== null) context.progress.note(`${job.key}: ${alarm}`)
  const code = alarm ?? reason?.code
  const outcome = outcomeOf(state, goal)
  return {
    ...base,
    outcome,
    ...(code === undefined ? {} : { code }),
    ...(reason === null ? {} : { message: reason.message }),
    fix: reason?.fix === undefined || reason.fix === '' ? fixes[outcome] : reason.fix,
  }
}

/** Every period that the hold kept back from both accounts; absent when there was none. */
function periodsOf({ accounted }: HandoverState): Pick<AppliedChange, 'periods'> {
  const periods = accounted.map(({ at, amount, currency, invoice, outcome }) => ({
    at: formatInstant(instant(at)),
    amount,
    currency,
    outcome,
    invoice,
  }))
  return periods.length === 0 ? {} : { periods }
}

function outcomeOf({ phase, goal: reached }: HandoverState, goal: Goal | 'undo'): AppliedChange['outcome'] {
  if (phase === 'doubtful') return 'held'
  if (reached === 'undo') return 'undone'
  // Back in the state before the run: nothing was begun, or all of it was left alone.
  return phase === (goal === 'move' ? 'source' : 'moved') ? 'skipped' : 'undone'
}

const fixes: Readonly<Record<AppliedChange['outcome'], string>> = {
  done: '',
  skipped: 'plan again',
  undone: 'plan again; every step was undone',
  held: 'run crossbill apply when the cause is fixed; the old subscription stays on hold until then',
  failed: 'plan again',
  not_started: 'apply again',
}
