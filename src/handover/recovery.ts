import type { NewObservation, OldObservation } from '../live/observations.ts'
import type { HandoverEvent } from './event-types.ts'
import type { HandoverState, StateIn } from './state.ts'
import type { AlarmCode } from './codes.ts'
import { blocked, stopped } from './reasons.ts'
import type { Reason } from './types.ts'

type BothRead = Extract<HandoverEvent, { type: 'both_read' }>
type Recovering = StateIn<'recovering'>
/** Both sides were read, and a successor was found. */
type Found = Recovering & { readonly successor: string }

/** After this many passes, something keeps undoing our changes and a person must look. */
export const roundsMax = 12

/**
 * Decides the next step after both sides were read. This is the only path to a release of the old
 * subscription, so the rule that prevents two payers is in one place: `restoring_old` needs a
 * positive read that no successor ever existed, or that all were cancelled with our undo mark. If
 * the successor ended in any other way, the old subscription is settled, never released.
 *
 * First, for every goal:
 *
 * | old        | new          | next                                                            |
 * |------------|--------------|-----------------------------------------------------------------|
 * | unreadable | any          | doubtful `source_unreachable`                                   |
 * | any        | unreadable   | doubtful `target_unreachable` (a missed charge can be repaired) |
 * | over       | erased       | ended                                                           |
 * | live       | erased       | doubtful `erased_in_target` (the customer, no successor seen)   |
 * | any        | several      | doubtful `duplicate_target`                                     |
 * | any        | any          | restoring_collection if our cancel stopped other invoices       |
 * | settled    | live         | settled                                                         |
 * | settled    | none, undone | ended, alarm `no_payer`                                         |
 * | lapsed     | live         | settled                                                         |
 * | cancelled  | live         | move, undo: cancelling_new (the member left before the proof)   |
 * | cancelled  | live         | settle, revert: doubtful `cancelled_in_source`                  |
 * | over       | otherwise    | ended                                                           |
 * | free       | ended        | settle: cancelling_old; else doubtful `ended_in_target`         |
 * | on hold    | ended        | cancelling_old, reason `ended_in_target`                        |
 *
 * `undone` means that the successor of the present hold is among the undone ones. Those of earlier
 * holds alone are `none` (`observeNew`).
 *
 * Then, for an old subscription that is live (held, kept, hold_removed = `removed`, free); `cancel
 * new` is cancelling_new, `cancel old` is cancelling_old:
 *
 * | old     | new          | move          | undo           | revert          | settle         |
 * |---------|--------------|---------------|----------------|-----------------|----------------|
 * | held    | live         | proving (2)   | cancel new (1) | reading_invoice | cancel old (3) |
 * | kept    | live         | moved         | cancel new (1) | reading_invoice | cancel old (3) |
 * | removed | live         | reholding     | cancel new (1) | reholding       | reholding      |
 * | free    | live         | reholding     | cancel new (1) | reholding       | reholding      |
 * | held    | none, undone | creating (4)  | restoring_old  | money_back (5)  | moved (8)      |
 * | kept    | none         | doubtful (6)  | doubtful (6)   | doubtful (6)    | doubtful (6)   |
 * | kept    | undone       | restoring_old | restoring_old  | money_back (5)  | moved (8)      |
 * | removed | none, undone | restoring_old | restoring_old  | money_back (5)  | moved (8)      |
 * | free    | none, undone | reading (7)   | checking_gap   | checking_gap    | source         |
 *
 * A revert stays `moved`, with the reason, while the old subscription has nothing to charge
 * (`no-method.ts`) and no invoice of the target was stopped for it.
 *
 * 1. reading_invoice first if the creation charged. In an undo or a revert, a schedule of the
 *    successor is released before the successor is cancelled.
 * 2. pausing and scheduling first if the plan has a pause or a schedule: it is unknown whether they
 *    were set, so they are set again.
 *    reholding if an earlier run proved it: a person changed the hold, and what the member changed
 *    in the target since must not undo the move.
 * 3. moved, with the reason, if the held subscription was changed, cancelled or given money through
 *    an old door.
 * 4. In time, if the old subscription and the copied card still are what the plan saw, and if no
 *    creation of this hold was made, refused, shut or left without an outcome; else restoring_old.
 * 5. Then restoring_old.
 * 6. `held_without_successor`. A hold is kept only after its successor was proven. A successor that
 *    no read shows was erased, or carries the words of another checkout; it may still bill.
 * 7. Too late: source.
 * 8. `another_run`: another run reverted it, and may have stopped. A settle knows nothing of that
 *    revert. At rest, the live objects decide: they are recovered as a revert or undo.
 *
 * Beside a live subscription without a mark that bills the same, none of the last five rows is
 * taken: on hold, doubtful `unmarked_successor`; free, a move ends at the source.
 *
 * Every `restoring_old` of this table goes through `releasing`: closing first, and doubtful
 * `creation_unknown` while a creation may still be committed. If another run has held the old
 * subscription again, only that run continues, whatever the goal (`another_run`). Once the
 * customer's money may have moved, a move counts as proven: it continues with a live successor, and
 * is doubtful `money_stuck` without one, unless another run reverted it (8).
 */
export function decide(state: Recovering, event: BothRead): HandoverState {
  const rounds = state.rounds + 1
  const known: Recovering = {
    ...state,
    rounds,
    successor: event.successor ?? state.successor,
    generation: state.generation ?? event.generation,
  }
  if (rounds > roundsMax) return doubtful(known, 'no_progress')
  if (isTakenUp(state, event))
    return standBack(known, event.old === 'kept' && event.new === 'live' ? 'moved' : 'source')
  if (event.old === 'unreadable') return doubtful(known, 'source_unreachable')
  if (event.erased) return hasEnded(event.old) ? { ...known, phase: 'ended' } : doubtful(known, 'erased_in_target')
  if (event.new === 'unreadable') return doubtful(known, 'target_unreachable')
  if (event.new === 'several') return doubtful(known, 'duplicate_target')
  const stopped = event.stopped.filter(({ invoice }) => !state.uncollected.includes(invoice))
  if (stopped.length > 0) return { ...known, phase: 'restoring_collection', stopped }
  if (hasEnded(event.old)) return afterTheEnd(known, event)
  if (event.new === 'ended') return endedInTarget({ ...known, successor: event.successor }, event)
  // What another run created under other terms belongs to that run: proven against our terms, it
  // would be undone.
  if (event.new === 'live' && known.foreign) return standBack(known, event.old === 'kept' ? 'moved' : 'source')
  if (event.new === 'live') return withSuccessor({ ...known, successor: event.successor }, event)
  return event.unmarked === null ? withoutSuccessor(known, event) : besideUnmarked(known, event, event.unmarked)
}

/**
 * What bills without a mark may be the successor. Neither a release nor a creation is safe beside
 * it. An old subscription that bills is left as it is.
 */
function besideUnmarked(state: Recovering, event: BothRead, reason: Reason): HandoverState {
  if (event.old !== 'free') return { ...doubtful(state, 'unmarked_successor'), reason }
  return state.goal === 'move' ? { ...state, phase: 'source', reason } : withoutSuccessor(state, event)
}

/**
 * The old subscription has been released or held again since by another run. A move never
 * releases: from its first undo on, its goal is `undo`. So a release during a move belongs to
 * another run, and what this run knows of the customer's money is no longer true.
 */
function isTakenUp({ generation: ours, skips, goal }: HandoverState, { generation: theirs, old }: BothRead): boolean {
  if (ours === null || theirs === null) return false
  return theirs > (old === 'free' && goal !== 'move' ? ours + 1 + skips : ours)
}

/** Leaves both sides to another run, whose changes the live objects show to every later run. */
export function standBack(state: HandoverState, phase: 'source' | 'moved'): HandoverState {
  return { ...state, phase, reason: stopped('another_run', 'another run has moved or released this subscriber since') }
}

function hasEnded(old: OldObservation): boolean {
  return old === 'settled' || old === 'lapsed' || old === 'cancelled'
}

function afterTheEnd(state: Recovering, event: BothRead): HandoverState {
  const { old } = event
  if (event.new !== 'live') {
    const hasNoPayer = old === 'settled' && (event.new === 'none' || event.new === 'undone')
    return { ...state, phase: 'ended', alarm: hasNoPayer ? 'no_payer' : state.alarm }
  }
  if (old === 'settled' || old === 'lapsed') return { ...state, phase: 'settled' }
  if ((state.goal === 'move' && !isMoneyMoved(state)) || state.goal === 'undo')
    return takenBack({ ...state, successor: event.successor }, event)
  return doubtful(state, 'cancelled_in_source')
}

/** The member left before the new subscription was proven, so it is cancelled as well. */
function takenBack(state: Found, { newSchedule }: BothRead): HandoverState {
  const reason = blocked('cancelled_in_source', 'the old subscription was cancelled while it was being moved')
  const undo: Found = { ...state, goal: 'undo', reason }
  return newSchedule === null
    ? { ...undo, phase: 'cancelling_new', schedule: null }
    : { ...undo, phase: 'releasing_new', schedule: newSchedule }
}

/**
 * An old subscription that was released by hand is cancelled only if a person asked for it: the
 * stage is `settled`.
 */
function endedInTarget(state: Found, event: BothRead): HandoverState {
  if (event.old === 'free' && state.goal !== 'settle') return doubtful(state, 'ended_in_target')
  const reason = stopped('ended_in_target', 'the new subscription has ended; the old one can only be settled')
  return settling({ ...state, reason }, event)
}

function withSuccessor(state: Found, event: BothRead): HandoverState {
  const onHold = event.old === 'held' || event.old === 'kept'
  if (state.goal === 'revert' && onHold && state.invoice === null && event.methodless !== null)
    return { ...state, phase: 'moved', reason: event.methodless }
  // Stripe refuses to cancel a subscription under a schedule, so the schedule is released first.
  if (event.newSchedule !== null && (state.goal === 'undo' || (state.goal === 'revert' && onHold)))
    return { ...state, phase: 'releasing_new', schedule: event.newSchedule }
  switch (state.goal) {
    case 'undo':
      return state.charged ? { ...state, phase: 'reading_invoice' } : { ...state, phase: 'cancelling_new' }
    case 'revert':
      return onHold ? { ...state, phase: 'reading_invoice' } : { ...state, phase: 'reholding' }
    case 'settle':
      if (!onHold) return { ...state, phase: 'reholding' }
      if (event.lost !== null) return { ...state, phase: 'moved', reason: event.lost }
      return event.drifted ? drifted(state) : settling(state, event)
    case 'move':
      if (!onHold) return { ...state, phase: 'reholding' }
      // Once money has moved, the move is proven and continues.
      if (isMoneyMoved(state) && state.done < state.lists.money) return { ...state, phase: 'money' }
      if (isMoneyMoved(state) && !state.replayed) return { ...state, phase: 'keeping' }
      if (event.old === 'kept') return { ...state, phase: 'moved' }
      // A person changed the hold since the proof: it is set again, and nothing is compared.
      return event.proven || state.replayed ? { ...state, phase: 'reholding' } : unproven(state, event)
  }
}

/** The member changed the held subscription through an old door. A settle would lose the change. */
function drifted(state: HandoverState): HandoverState {
  const reason = blocked('drift_on_held_source', 'the held subscription was changed in the old account during the hold')
  return { ...state, phase: 'moved', reason }
}

/**
 * It is unknown whether the pause and the schedule were set. Both are set again; otherwise a paused
 * member could be charged.
 */
function unproven(state: Found, { newSchedule }: BothRead): HandoverState {
  if (state.lists.pause) return { ...state, phase: 'pausing', schedule: newSchedule }
  return state.lists.schedule
    ? { ...state, phase: 'scheduling', schedule: newSchedule }
    : { ...state, phase: 'proving' }
}

function withoutSuccessor(state: Recovering, event: BothRead): HandoverState {
  if (event.old === 'free') {
    if (state.goal === 'move' && event.time === 'before') return { ...state, phase: 'reading', successor: null }
    return state.goal === 'move' || state.goal === 'settle'
      ? { ...state, phase: 'source' }
      : { ...state, phase: 'checking_gap' }
  }
  if (event.old === 'kept' && event.new === 'none') return doubtful(state, 'held_without_successor')
  switch (state.goal) {
    case 'settle':
      return standBack(state, 'moved')
    case 'revert':
      return state.done < state.lists.money ? { ...state, phase: 'money_back' } : releasing(state, event)
    case 'undo':
      return releasing(state, event)
    case 'move':
      // Only a revert ends a successor whose money moved: the note on the old subscription names
      // the money.
      if (isMoneyMoved(state))
        return event.new === 'undone' ? standBack(state, 'moved') : doubtful(state, 'money_stuck')
      // One hold has one creation: a creation that was undone, refused or shut is not repeated
      // under the same hold.
      if (event.old === 'held' && event.time === 'before' && !event.made && mayCreate(state))
        return event.stale === null
          ? { ...state, phase: 'creating', successor: null }
          : releasing({ ...state, reason: event.stale }, event)
      return releasing(state, event)
  }
}

function mayCreate({ closed, unsure, foreign }: HandoverState): boolean {
  return closed === null && !unsure && !foreign
}

/**
 * The old subscription is released only when no run can execute a creation of this hold any more:
 * the creation's key is shut, or the creation is known or was refused. If a creation used the key
 * but no read shows it, it may still be committed. The old subscription then stays on hold until
 * the hold has been quiet for long enough.
 */
function releasing(state: Recovering, { made, quiet }: BothRead): HandoverState {
  const isOver = made || state.closed === 'shut' || (state.closed === 'used' && (state.refused || quiet))
  if (isOver) return { ...state, phase: 'restoring_old', goal: state.goal === 'move' ? 'undo' : state.goal }
  if (state.closed === null) return { ...state, phase: 'closing' }
  return doubtful(state, state.foreign ? 'another_run' : 'creation_unknown')
}

/**
 * In a move after the hold, the current list is the customer's money alone. Its first request may
 * have been executed although none is counted. A voided invoice changes what a second proof would
 * compare, and an undo would lose its debt.
 */
function isMoneyMoved({ goal, done, proven }: HandoverState): boolean {
  return goal === 'move' && (proven || done > 0)
}

/** Stripe refuses to cancel a subscription under a schedule, so the schedule is released first. */
function settling(state: Found, event: BothRead): HandoverState {
  const { schedule } = event
  return schedule === null
    ? { ...state, phase: 'cancelling_old', schedule }
    : { ...state, phase: 'releasing_schedule', schedule }
}

/** Starts an undo of what was begun; the next read decides how. */
export function undoing(state: HandoverState, reason: Reason | null): Recovering {
  return { ...state, phase: 'recovering', goal: 'undo', reason: reason ?? state.reason }
}

export function doubtful(state: HandoverState, alarm: AlarmCode): HandoverState {
  return { ...state, phase: 'doubtful', alarm }
}

/** For tests and documents: every combination that `decide` accepts. */
export const oldObservations: readonly OldObservation[] = [
  'free',
  'held',
  'kept',
  'hold_removed',
  'settled',
  'lapsed',
  'cancelled',
  'unreadable',
]
export const newObservations: readonly NewObservation[] = ['none', 'undone', 'live', 'ended', 'several', 'unreadable']
