import { describe, expect, test } from 'vitest'
import { parserOf } from '../../src/core/parser.ts'
import { stateSchema } from '../../src/handover/schemas.ts'
import { command, next } from '../../src/handover/machine.ts'
import type { HandoverEvent } from '../../src/handover/event-types.ts'
import { isRest, type Phase, type SendingPhase } from '../../src/handover/state.ts'
import type { InvoiceObservation } from '../../src/live/observations.ts'
import {
  at,
  both,
  everyEvent,
  goals,
  invoiceObservations,
  invoiceRead,
  phases,
  reason,
  recovered,
  sending,
  sent,
  shown,
  stopped,
} from './machine-words.ts'

const stored = parserOf(stateSchema)

describe('the machine is total', () => {
  test('every state answers every event with a state, and every state has a command', () => {
    const unreadable = new Set<string>()
    for (const phase of phases)
      for (const goal of goals)
        for (const event of everyEvent) {
          const after = next(at(phase, { goal }), event)
          expect(phases).toContain(after.phase)
          expect(command(after)).toHaveProperty('do')
          expect(JSON.parse(JSON.stringify(after))).toEqual(after)
          if ('problem' in stored(after)) unreadable.add(`${event.type}: ${after.phase}`)
        }
    expect([...unreadable]).toEqual([])
    expect(phases.length * goals.length * everyEvent.length).toBeGreaterThan(9_000)
  })
  test('an event that does not belong to a state does not change it', () => {
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
  test('only a state at rest has no command, and only a state at rest can begin again', () => {
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

/** Rows: phases; columns: done, refused, contended, too_late, unknown. */
const answers: Readonly<Record<SendingPhase, readonly [string, string, string, string, string]>> = {
  carrying: ['previewing', 'source', 'source', 'source', 'source'],
  holding: ['creating', 'recovering undo', 'source', 'source', 'recovering'],
  creating: ['proving', 'recovering undo', 'recovering', 'recovering undo', 'recovering'],
  pausing: ['proving', 'recovering undo', 'recovering', 'recovering undo', 'recovering'],
  scheduling: ['scheduling', 'recovering undo', 'recovering', 'recovering undo', 'recovering'],
  money: ['keeping', 'doubtful money_stuck', 'doubtful another_run', 'doubtful money_stuck', 'recovering'],
  keeping: ['moved', 'recovering', 'recovering', 'recovering', 'recovering'],
  reholding: ['recovering', 'recovering', 'recovering', 'recovering', 'recovering'],
  stopping_invoice: ['voiding_invoice', 'reading_invoice', 'reading_invoice', 'reading_invoice', 'reading_invoice'],
  finalizing_invoice: ['voiding_invoice', 'reading_invoice', 'reading_invoice', 'reading_invoice', 'reading_invoice'],
  voiding_invoice: ['reading_invoice', 'reading_invoice', 'reading_invoice', 'reading_invoice', 'reading_invoice'],
  refunding: [
    'cancelling_new',
    'doubtful money_stuck',
    'doubtful money_stuck',
    'doubtful money_stuck',
    'reading_invoice',
  ],
  releasing_new: ['recovering', 'recovering', 'recovering', 'recovering', 'recovering'],
  cancelling_new: ['recovering', 'recovering', 'moved', 'recovering', 'recovering'],
  money_back: ['recovering', 'doubtful money_stuck', 'doubtful another_run', 'doubtful money_stuck', 'recovering'],
  closing: ['recovering', 'recovering', 'recovering', 'recovering', 'doubtful target_unreachable'],
  restoring_old: ['recovering', 'recovering', 'recovering', 'recovering', 'recovering'],
  advancing_draft: [
    'checking_gap',
    'doubtful period_uncharged',
    'doubtful period_uncharged',
    'doubtful period_uncharged',
    'checking_gap',
  ],
  billing_gap: [
    'checking_gap',
    'doubtful period_uncharged',
    'doubtful period_uncharged',
    'doubtful period_uncharged',
    'checking_gap',
  ],
  accounting: ['source', 'source', 'source', 'source', 'doubtful source_unreachable'],
  releasing_schedule: ['recovering', 'recovering', 'recovering', 'recovering', 'recovering'],
  cancelling_old: ['recovering', 'recovering', 'moved', 'recovering', 'recovering'],
  restoring_collection: ['recovering', 'recovering', 'recovering', 'recovering', 'recovering'],
}

describe('what follows from an answer', () => {
  const results = ['done', 'refused', 'contended', 'too_late', 'unknown'] as const
  for (const phase of sending)
    test.each(results)(`${phase}: %s`, (result) => {
      const state = at(phase, {
        lists: { carry: 1, money: 1, pause: false, schedule: false },
      })
      const after = next(state, sent(result))
      const goal = after.goal === 'undo' ? ' undo' : ''
      expect(`${shown(after)}${goal}`).toBe(answers[phase][results.indexOf(result)])
    })

  test('lists are sent one request at a time', () => {
    const lists = { carry: 3, money: 2, pause: true, schedule: false }
    expect(next(at('carrying', { lists, done: 1 }), sent('done'))).toMatchObject({ phase: 'carrying', done: 2 })
    expect(next(at('carrying', { lists, done: 2 }), sent('done')).phase).toBe('previewing')
    expect(next(at('money', { lists }), sent('done'))).toMatchObject({ phase: 'money', done: 1 })
    expect(next(at('billing_gap', { gap: 3, invoice: null }), sent('done'))).toMatchObject({
      phase: 'billing_gap',
      done: 1,
      invoice: 'x_1',
    })
    const two = at('restoring_collection', { stopped: [stopped('in_1'), stopped('in_2')] })
    expect(next(two, sent('done'))).toMatchObject({ phase: 'restoring_collection', stopped: [stopped('in_2')] })
    expect(next(two, sent('refused'))).toMatchObject({ stopped: [stopped('in_2')], uncollected: ['in_1'] })
    expect(next(at('creating', { lists }), sent('done'))).toMatchObject({ phase: 'pausing', successor: 'x_1' })
  })
  test('a schedule is created, filled, and only then everything is proven', () => {
    const lists = { carry: 0, money: 0, pause: true, schedule: true }
    const paused = next(at('creating', { lists }), sent('done'))
    expect(paused.phase).toBe('pausing')
    const made = next(next(paused, sent('done')), sent('done'))
    expect(made).toMatchObject({ phase: 'scheduling', schedule: 'x_1' })
    expect(next(made, sent('done')).phase).toBe('proving')
  })
  test('the answer to an earlier request does not complete a hold: both sides are read, and it is set again', () => {
    const answer = { ...sent('done'), replayed: true } as HandoverEvent
    const after = next(at('keeping'), answer)
    expect(after).toMatchObject({ phase: 'recovering', replayed: true })
    expect(next(after, both('kept', 'live')).phase).toBe('moved')
    expect(next(after, both('held', 'live')).phase).toBe('reholding')
  })
  test('a hold that was changed after the proof is set again, and nothing is compared', () => {
    for (const old of ['held', 'hold_removed', 'free'] as const)
      expect(recovered('move', both(old, 'live', { proven: true })).phase).toBe('reholding')
  })
  test('a hold with an unexpected answer is undone', () => {
    expect(next(at('holding'), sent('done', reason))).toMatchObject({ phase: 'recovering', goal: 'undo', reason })
  })
  test('a draft in the target is stopped, finalized, voided and read again', () => {
    const draft = next(at('reading_invoice', { goal: 'revert' }), {
      type: 'invoice_read',
      observation: 'draft',
      invoice: 'in_1',
      payment: null,
      stay: null,
      changed: false,
    })
    expect(draft).toMatchObject({ phase: 'stopping_invoice', invoice: 'in_1' })
    const finalizing = next(draft, sent('done'))
    expect(finalizing.phase).toBe('finalizing_invoice')
    expect(next(finalizing, sent('done')).phase).toBe('voiding_invoice')
  })
})

/** Rows: the state of the target's invoice; columns: revert, undo of a creation that took money. */
const invoices: Readonly<Record<InvoiceObservation | 'unreadable', readonly [string, string]>> = {
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

const invoice = (observation: InvoiceObservation | 'unreadable', allowed: boolean, changed = false): HandoverEvent =>
  invoiceRead(observation, { allowed, changed })

describe('the invoice that a revert would void', () => {
  test.each(invoiceObservations)('%s', (observation) => {
    const event = invoice(observation, false)
    expect(shown(next(at('reading_invoice', { goal: 'revert' }), event))).toBe(invoices[observation][0])
    expect(shown(next(at('reading_invoice', { goal: 'undo', charged: true }), event))).toBe(invoices[observation][1])
  })
  test('an invoice that was paid without a payment of Stripe cannot be refunded: a person looks', () => {
    const read = invoiceRead('paid', { allowed: false, changed: false, payment: null })
    expect(shown(next(at('reading_invoice', { goal: 'undo', charged: true }), read))).toBe('doubtful money_stuck')
    expect(shown(next(at('reading_invoice', { goal: 'revert' }), read))).toBe('cancelling_new')
  })
  test('a refunded or disputed period is reverted when the subscriber’s file says what to do', () => {
    for (const observation of ['refunded', 'disputed'] as const) {
      expect(next(at('reading_invoice', { goal: 'revert' }), invoice(observation, true)).phase).toBe('cancelling_new')
    }
  })
})

describe('a person acts during a hand-over', () => {
  test('a successor that its subscriber changed meanwhile is not reverted, unless an invoice was stopped already', () => {
    const reading = at('reading_invoice', { goal: 'revert' })
    for (const observation of ['none', 'paid', 'open'] as const)
      expect(next(reading, invoice(observation, false, true))).toMatchObject({
        phase: 'moved',
        reason: { code: 'changed_since_move' },
      })
    const stopped = at('reading_invoice', { goal: 'revert', invoice: 'in_1' })
    expect(next(stopped, invoice('void', false, true)).phase).toBe('cancelling_new')
    const undo = at('reading_invoice', { goal: 'undo', charged: true })
    expect(next(undo, invoice('paid', false, true)).phase).toBe('refunding')
  })
  test('a held subscription that an old door changed meanwhile is not settled, unless its successor has ended', () => {
    expect(recovered('settle', both('kept', 'live', { drifted: true }))).toMatchObject({
      phase: 'moved',
      reason: { code: 'drift_on_held_source' },
    })
    expect(recovered('settle', both('kept', 'ended', { drifted: true })).phase).toBe('cancelling_old')
    expect(recovered('revert', both('kept', 'live', { drifted: true })).phase).toBe('reading_invoice')
  })
})

describe('a run that stops anywhere', () => {
  test.each(phases)('interrupted in %s: nothing is assumed about the request in flight', (phase) => {
    const { phase: after } = next(at(phase), { type: 'interrupted' })
    const untouched: readonly Phase[] = ['source', 'moved', 'settled', 'ended']
    const beforeHold: readonly Phase[] = ['reading', 'carrying', 'previewing']
    const gap: readonly Phase[] = ['checking_gap', 'advancing_draft', 'billing_gap', 'accounting']
    const expected = untouched.includes(phase)
      ? phase
      : beforeHold.includes(phase)
        ? 'source'
        : gap.includes(phase)
          ? 'checking_gap'
          : 'recovering'
    expect(after).toBe(expected)
  })

  test('what a stopped run did not know is asked again; what it knew stays', () => {
    const unsure = { rounds: 3, unsure: true, foreign: true, closed: 'used', alarm: 'no_progress', proven: true }
    const after = next(at('creating', { ...unsure, goal: 'move' }), { type: 'interrupted' })
    const asked = { rounds: 0, unsure: false, foreign: false, closed: null, alarm: null }
    expect(after).toMatchObject({ phase: 'recovering', ...asked, proven: true, successor: 'sub_new' })
    const charged = at('refunding', { charged: true, alarm: 'unexpected_charge' })
    expect(next(charged, { type: 'interrupted' })).toMatchObject({ alarm: 'unexpected_charge', charged: true })
    expect(next(at('billing_gap', { rounds: 3 }), { type: 'interrupted' })).toMatchObject({ rounds: 3 })
  })
})
