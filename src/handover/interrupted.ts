import type { HandoverState, Phase, Rest } from './state.ts'

/** After a crash, the outcome of the request in flight is unknown: recovery reads both sides. */
export function interrupted(state: HandoverState): HandoverState {
  const phase = resumed[state.phase]
  if (phase === state.phase) return state
  if (phase !== 'recovering') return { ...state, phase }
  const alarm = state.charged ? state.alarm : null
  return { ...state, phase, rounds: 0, unsure: false, foreign: false, closed: null, uncollected: [], alarm }
}

type Resumed = Rest | 'recovering' | 'checking_gap'

const resumed: Readonly<Record<Phase, Resumed>> = {
  source: 'source',
  moved: 'moved',
  settled: 'settled',
  ended: 'ended',
  doubtful: 'recovering',
  reading: 'source',
  carrying: 'source',
  previewing: 'source',
  holding: 'recovering',
  creating: 'recovering',
  pausing: 'recovering',
  scheduling: 'recovering',
  proving: 'recovering',
  money: 'recovering',
  keeping: 'recovering',
  recovering: 'recovering',
  reholding: 'recovering',
  reading_invoice: 'recovering',
  stopping_invoice: 'recovering',
  finalizing_invoice: 'recovering',
  voiding_invoice: 'recovering',
  refunding: 'recovering',
  releasing_new: 'recovering',
  cancelling_new: 'recovering',
  money_back: 'recovering',
  closing: 'recovering',
  restoring_old: 'recovering',
  checking_gap: 'checking_gap',
  advancing_draft: 'checking_gap',
  billing_gap: 'checking_gap',
  accounting: 'checking_gap',
  releasing_schedule: 'recovering',
  cancelling_old: 'recovering',
  restoring_collection: 'recovering',
}
