import { describe, expect, test } from 'vitest'
import { next } from '../../src/handover/machine.ts'
import { newObservations, oldObservations, roundsMax } from '../../src/handover/recovery.ts'
import { both, goals, recovered, sent, shown, stopped } from './machine-words.ts'

/** The table in recovery.ts, with and without a successor: rows old observations, columns goals. */
const notVisible = 'doubtful held_without_successor'

const living: Readonly<
  Record<'live' | 'none' | 'undone', Readonly<Record<string, readonly [string, string, string, string]>>>
> = {
  live: {
    held: ['proving', 'cancelling_new', 'reading_invoice', 'cancelling_old'],
    kept: ['moved', 'cancelling_new', 'reading_invoice', 'cancelling_old'],
    hold_removed: ['reholding', 'cancelling_new', 'reholding', 'reholding'],
    free: ['reholding', 'cancelling_new', 'reholding', 'reholding'],
  },
  none: {
    held: ['creating', 'closing', 'closing', 'moved'],
    // Kept only after a proof: the successor was erased, or has the texts of another checkout.
    kept: [notVisible, notVisible, notVisible, notVisible],
    hold_removed: ['closing', 'closing', 'closing', 'moved'],
    free: ['reading', 'checking_gap', 'checking_gap', 'source'],
  },
  undone: {
    held: ['restoring_old', 'restoring_old', 'restoring_old', 'moved'],
    kept: ['restoring_old', 'restoring_old', 'restoring_old', 'moved'],
    hold_removed: ['restoring_old', 'restoring_old', 'restoring_old', 'moved'],
    free: ['reading', 'checking_gap', 'checking_gap', 'source'],
  },
}

describe('what follows after both sides were read', () => {
  for (const successor of ['live', 'none', 'undone'] as const)
    for (const old of ['held', 'kept', 'hold_removed', 'free'] as const)
      test.each(goals)(`old ${old}, new ${successor}, goal %s`, (goal) => {
        const row = living[successor][old]
        expect(shown(recovered(goal, both(old, successor)))).toBe(row?.[goals.indexOf(goal)])
      })

  test('the old subscription is released only after a positive read that no successor exists or only undone ones', () => {
    for (const goal of goals)
      for (const old of oldObservations)
        for (const successor of newObservations.filter((one) => one !== 'none' && one !== 'undone'))
          expect(['restoring_old', 'money_back']).not.toContain(recovered(goal, both(old, successor)).phase)
  })
  test('a successor that ended settles the old one, whatever the goal; after a manual release it alarms until its stage is settled', () => {
    for (const goal of goals) {
      for (const old of ['held', 'kept', 'hold_removed'] as const)
        expect(recovered(goal, both(old, 'ended'))).toMatchObject({
          phase: 'cancelling_old',
          reason: { code: 'ended_in_target' },
        })
      expect(shown(recovered(goal, both('free', 'ended')))).toBe(
        goal === 'settle' ? 'cancelling_old' : 'doubtful ended_in_target',
      )
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
  ] as const)('an old subscription that has ended: %s, new %s → %s', (old, successor, phase, alarm) => {
    for (const goal of goals) expect(recovered(goal, both(old, successor))).toMatchObject({ phase, alarm })
  })
  test('the member left in the old account: before the proof the new one is undone, after it a person decides', () => {
    expect(recovered('move', both('cancelled', 'live')).phase).toBe('cancelling_new')
    expect(recovered('undo', both('cancelled', 'live')).phase).toBe('cancelling_new')
    expect(shown(recovered('settle', both('cancelled', 'live')))).toBe('doubtful cancelled_in_source')
    expect(shown(recovered('revert', both('cancelled', 'live')))).toBe('doubtful cancelled_in_source')
  })
  test('an unreadable or double successor is left on hold with an alarm', () => {
    for (const goal of goals)
      for (const observation of oldObservations.filter((one) => one !== 'unreadable')) {
        expect(shown(recovered(goal, both(observation, 'unreadable')))).toBe('doubtful target_unreachable')
        expect(shown(recovered(goal, both(observation, 'several')))).toBe('doubtful duplicate_target')
      }
    for (const goal of goals)
      for (const successor of newObservations)
        expect(shown(recovered(goal, both('unreadable', successor)))).toBe('doubtful source_unreachable')
  })
  test('the customer was erased in the target and no successor is visible: the hold stays until the old one is cancelled', () => {
    for (const goal of goals)
      for (const old of oldObservations.filter((one) => one !== 'unreadable')) {
        const over = old === 'settled' || old === 'lapsed' || old === 'cancelled'
        const after = shown(recovered(goal, both(old, 'unreadable', { erased: true })))
        expect(after).toBe(over ? 'ended' : 'doubtful erased_in_target')
      }
  })
  test('too late to create: the old one is released; a free one is not changed', () => {
    const late = both('held', 'none', { time: 'too_late' })
    expect(recovered('move', late).phase).toBe('closing')
    expect(recovered('move', late, { closed: 'shut' })).toMatchObject({ phase: 'restoring_old', goal: 'undo' })
    expect(recovered('move', both('free', 'none', { time: 'too_late' })).phase).toBe('source')
  })
  test('promise 11: nothing is released while any run may still create: its key is made unusable first, or its creation is known', () => {
    for (const goal of ['move', 'undo', 'revert'] as const)
      for (const old of ['held', 'hold_removed'] as const)
        for (const late of [true, false])
          for (const quiet of [true, false]) {
            const event = both(old, 'none', { quiet, ...(late ? { time: 'too_late' as const } : {}) })
            const after = (more: Parameters<typeof recovered>[2]) =>
              shown(recovered(goal, event, { unsure: true, ...more }))
            expect(after({ closed: null })).toBe('closing')
            expect(after({ closed: 'shut' })).toBe('restoring_old')
            expect(after({ closed: 'used', refused: true })).toBe('restoring_old')
            expect(after({ closed: 'used' })).toBe(quiet ? 'restoring_old' : 'doubtful creation_unknown')
          }
  })
  test('promise 11: one hold has one creation', () => {
    expect(recovered('move', both('held', 'none')).phase).toBe('creating')
    expect(recovered('move', both('held', 'none'), { unsure: true }).phase).toBe('closing')
    expect(recovered('move', both('held', 'undone')).phase).toBe('restoring_old')
    // A creation that was undone under an earlier hold does not count for this hold.
    expect(recovered('move', both('held', 'undone', { made: false })).phase).toBe('creating')
  })
  test('promise 11: a hand-over that another run has restarted is left to that run, whatever the goal', () => {
    for (const goal of goals)
      for (const old of oldObservations.filter((one) => one !== 'unreadable'))
        for (const successor of newObservations) {
          const after = recovered(goal, both(old, successor, { generation: 4 }), { generation: 2 })
          expect(after).toMatchObject({ reason: { code: 'another_run' }, alarm: null })
          expect(after.phase).toBe(old === 'kept' && successor === 'live' ? 'moved' : 'source')
        }
    expect(recovered('undo', both('held', 'undone', { generation: 2 }), { generation: 2 }).phase).toBe('restoring_old')
  })
  test('a schedule is released before the old one is cancelled', () => {
    expect(recovered('settle', both('kept', 'live', { schedule: 'sub_sched_1' }))).toMatchObject({
      phase: 'releasing_schedule',
      schedule: 'sub_sched_1',
    })
  })
  test('promise 8: what our cancel stopped is collected again before anything else, by the marks alone', () => {
    for (const goal of goals)
      for (const [old, successor, side] of [
        ['settled', 'live', 'old'],
        ['settled', 'ended', 'old'],
        ['kept', 'undone', 'new'],
        ['cancelled', 'undone', 'new'],
      ] as const) {
        const all = [stopped('in_1', side), stopped('in_2', side)]
        const event = both(old, successor, { stopped: all })
        const after = recovered(goal, event)
        expect(after).toMatchObject({ phase: 'restoring_collection', stopped: all })
        // A refusal is not repeated in this run; without an answer, the marks are read again.
        expect(next(next(next(after, sent('refused')), sent('done')), event)).toMatchObject({
          phase: 'restoring_collection',
          stopped: [stopped('in_2', side)],
        })
        expect(next(after, sent('unknown')).phase).toBe('recovering')
        const done = [sent('done'), sent('done')].reduce(next, after)
        expect(next(done, both(old, successor)).phase).not.toBe('restoring_collection')
      }
  })
  test('an undo never takes back moved money: the move continues, or a person decides', () => {
    const lists = { carry: 0, money: 2, pause: false, schedule: false }
    expect(recovered('move', both('held', 'live'), { done: 1, lists }).phase).toBe('money')
    expect(recovered('move', both('held', 'live'), { done: 2, lists }).phase).toBe('keeping')
    expect(shown(recovered('move', both('held', 'none'), { done: 1, lists }))).toBe('doubtful money_stuck')
    // Another run reverted it: the note on the old subscription names the money.
    expect(shown(recovered('move', both('kept', 'undone'), { done: 1, lists }))).toBe('moved')
    expect(shown(recovered('move', both('cancelled', 'live'), { done: 1, lists }))).toBe('doubtful cancelled_in_source')
  })
  test('a pause or a schedule that may not have been set is set again before the proof', () => {
    const lists = { carry: 0, money: 0, pause: true, schedule: true }
    const event = both('held', 'live', { newSchedule: 'sub_sched_2' })
    const paused = recovered('move', event, { lists })
    expect(paused).toMatchObject({ phase: 'pausing', schedule: 'sub_sched_2' })
    // An existing schedule is filled, not created again.
    const filling = next(paused, sent('done'))
    expect(filling).toMatchObject({ phase: 'scheduling', schedule: 'sub_sched_2' })
    expect(next(filling, sent('done')).phase).toBe('proving')
    const made = recovered('move', both('held', 'live'), { lists: { ...lists, pause: false } })
    expect(made).toMatchObject({ phase: 'scheduling', schedule: null })
    expect(recovered('move', both('kept', 'live'), { lists }).phase).toBe('moved')
  })
  test('a revert carries money back before it releases the old subscription', () => {
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
  test('an undo of a creation that took money reads its invoice first', () => {
    expect(recovered('undo', both('held', 'live'), { charged: true }).phase).toBe('reading_invoice')
  })
  test('a hand-over that a person undoes repeatedly ends with an alarm', () => {
    expect(shown(recovered('move', both('free', 'live'), { rounds: roundsMax }))).toBe('doubtful no_progress')
  })
})
