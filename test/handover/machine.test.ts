import { describe, expect, test } from 'vitest'
import { command, next } from '../../src/handover/machine.ts'
import { newSights, oldSights, roundsMax } from '../../src/handover/recovery.ts'
import {
  atSource,
  isRest,
  type HandoverEvent,
  type HandoverState,
  type Phase,
  type SendingPhase,
} from '../../src/handover/state.ts'
import type { InvoiceSight, NewSight, OldSight } from '../../src/handover/types.ts'

const reason = { code: 'why', message: 'because', fix: '' }
const at = (phase: Phase, more: Partial<HandoverState> = {}): HandoverState => ({
  ...atSource,
  phase,
  successor: 'sub_new',
  ...more,
})
type Goal = HandoverState['goal']
const goals: readonly Goal[] = ['move', 'undo', 'revert', 'settle']

const sent = (
  result: 'done' | 'refused' | 'too_late' | 'unknown',
  why = result === 'done' ? null : reason,
): HandoverEvent => ({ type: 'sent', result, id: 'x_1', reason: why })
const both = (
  old: OldSight,
  successor: NewSight,
  more: Partial<Extract<HandoverEvent, { type: 'both_read' }>> = {},
): HandoverEvent => ({
  type: 'both_read',
  old,
  new: successor,
  successor: successor === 'live' || successor === 'ended' ? 'sub_new' : null,
  time: 'before',
  schedule: null,
  newSchedule: null,
  collect: [],
  ...more,
})

const sending: readonly SendingPhase[] = [
  'carrying',
  'holding',
  'creating',
  'pausing',
  'scheduling',
  'releasing_new',
  'money',
  'keeping',
  'reholding',
  'stopping_invoice',
  'finalizing_invoice',
  'voiding_invoice',
  'refunding',
  'cancelling_new',
  'money_back',
  'restoring_old',
  'advancing_draft',
  'billing_gap',
  'releasing_schedule',
  'cancelling_old',
  'restoring_collection',
]
const phases: readonly Phase[] = [
  'source',
  'moved',
  'settled',
  'ended',
  'doubtful',
  'reading',
  'previewing',
  'proving',
  'recovering',
  'reading_invoice',
  'checking_gap',
  ...sending,
]

const invoiceSights: readonly (InvoiceSight | 'unreadable')[] = [
  'none',
  'draft',
  'open',
  'in_flight',
  'paid',
  'void',
  'uncollectible',
  'refunded',
  'disputed',
  'unreadable',
]
const everyEvent: readonly HandoverEvent[] = [
  ...goals.map((goal): HandoverEvent => ({
    type: 'begin',
    goal,
    lists: { carry: 1, money: 1, pause: true, schedule: false },
    successor: null,
  })),
  { type: 'interrupted' },
  ...oldSights.flatMap((sight) =>
    [null, reason].map((why): HandoverEvent => ({ type: 'old_read', sight, reason: why })),
  ),
  { type: 'previewed', reason: null },
  { type: 'previewed', reason },
  ...(['done', 'refused', 'too_late', 'unknown'] as const).map((result) => sent(result)),
  sent('done', reason),
  ...(['ok', 'differs', 'charged', 'unsure'] as const).map((result): HandoverEvent => ({
    type: 'proved',
    result,
    reason: null,
    invoice: null,
  })),
  ...oldSights.flatMap((old) => newSights.map((successor) => both(old, successor))),
  ...invoiceSights.map((sight): HandoverEvent => ({
    type: 'invoice_read',
    sight,
    invoice: 'in_1',
    payment: 'pi_1',
    allowed: false,
  })),
  ...(['none', 'draft', 'uncharged', 'unreadable'] as const).map((gap): HandoverEvent => ({
    type: 'gap_read',
    gap,
    invoice: 'in_1',
    requests: 3,
    done: 0,
  })),
]

describe('the machine is total', () => {
  test('every state answers every event with a state, and every state has a command', () => {
    for (const phase of phases)
      for (const goal of goals)
        for (const event of everyEvent) {
          const after = next(at(phase, { goal }), event)
          expect(phases).toContain(after.phase)
          expect(command(after)).toHaveProperty('do')
          expect(JSON.parse(JSON.stringify(after))).toEqual(after)
        }
    expect(phases.length * goals.length * everyEvent.length).toBeGreaterThan(9_000)
  })
  test('an event that does not belong to a state leaves it as it is', () => {
    const belongs: Readonly<Record<string, readonly Phase[]>> = {
      old_read: ['reading'],
      previewed: ['previewing'],
      proved: ['proving'],
      both_read: ['recovering'],
      invoice_read: ['reading_invoice'],
      gap_read: ['checking_gap'],
      sent: sending,
    }
    for (const phase of phases)
      for (const event of everyEvent.filter(({ type }) => belongs[type]?.includes(phase) === false))
        expect(next(at(phase), event)).toEqual(at(phase))
  })
  test('only a state at rest wants nothing, and only a state at rest begins anew', () => {
    for (const phase of phases) {
      expect(command(at(phase)).do === 'rest').toBe(isRest(phase))
      const begun = next(at(phase), {
        type: 'begin',
        goal: 'move',
        lists: { carry: 0, money: 0, pause: false, schedule: false },
        successor: null,
      })
      expect(begun.phase === 'reading').toBe(isRest(phase) || phase === 'reading')
    }
  })
})

/** The table in recovery.ts, for a successor that exists or not: rows old sights, columns goals. */
const living: Readonly<Record<'live' | 'none', Readonly<Record<string, readonly [string, string, string, string]>>>> = {
  live: {
    held: ['proving', 'cancelling_new', 'reading_invoice', 'cancelling_old'],
    kept: ['moved', 'cancelling_new', 'reading_invoice', 'cancelling_old'],
    hold_removed: ['reholding', 'cancelling_new', 'reholding', 'reholding'],
    free: ['reholding', 'cancelling_new', 'reholding', 'reholding'],
  },
  none: {
    held: ['creating', 'restoring_old', 'restoring_old', 'doubtful held_without_successor'],
    kept: ['restoring_old', 'restoring_old', 'restoring_old', 'doubtful held_without_successor'],
    hold_removed: ['restoring_old', 'restoring_old', 'restoring_old', 'doubtful held_without_successor'],
    free: ['reading', 'checking_gap', 'checking_gap', 'source'],
  },
}
const shown = ({ phase, alarm }: HandoverState): string => (phase === 'doubtful' ? `doubtful ${alarm ?? ''}` : phase)
const recovered = (goal: Goal, event: HandoverEvent, more: Partial<HandoverState> = {}): HandoverState =>
  next(at('recovering', { goal, ...more }), event)

describe('what is done after both sides were read', () => {
  for (const successor of ['live', 'none', 'undone'] as const)
    for (const old of ['held', 'kept', 'hold_removed', 'free'] as const)
      test.each(goals)(`old ${old}, new ${successor}, goal %s`, (goal) => {
        const row = living[successor === 'live' ? 'live' : 'none'][old]
        expect(shown(recovered(goal, both(old, successor)))).toBe(row?.[goals.indexOf(goal)])
      })

  test('the old one is only given back after a positive read that no successor exists or only undone ones', () => {
    for (const goal of goals)
      for (const old of oldSights)
        for (const successor of newSights.filter((one) => one !== 'none' && one !== 'undone'))
          expect(['restoring_old', 'money_back']).not.toContain(recovered(goal, both(old, successor)).phase)
  })
  test('a successor that ended settles the old one, whatever was meant; one that somebody released by hand alarms', () => {
    for (const goal of goals) {
      for (const old of ['held', 'kept', 'hold_removed'] as const)
        expect(recovered(goal, both(old, 'ended'))).toMatchObject({
          phase: 'cancelling_old',
          reason: { code: 'ended_in_target' },
        })
      expect(shown(recovered(goal, both('free', 'ended')))).toBe('doubtful ended_in_target')
    }
  })
  test.each([
    ['settled', 'live', 'settled', null],
    ['settled', 'none', 'ended', 'no_payer'],
    ['settled', 'undone', 'ended', 'no_payer'],
    ['settled', 'ended', 'ended', null],
    ['lapsed', 'live', 'settled', null],
    ['lapsed', 'none', 'ended', null],
    ['lapsed', 'ended', 'ended', null],
    ['cancelled', 'none', 'ended', null],
    ['cancelled', 'undone', 'ended', null],
    ['cancelled', 'ended', 'ended', null],
  ] as const)('an old one that is over: %s, new %s → %s', (old, successor, phase, alarm) => {
    for (const goal of goals) expect(recovered(goal, both(old, successor))).toMatchObject({ phase, alarm })
  })
  test('the member left in the old account: before the proof the new one is taken back, after it a person decides', () => {
    expect(recovered('move', both('cancelled', 'live')).phase).toBe('cancelling_new')
    expect(recovered('undo', both('cancelled', 'live')).phase).toBe('cancelling_new')
    expect(shown(recovered('settle', both('cancelled', 'live')))).toBe('doubtful cancelled_in_source')
    expect(shown(recovered('revert', both('cancelled', 'live')))).toBe('doubtful cancelled_in_source')
  })
  test('what cannot be read, or is there twice, is left on hold with an alarm', () => {
    for (const goal of goals)
      for (const sight of oldSights.filter((one) => one !== 'unreadable')) {
        expect(shown(recovered(goal, both(sight, 'unreadable')))).toBe('doubtful target_unreachable')
        expect(shown(recovered(goal, both(sight, 'several')))).toBe('doubtful duplicate_target')
      }
    for (const goal of goals)
      for (const successor of newSights)
        expect(shown(recovered(goal, both('unreadable', successor)))).toBe('doubtful source_unreachable')
  })
  test('too late to create: the old one is given back; a free one is left alone', () => {
    expect(recovered('move', both('held', 'none', { time: 'too_late' }))).toMatchObject({
      phase: 'restoring_old',
      goal: 'undo',
    })
    expect(recovered('move', both('free', 'none', { time: 'too_late' })).phase).toBe('source')
  })
  test('a creation that a look-up proved absent gets a new attempt', () => {
    expect(recovered('move', both('held', 'none'), { attempt: 2 })).toMatchObject({
      phase: 'creating',
      attempt: 3,
      successor: null,
    })
  })
  test('a schedule is released before the old one is cancelled; invoices that the cancel would stop are remembered', () => {
    const event = both('kept', 'live', { schedule: 'sub_sched_1', collect: ['in_1', 'in_2'] })
    expect(recovered('settle', event, { collect: ['in_0', 'in_1'] })).toMatchObject({
      phase: 'releasing_schedule',
      schedule: 'sub_sched_1',
      collect: ['in_0', 'in_1', 'in_2'],
    })
    expect(recovered('settle', both('settled', 'live'), { collect: ['in_1'] }).phase).toBe('restoring_collection')
  })
  test('money that has moved is never taken back by an undo: the move goes on, or a person looks', () => {
    const lists = { carry: 0, money: 2, pause: false, schedule: false }
    expect(recovered('move', both('held', 'live'), { done: 1, lists }).phase).toBe('money')
    expect(recovered('move', both('held', 'live'), { done: 2, lists }).phase).toBe('keeping')
    expect(shown(recovered('move', both('held', 'none'), { done: 1, lists }))).toBe('doubtful money_stuck')
    expect(shown(recovered('move', both('cancelled', 'live'), { done: 1, lists }))).toBe('doubtful cancelled_in_source')
  })
  test('a pause or a schedule that may not have been set is set again before the proof', () => {
    const lists = { carry: 0, money: 0, pause: true, schedule: true }
    const event = both('held', 'live', { newSchedule: 'sub_sched_2' })
    const paused = recovered('move', event, { lists })
    expect(paused).toMatchObject({ phase: 'pausing', schedule: 'sub_sched_2' })
    // A schedule that is there is filled, not made again.
    const filling = next(paused, sent('done'))
    expect(filling).toMatchObject({ phase: 'scheduling', schedule: 'sub_sched_2' })
    expect(next(filling, sent('done')).phase).toBe('proving')
    const made = recovered('move', both('held', 'live'), { lists: { ...lists, pause: false } })
    expect(made).toMatchObject({ phase: 'scheduling', schedule: null })
    expect(recovered('move', both('kept', 'live'), { lists }).phase).toBe('moved')
  })
  test('a revert carries money back before the old one is given back', () => {
    const lists = { carry: 0, money: 2, pause: false, schedule: false }
    expect(recovered('revert', both('kept', 'undone'), { lists }).phase).toBe('money_back')
    expect(recovered('revert', both('kept', 'undone'), { lists, done: 2 }).phase).toBe('restoring_old')
  })
  test('a schedule of the successor is released before it is cancelled', () => {
    for (const goal of ['undo', 'revert'] as const)
      expect(recovered(goal, both('held', 'live', { newSchedule: 'sub_sched_2' }))).toMatchObject({
        phase: 'releasing_new',
        schedule: 'sub_sched_2',
      })
    expect(recovered('move', both('cancelled', 'live', { newSchedule: 'sub_sched_2' })).phase).toBe('releasing_new')
    expect(recovered('move', both('held', 'live', { newSchedule: 'sub_sched_2' })).phase).toBe('proving')
  })
  test('an undo of a creation that took money looks at its invoice first', () => {
    expect(recovered('undo', both('held', 'live'), { charged: true }).phase).toBe('reading_invoice')
  })
  test('what keeps being undone by somebody ends with an alarm', () => {
    expect(shown(recovered('move', both('free', 'live'), { rounds: roundsMax }))).toBe('doubtful no_progress')
  })
})

/** Rows: phases; columns: done, refused, too_late, unknown. */
const answers: Readonly<Record<SendingPhase, readonly [string, string, string, string]>> = {
  carrying: ['previewing', 'source', 'source', 'source'],
  holding: ['creating', 'recovering undo', 'source', 'recovering'],
  creating: ['proving', 'recovering undo', 'recovering undo', 'recovering'],
  pausing: ['proving', 'recovering undo', 'recovering undo', 'recovering'],
  scheduling: ['scheduling', 'recovering undo', 'recovering undo', 'recovering'],
  money: ['keeping', 'doubtful money_stuck', 'doubtful money_stuck', 'recovering'],
  keeping: ['moved', 'recovering', 'recovering', 'recovering'],
  reholding: ['recovering', 'recovering', 'recovering', 'recovering'],
  stopping_invoice: ['voiding_invoice', 'reading_invoice', 'reading_invoice', 'reading_invoice'],
  finalizing_invoice: ['voiding_invoice', 'reading_invoice', 'reading_invoice', 'reading_invoice'],
  voiding_invoice: ['reading_invoice', 'reading_invoice', 'reading_invoice', 'reading_invoice'],
  refunding: ['cancelling_new', 'doubtful money_stuck', 'doubtful money_stuck', 'reading_invoice'],
  releasing_new: ['recovering', 'recovering', 'recovering', 'recovering'],
  cancelling_new: ['recovering', 'recovering', 'recovering', 'recovering'],
  money_back: ['recovering', 'doubtful money_stuck', 'doubtful money_stuck', 'recovering'],
  restoring_old: ['recovering', 'recovering', 'recovering', 'recovering'],
  advancing_draft: ['source', 'doubtful period_uncharged', 'doubtful period_uncharged', 'checking_gap'],
  billing_gap: ['source', 'doubtful period_uncharged', 'doubtful period_uncharged', 'checking_gap'],
  releasing_schedule: ['recovering', 'recovering', 'recovering', 'recovering'],
  cancelling_old: ['recovering', 'recovering', 'recovering', 'recovering'],
  restoring_collection: ['settled', 'settled', 'settled', 'restoring_collection'],
}

describe('what follows from an answer', () => {
  const results = ['done', 'refused', 'too_late', 'unknown'] as const
  for (const phase of sending)
    test.each(results)(`${phase}: %s`, (result) => {
      const state = at(phase, {
        lists: { carry: 1, money: 1, pause: false, schedule: false },
        collect: ['in_1'],
        gap: 1,
        invoiceSight: 'open',
      })
      const after = next(state, sent(result))
      const goal = after.goal === 'undo' ? ' undo' : ''
      expect(`${shown(after)}${goal}`).toBe(answers[phase][results.indexOf(result)])
    })

  test('lists are sent one by one', () => {
    const lists = { carry: 3, money: 2, pause: true, schedule: false }
    expect(next(at('carrying', { lists, done: 1 }), sent('done'))).toMatchObject({ phase: 'carrying', done: 2 })
    expect(next(at('carrying', { lists, done: 2 }), sent('done')).phase).toBe('previewing')
    expect(next(at('money', { lists }), sent('done'))).toMatchObject({ phase: 'money', done: 1 })
    expect(next(at('billing_gap', { gap: 3, invoice: null }), sent('done'))).toMatchObject({
      phase: 'billing_gap',
      done: 1,
      invoice: 'x_1',
    })
    expect(next(at('restoring_collection', { collect: ['in_1', 'in_2'] }), sent('refused'))).toMatchObject({
      phase: 'restoring_collection',
      done: 1,
    })
    expect(next(at('creating', { lists }), sent('done'))).toMatchObject({ phase: 'pausing', successor: 'x_1' })
  })
  test('a schedule is made, filled, and only then everything is proven', () => {
    const lists = { carry: 0, money: 0, pause: true, schedule: true }
    const paused = next(at('creating', { lists }), sent('done'))
    expect(paused.phase).toBe('pausing')
    const made = next(next(paused, sent('done')), sent('done'))
    expect(made).toMatchObject({ phase: 'scheduling', schedule: 'x_1' })
    expect(next(made, sent('done')).phase).toBe('proving')
  })
  test('a hold whose answer is not what was planned is taken back', () => {
    expect(next(at('holding'), sent('done', reason))).toMatchObject({ phase: 'recovering', goal: 'undo', reason })
  })
  test('a draft in the target is stopped, finalized, voided and read again', () => {
    const draft = next(at('reading_invoice', { goal: 'revert' }), {
      type: 'invoice_read',
      sight: 'draft',
      invoice: 'in_1',
      payment: null,
      allowed: false,
    })
    expect(draft).toMatchObject({ phase: 'stopping_invoice', invoice: 'in_1' })
    const finalizing = next(draft, sent('done'))
    expect(finalizing.phase).toBe('finalizing_invoice')
    expect(next(finalizing, sent('done')).phase).toBe('voiding_invoice')
  })
})

/** Rows: what the target's invoice is; columns: revert, undo of a creation that took money. */
const invoices: Readonly<Record<InvoiceSight | 'unreadable', readonly [string, string]>> = {
  none: ['cancelling_new', 'cancelling_new'],
  void: ['cancelling_new', 'cancelling_new'],
  uncollectible: ['cancelling_new', 'cancelling_new'],
  paid: ['cancelling_new', 'refunding'],
  draft: ['stopping_invoice', 'stopping_invoice'],
  open: ['stopping_invoice', 'stopping_invoice'],
  in_flight: ['moved', 'doubtful payment_in_flight'],
  refunded: ['moved', 'cancelling_new'],
  disputed: ['moved', 'doubtful disputed_in_target'],
  unreadable: ['doubtful target_unreachable', 'doubtful target_unreachable'],
}

describe('the invoice that a revert would take back', () => {
  test.each(invoiceSights)('%s', (sight) => {
    const event: HandoverEvent = { type: 'invoice_read', sight, invoice: 'in_1', payment: 'pi_1', allowed: false }
    expect(shown(next(at('reading_invoice', { goal: 'revert' }), event))).toBe(invoices[sight][0])
    expect(shown(next(at('reading_invoice', { goal: 'undo', charged: true }), event))).toBe(invoices[sight][1])
  })
  test('a refunded or disputed period is set back when the subscriber’s file says what to do', () => {
    for (const sight of ['refunded', 'disputed'] as const) {
      const event: HandoverEvent = { type: 'invoice_read', sight, invoice: 'in_1', payment: 'pi_1', allowed: true }
      expect(next(at('reading_invoice', { goal: 'revert' }), event).phase).toBe('cancelling_new')
    }
  })
})

describe('a run that stops anywhere', () => {
  test.each(phases)('interrupted in %s: nothing is assumed about the request in flight', (phase) => {
    const { phase: after } = next(at(phase), { type: 'interrupted' })
    const untouched: readonly Phase[] = ['source', 'moved', 'settled', 'ended', 'restoring_collection']
    const beforeHold: readonly Phase[] = ['reading', 'carrying', 'previewing']
    const gap: readonly Phase[] = ['checking_gap', 'advancing_draft', 'billing_gap']
    const expected = untouched.includes(phase)
      ? phase
      : beforeHold.includes(phase)
        ? 'source'
        : gap.includes(phase)
          ? 'checking_gap'
          : 'recovering'
    expect(after).toBe(expected)
  })
})
