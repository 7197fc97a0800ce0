import { next } from '../../src/handover/machine.ts'
import { newObservations, oldObservations } from '../../src/handover/recovery.ts'
import type { HandoverEvent } from '../../src/handover/event-types.ts'
import { atSource, type HandoverState, type Phase, type SendingPhase, trimmed } from '../../src/handover/state.ts'
import type { Reason } from '../../src/handover/types.ts'
import type { InvoiceObservation, NewObservation, OldObservation } from '../../src/live/observations.ts'

export const reason = { code: 'why', message: 'because', fix: '' }
const period = { invoice: 'in_1', at: 1, amount: 4_900, currency: 'usd', itemsOnly: false }

/** An invoice that the settle's cancel stopped. */
export const stopped = (invoice: string, side: 'old' | 'new' = 'old') => ({ side, invoice, cancelled: `sub_${side}` })

/** What the phases need beside the facts; `trimmed` takes away what the phase does not have. */
const own = {
  successor: 'sub_new',
  invoiceSight: 'open',
  payment: 'pi_1',
  period,
  gap: 1,
  stopped: [stopped('in_1')],
}
const invoiced: readonly Phase[] = [
  'stopping_invoice',
  'finalizing_invoice',
  'voiding_invoice',
  'refunding',
  'advancing_draft',
]
const scheduled: readonly Phase[] = ['releasing_new', 'releasing_schedule']

export const at = (phase: Phase, more: object = {}): HandoverState =>
  trimmed({
    ...atSource,
    ...own,
    ...(invoiced.includes(phase) ? { invoice: 'in_1' } : {}),
    ...(scheduled.includes(phase) ? { schedule: 'sub_sched_1' } : {}),
    phase,
    ...more,
  } as HandoverState)
export type Goal = HandoverState['goal']
export const goals: readonly Goal[] = ['move', 'undo', 'revert', 'settle']

export const sent = (
  result: 'done' | 'refused' | 'contended' | 'too_late' | 'unknown',
  why = result === 'done' ? null : reason,
): HandoverEvent => ({ type: 'sent', result, id: 'x_1', reason: why })
export const both = (
  old: OldObservation,
  successor: NewObservation,
  more: Partial<Omit<Extract<HandoverEvent, { type: 'both_read' }>, 'new' | 'successor'>> = {},
): HandoverEvent => ({
  type: 'both_read',
  old,
  erased: false,
  unmarked: null,
  ...(successor === 'live' || successor === 'ended'
    ? { new: successor, successor: 'sub_new' }
    : { new: successor, successor: null }),
  time: 'before',
  schedule: null,
  newSchedule: null,
  stopped: [],
  drifted: false,
  stale: null,
  proven: false,
  lost: null,
  methodless: null,
  generation: 1,
  made: successor !== 'none',
  quiet: false,
  ...more,
})

export const sending: readonly SendingPhase[] = [
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
  'closing',
  'restoring_old',
  'advancing_draft',
  'billing_gap',
  'accounting',
  'releasing_schedule',
  'cancelling_old',
  'restoring_collection',
]
export const phases: readonly Phase[] = [
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

export const invoiceObservations: readonly (InvoiceObservation | 'unreadable')[] = [
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
export function invoiceRead(
  observation: InvoiceObservation | 'unreadable',
  {
    payment = 'pi_1',
    allowed,
    ...seen
  }: { readonly allowed: boolean; readonly changed: boolean; readonly payment?: string | null },
): HandoverEvent {
  const more = { ...seen, stay: allowed ? null : stayOf(observation) }
  return observation === 'none' || observation === 'unreadable'
    ? { type: 'invoice_read', observation, invoice: null, payment: null, ...more }
    : { type: 'invoice_read', observation, invoice: 'in_1', payment, ...more }
}

/** What the table of `taken-back.ts` says without a word of the entry. */
export function stayOf(observation: InvoiceObservation | 'unreadable'): Reason | null {
  const code = { in_flight: 'payment_in_flight', refunded: 'refunded_in_target', disputed: 'disputed_in_target' }
  const known = Object.hasOwn(code, observation) ? code[observation as keyof typeof code] : undefined
  return known === undefined ? null : { code: known, message: '', fix: '' }
}

export const everyEvent: readonly HandoverEvent[] = [
  ...goals.map((goal): HandoverEvent => ({
    type: 'begin',
    goal,
    lists: { carry: 1, money: 1, pause: true, schedule: false },
    successor: null,
  })),
  { type: 'interrupted' },
  ...oldObservations.flatMap((observation) =>
    [null, reason].map((why): HandoverEvent => ({ type: 'old_read', observation, reason: why, generation: 1 })),
  ),
  { type: 'previewed', reason: null },
  { type: 'previewed', reason },
  ...(['done', 'refused', 'contended', 'too_late', 'unknown'] as const).map((result) => sent(result)),
  sent('done', reason),
  ...(['ok', 'differs', 'charged', 'unsure'] as const).map((result): HandoverEvent => ({
    type: 'proved',
    result,
    reason: null,
    invoice: null,
  })),
  ...oldObservations.flatMap((old) => newObservations.map((successor) => both(old, successor))),
  ...invoiceObservations.flatMap((observation) => [
    invoiceRead(observation, { allowed: false, changed: false }),
    invoiceRead(observation, { allowed: false, changed: false, payment: null }),
  ]),
  { type: 'gap_read', gap: 'none', left: [period], marked: true },
  { type: 'gap_read', gap: 'draft', invoice: 'in_1', period },
  { type: 'gap_read', gap: 'uncharged', invoice: 'in_1', period, requests: 3, done: 1 },
  { type: 'gap_read', gap: 'uncharged', invoice: null, period, requests: 3, done: 0 },
  { type: 'gap_read', gap: 'unreadable' },
]

export const shown = ({ phase, alarm }: HandoverState): string =>
  phase === 'doubtful' ? `doubtful ${alarm ?? ''}` : phase
export const recovered = (goal: Goal, event: HandoverEvent, more: object = {}): HandoverState =>
  next(at('recovering', { goal, ...more }), event)
