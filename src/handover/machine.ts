import { present } from '../core/assert.ts'
import { interrupted } from './interrupted.ts'
import { blocked, stopped } from './reasons.ts'
import { decide, doubtful, standBack, undoing } from './recovery.ts'
import type { Command, HandoverEvent } from './event-types.ts'
import {
  atSource,
  isRest,
  type HandoverState,
  type InvoicePhase,
  type ReadingPhase,
  type SendingPhase,
  type StateIn,
  trimmed,
} from './state.ts'
import type { Reason } from './types.ts'

/**
 * The hand-over, a total pure function: a state ignores every event that does not belong to it.
 *
 *     move    source → reading → carrying* → previewing → holding → creating → pausing?
 *             → scheduling? → proving → money* → keeping → moved
 *     settle  moved → recovering → releasing_schedule? → cancelling_old → recovering
 *             (→ restoring_collection* → recovering)? → settled
 *     revert  moved → recovering → reading_invoice (→ stopping_invoice → finalizing_invoice?
 *             → voiding_invoice → reading_invoice) → cancelling_new → recovering → money_back* → …
 *     undo    any → recovering → (cancelling_new → recovering →)? …
 *     both    cancelling_new → recovering (→ restoring_collection* → recovering)?
 *     both    … → restoring_old → recovering
 *             → checking_gap (→ advancing_draft | billing_gap* → checking_gap)*
 *             → accounting → source
 *
 * A failure before `holding` ends at `source`. After that, every answer but a plain success leads
 * to `recovering`, which reads both sides and decides (`recovery.ts`).
 *
 * | phase                | done                  | refused         | too_late   | unknown         |
 * |----------------------|-----------------------|-----------------|------------|-----------------|
 * | carrying             | next, previewing      | source          | source     | source          |
 * | holding              | creating; odd: undo   | undo            | source     | recovering      |
 * | creating             | pausing … proving     | undo            | undo       | recovering      |
 * | pausing              | scheduling, proving   | undo            | undo       | recovering      |
 * | scheduling           | again, proving        | undo            | undo       | recovering      |
 * | money                | next (1), keeping     | doubtful        | doubtful   | recovering      |
 * | keeping (2)          | moved                 | recovering      | recovering | recovering      |
 * | money_back           | next (1), recovering  | doubtful        | doubtful   | recovering      |
 * | refunding            | cancelling_new        | doubtful        | doubtful   | reading_invoice |
 * | stopping … voiding   | next, reading_invoice | reading_invoice | the same   | the same        |
 * | advancing_draft      | checking_gap          | doubtful        | doubtful   | checking_gap    |
 * | billing_gap          | next, checking_gap    | doubtful        | doubtful   | checking_gap    |
 * | accounting           | source                | source          | source     | doubtful        |
 * | restoring_collection | next, recovering      | the same        | the same   | recovering      |
 * | others               | recovering            | recovering      | recovering | recovering      |
 *
 * `next`: the next request of the list. (1) skips requests that are moot: an invoice paid before
 * its void, or an item removed meanwhile. (2) recovering after the answer to an earlier request.
 * `odd`: the answer differs from the expectation. A fifth answer, `contended` (another run sent the
 * step), leads to `recovering` from creating, pausing and scheduling, to `moved` from cancelling,
 * and is otherwise as too_late.
 */
export function next(state: HandoverState, event: HandoverEvent): HandoverState {
  return trimmed(after(state, event))
}

function after(state: HandoverState, event: HandoverEvent): HandoverState {
  switch (event.type) {
    case 'begin':
      return begin(state, event)
    case 'interrupted':
      return interrupted(state)
    case 'old_read':
      return state.phase === 'reading' ? afterReading(state, event) : state
    case 'previewed':
      return state.phase === 'previewing' ? afterPreview(state, event.reason) : state
    case 'proved':
      return state.phase === 'proving' ? afterProof(state, event) : state
    case 'both_read':
      return state.phase === 'recovering' ? decide(state, event) : state
    case 'invoice_read':
      return state.phase === 'reading_invoice' ? afterInvoice(state, event) : state
    case 'gap_read':
      return state.phase === 'checking_gap' ? afterGap(state, event) : state
    case 'sent':
      return isSending(state) ? (afterSending[state.phase] as AfterSending)(state, event) : state
  }
}

/** The command that a state asks for. */
export function command(state: HandoverState): Command {
  if (state.phase === 'restoring_collection')
    return { do: 'collect', stopped: present(state.stopped[0], 'stopped invoice') }
  if (isSending(state)) return { do: 'send', state }
  if (state.phase === 'reading_invoice') return { do: 'read_invoice', successor: state.successor }
  return isRest(state.phase) ? { do: 'rest' } : reads[state.phase]
}

const reads: Readonly<Record<Exclude<ReadingPhase, 'reading_invoice'>, Command>> = {
  reading: { do: 'read_old' },
  previewing: { do: 'preview' },
  proving: { do: 'prove' },
  recovering: { do: 'read_both' },
  checking_gap: { do: 'read_gap' },
}

function isSending(state: HandoverState): state is StateIn<SendingPhase> {
  return Object.hasOwn(afterSending, state.phase)
}

function begin(state: HandoverState, event: Extract<HandoverEvent, { type: 'begin' }>): HandoverState {
  if (!isRest(state.phase)) return state
  const { goal, lists, successor } = event
  // A move that already has a successor continues with it: a new start would create a second one.
  const phase = goal === 'move' && successor === null ? 'reading' : 'recovering'
  return { ...atSource, goal, lists, successor, phase }
}

function afterReading(state: StateIn<'reading'>, event: Extract<HandoverEvent, { type: 'old_read' }>): HandoverState {
  if (event.observation !== 'free' && event.observation !== 'unreadable') return { ...state, phase: 'recovering' }
  if (event.observation === 'unreadable' || event.reason !== null)
    return { ...state, phase: 'source', reason: event.reason }
  const generation = event.generation === null ? null : event.generation + state.skips
  const phase = state.lists.carry > 0 ? 'carrying' : 'previewing'
  return { ...state, ...nothingSent, generation, phase, done: 0 }
}

/** The facts about a creation before its hold is set. */
const nothingSent = { unsure: false, refused: false, foreign: false, closed: null } as const

function afterPreview(state: HandoverState, reason: Reason | null): HandoverState {
  return reason === null ? { ...state, phase: 'holding', done: 0 } : { ...state, phase: 'source', reason }
}

function afterProof(state: StateIn<'proving'>, event: Extract<HandoverEvent, { type: 'proved' }>): HandoverState {
  switch (event.result) {
    case 'ok':
      return state.done < state.lists.money
        ? { ...state, phase: 'money', proven: true, setup: event.reason }
        : { ...state, phase: 'keeping', setup: event.reason }
    case 'differs':
      return undoing(state, event.reason)
    case 'charged':
      return { ...undoing(state, event.reason), charged: true, invoice: event.invoice, alarm: 'unexpected_charge' }
    case 'unsure':
      return { ...state, phase: 'recovering' }
  }
}

/**
 * The newest invoice in the target for the period that a revert or undo would take back.
 *
 * | invoice                   | revert                           | undo                          |
 * |---------------------------|----------------------------------|-------------------------------|
 * | none, void, uncollectible | cancelling_new (1)               | cancelling_new                |
 * | paid                      | cancelling_new (it stays paid)   | refunding                     |
 * | draft                     | stop, finalize, void, read again | the same                      |
 * | open                      | stop, void, read again           | the same                      |
 * | in_flight                 | moved, `payment_in_flight` (1)   | doubtful `payment_in_flight`  |
 * | refunded                  | cancelling_new (1)               | cancelling_new                |
 * | disputed                  | cancelling_new (1)               | doubtful `disputed_in_target` |
 * | unreadable                | doubtful `target_unreachable`    | doubtful `target_unreachable` |
 *
 * (1) moved, where an invoice of the new subscription has to wait or a person has to decide about
 * it (`taken-back.ts`). The column `undo` is for a creation that charged.
 *
 * A successor that its subscriber changed since the plan is not reverted: the change would be lost.
 */
function afterInvoice(
  state: StateIn<'reading_invoice'>,
  event: Extract<HandoverEvent, { type: 'invoice_read' }>,
): HandoverState {
  const undo = state.goal === 'undo'
  // Once one of its invoices has been stopped or voided, the period belongs to the old account.
  if (event.changed && !undo && state.invoice === null && event.observation !== 'void')
    return stays(state, blocked('changed_since_move', 'its subscriber changed the new subscription since the plan'))
  if (event.stay !== null && !undo) return stays(state, event.stay)
  switch (event.observation) {
    case 'none':
    case 'void':
    case 'uncollectible':
      return { ...state, phase: 'cancelling_new' }
    case 'paid':
      if (!undo) return { ...state, phase: 'cancelling_new' }
      // Without a payment of Stripe there is nothing to refund here: a person gives the money back.
      return event.payment === null
        ? doubtful(state, 'money_stuck')
        : { ...state, phase: 'refunding', invoice: event.invoice, payment: event.payment }
    case 'draft':
    case 'open':
      return { ...state, phase: 'stopping_invoice', invoice: event.invoice, invoiceSight: event.observation }
    case 'in_flight':
      return doubtful(state, 'payment_in_flight')
    case 'refunded':
      return { ...state, phase: 'cancelling_new' }
    case 'disputed':
      return undo ? doubtful(state, 'disputed_in_target') : { ...state, phase: 'cancelling_new' }
    case 'unreadable':
      return doubtful(state, 'target_unreachable')
  }
}

/** A revert that is not possible now changes nothing. */
function stays(state: HandoverState, reason: Reason): HandoverState {
  return { ...state, phase: 'moved', reason }
}

/** Bills the oldest period first and reads again after each one, until no period is left. */
function afterGap(state: StateIn<'checking_gap'>, event: Extract<HandoverEvent, { type: 'gap_read' }>): HandoverState {
  switch (event.gap) {
    case 'none': {
      const known = new Set(state.accounted.map((one) => one.invoice))
      const left = event.left.filter((one) => !known.has(one.invoice))
      const accounted = [...state.accounted, ...left.map((one) => ({ ...one, outcome: 'left' as const }))]
      return { ...state, phase: event.marked ? 'accounting' : 'source', successor: null, accounted }
    }
    case 'draft':
      return { ...state, phase: 'advancing_draft', invoice: event.invoice, period: event.period }
    case 'uncharged': {
      const { invoice, period, requests: gap, done } = event
      return { ...state, phase: 'billing_gap', invoice, period, gap, done }
    }
    case 'unreadable':
      return doubtful(state, 'source_unreachable')
  }
}

type Sent = Extract<HandoverEvent, { type: 'sent' }>

type AfterSending = (state: HandoverState, event: Sent) => HandoverState

/** Reads both sides again, whatever the answer was: what exists now decides. */
const readAgain: AfterSending = (state, { reason }) => ({
  ...state,
  phase: 'recovering',
  reason: state.reason ?? reason,
})

function afterInvoiceRequest(state: StateIn<InvoicePhase>, { result }: Sent): HandoverState {
  if (result === 'contended' && state.goal === 'revert') return contended(state)
  return result === 'done' ? afterStopping(state) : { ...state, phase: 'reading_invoice' }
}

/** Another run settles what this run reverts, or the reverse: only the other run continues. */
function contended(state: HandoverState): HandoverState {
  return stays(state, stopped('another_run', 'another run has decided otherwise about this subscriber'))
}

/** A release that had no effect, or was only replayed, is sent again under the next number. */
function afterRestoring(state: HandoverState, event: Sent): HandoverState {
  const isUsed = event.result === 'done' || event.spent === true
  return { ...readAgain(state, event), skips: state.skips + (isUsed ? 1 : 0) }
}

/** The key of the creation is now used up, by this request or by a creation. */
function afterClosing(state: HandoverState, { result }: Sent): HandoverState {
  if (result === 'unknown') return doubtful(state, 'target_unreachable')
  // Stripe refuses because the customer no longer exists, so nothing can be created for them.
  return { ...state, phase: 'recovering', closed: result === 'contended' ? 'used' : 'shut' }
}

const afterSending: { readonly [P in SendingPhase]: (state: StateIn<P>, event: Sent) => HandoverState } = {
  carrying: (state, { result, reason }) => {
    if (result !== 'done') return { ...state, phase: 'source', reason }
    const done = state.done + 1
    return done < state.lists.carry ? { ...state, done } : { ...state, phase: 'previewing', done }
  },
  holding: (state, event) => afterHolding(state, event),
  creating: (state, event) => afterCreating(state, event),
  pausing: (state, event) => afterCreating(state, event),
  scheduling: (state, event) => afterCreating(state, event),
  money: (state, event) => afterMoney(state, event),
  keeping: (state, { result, replayed }) =>
    result === 'done' && replayed !== true
      ? { ...state, phase: 'moved' }
      : { ...state, phase: 'recovering', replayed: state.replayed || replayed === true },
  reholding: readAgain,
  stopping_invoice: afterInvoiceRequest,
  finalizing_invoice: afterInvoiceRequest,
  voiding_invoice: afterInvoiceRequest,
  refunding: (state, event) => {
    if (event.result === 'unknown') return { ...state, phase: 'reading_invoice' }
    return event.result === 'done' ? { ...state, phase: 'cancelling_new' } : stuck(state, event)
  },
  releasing_new: readAgain,
  cancelling_new: (state, event) => (event.result === 'contended' ? contended(state) : readAgain(state, event)),
  money_back: (state, event) => afterMoney(state, event),
  closing: (state, event) => afterClosing(state, event),
  restoring_old: (state, event) => afterRestoring(state, event),
  advancing_draft: (state, event) => afterBillingGap(state, event),
  billing_gap: (state, event) => afterBillingGap(state, event),
  accounting: (state, { result }) =>
    result === 'unknown' ? doubtful(state, 'source_unreachable') : { ...state, phase: 'source' },
  releasing_schedule: readAgain,
  cancelling_old: (state, event) => (event.result === 'contended' ? contended(state) : readAgain(state, event)),
  restoring_collection: (state, event) => afterCollecting(state, event),
}

/** What Stripe refuses to collect stays as it is, and `verify` names it. */
function afterCollecting(state: StateIn<'restoring_collection'>, { result }: Sent): HandoverState {
  if (result === 'unknown') return { ...state, phase: 'recovering' }
  const [one, ...stopped] = state.stopped
  const uncollected = result === 'done' || one === undefined ? state.uncollected : [...state.uncollected, one.invoice]
  return stopped.length > 0 ? { ...state, stopped, uncollected } : { ...state, phase: 'recovering', uncollected }
}

/** The payer does not change here, so the guard window does not apply. */
function afterMoney(state: StateIn<'money' | 'money_back'>, event: Sent): HandoverState {
  if (event.result === 'unknown') return { ...state, phase: 'recovering' }
  if (event.result === 'contended') return doubtful(state, 'another_run')
  if (event.result !== 'done') return stuck(state, event)
  // The lines of a carried invoice belong to the invoice that the step before created.
  const invoice = event.id?.startsWith('in_') === true ? event.id : state.invoice
  const after = { ...state, invoice, done: state.done + (event.moot ?? 0) + 1 }
  if (after.done < after.lists.money) return after
  return after.phase === 'money' ? { ...after, phase: 'keeping' } : { ...after, phase: 'recovering' }
}

function afterHolding(state: HandoverState, event: Sent): HandoverState {
  switch (event.result) {
    case 'done':
      return event.reason === null
        ? { ...state, phase: 'creating', skips: 0 }
        : undoing({ ...state, skips: 0 }, event.reason)
    case 'refused':
      return undoing(state, event.reason)
    case 'contended':
      return standBack(state, 'source')
    case 'too_late':
      return { ...state, phase: 'source', reason: event.reason }
    case 'unknown':
      return { ...state, phase: 'recovering', skips: state.skips + (event.spent === true ? 1 : 0) }
  }
}

type CreatingPhase = 'creating' | 'pausing' | 'scheduling'

function afterCreating(state: StateIn<CreatingPhase>, event: Sent): HandoverState {
  switch (event.result) {
    case 'done':
      return created(state, event.id)
    case 'refused':
      return { ...undoing(state, event.reason), refused: state.refused || state.phase === 'creating' }
    case 'too_late':
      return undoing(state, event.reason)
    case 'contended':
      // This store before a crash, or another run, shut this key or used it for another creation.
      return { ...state, phase: 'recovering', foreign: state.foreign || state.phase === 'creating' }
    case 'unknown':
      return { ...state, phase: 'recovering', unsure: state.unsure || state.phase === 'creating' }
  }
}

/** Completes the new subscription before its proof: its pause, then its schedule. */
function created(state: StateIn<CreatingPhase>, id: string | null): HandoverState {
  if (state.phase === 'scheduling')
    return state.schedule === null ? { ...state, schedule: id } : { ...state, phase: 'proving' }
  const successor = state.phase === 'creating' ? (id ?? state.successor) : state.successor
  // An answer without an id does not show what was created: both sides are read.
  if (successor === null) return { ...state, phase: 'recovering' }
  if (state.phase === 'creating' && state.lists.pause) return { ...state, phase: 'pausing', successor, schedule: null }
  return state.lists.schedule ? { ...state, phase: 'scheduling', successor } : { ...state, phase: 'proving', successor }
}

/** Draft: stop, finalize, void. Open: stop, void. */
function afterStopping(state: StateIn<InvoicePhase>): HandoverState {
  if (state.phase === 'voiding_invoice') return { ...state, phase: 'reading_invoice' }
  return state.phase === 'stopping_invoice' && state.invoiceSight === 'draft'
    ? { ...state, phase: 'finalizing_invoice' }
    : { ...state, phase: 'voiding_invoice' }
}

function afterBillingGap(state: StateIn<'advancing_draft' | 'billing_gap'>, event: Sent): HandoverState {
  if (event.result === 'unknown') return { ...state, phase: 'checking_gap' }
  if (event.result !== 'done') return { ...doubtful(state, 'period_uncharged'), reason: event.reason }
  const invoice = state.invoice ?? event.id
  // An answer without an id does not show which invoice the lines belong to: it is read again.
  if (invoice === null) return { ...state, phase: 'checking_gap' }
  const done = state.done + 1
  if (state.phase === 'billing_gap' && done < state.gap) return { ...state, invoice, done }
  const billed = { ...state.period, outcome: 'billed' as const }
  return { ...state, phase: 'checking_gap', invoice, done, accounted: [...state.accounted, billed] }
}

/** The customer's money is between two accounts: an automatic retry could lose or double it. */
function stuck(state: HandoverState, event: Sent): HandoverState {
  return { ...doubtful(state, 'money_stuck'), reason: event.reason }
}
