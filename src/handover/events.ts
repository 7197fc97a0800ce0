import { assert, present } from '../core/assert.ts'
import { idOf } from '../core/reference.ts'
import type Stripe from 'stripe'
import { formatInstant, instant, type Instant } from '../core/instant.ts'
import { fingerprint, successorPrint } from './fingerprint.ts'
import { customerOf, prove, type ProofInput } from './proof.ts'
import { noMethodInSource } from './no-method.ts'
import { blocked, deferred, stopped } from './reasons.ts'
import {
  isOfPresentHold,
  type NewObservation,
  paymentIntentsOf,
  observeInvoice,
  observeNew,
  observeOld,
  successorOf,
} from '../live/observations.ts'
import { isAdvancing } from '../live/invoice.ts'
import { readMoneyNote } from '../live/money-note.ts'
import { readHolds, readSource } from '../live/source.ts'
import { readDue } from '../live/due.ts'
import type { HandoverEvent, SuccessorSeen } from './event-types.ts'
import type { Stopped } from './state.ts'
import { whyNotTakenBack } from './taken-back.ts'
import { aboutUnmarked, fixUnmarked, unmarkedSuccessors } from './unmarked.ts'
import { changesOfOne } from './while-held.ts'
import type { Expectation, Goal, HandoverPlan, Reason } from './types.ts'

type AnyPlan = HandoverPlan<Goal | 'undo'>
type EventOf<T extends HandoverEvent['type']> = Extract<HandoverEvent, { type: T }>

/** Expansions for every read of an old subscription that becomes an event. */
export const oldExpansions = [
  'customer',
  'customer.tax_ids',
  'discounts',
  'items.data.discounts',
  'latest_invoice',
  'default_payment_method',
] as const
/** `now` is Stripe's clock. Undefined means that the read failed. */
export function oldRead(plan: AnyPlan, old: Stripe.Subscription | undefined, now: Instant): EventOf<'old_read'> {
  const observation = observeOld(old)
  return {
    type: 'old_read',
    observation,
    // A free subscription will get the next hold number; a held one already has its number.
    generation: old === undefined ? null : readHolds(old).count + (observation === 'free' ? 1 : 0),
    reason:
      old === undefined
        ? stopped('source_unreachable', 'the old subscription could not be read')
        : reasonNotToStart(plan.expect, old, now),
  }
}

function reasonNotToStart(expect: Expectation, old: Stripe.Subscription, now: Instant): Reason | null {
  const customer = customerOf(old)
  if (readDue(old) !== null || readMoneyNote(old) !== null)
    return blocked('unfinished', 'an earlier hand-over of the old subscription is not finished')
  if (fingerprint(old, customer) !== expect.fingerprint)
    return blocked('changed_since_pull', 'the old subscription was changed after the plan was made')
  if (readSource(old, customer).next !== expect.next)
    return blocked('changed_since_pull', 'the old subscription has renewed since the plan was made')
  if (expect.money.length > 0 && (customer?.balance ?? 0) !== (expect.balance ?? 0))
    return blocked('changed_since_pull', 'the balance of the customer changed after the plan was made')
  return tooLate(expect, now)
}

/** Checked again right before the hold and before the creation. */
export function tooLate({ next, window }: Expectation, now: Instant): Reason | null {
  if (next === null || next - now >= window) return null
  return deferred('renews_soon', `the next renewal on ${formatInstant(instant(next))} is too near`)
}

/**
 * The answer to the hold request must match what the plan saw, except for our own change, with no
 * end of its own and no invoice in progress. Otherwise another change happened in between, and the
 * hold is released.
 */
export function holdReason(plan: AnyPlan, answer: Stripe.Subscription): Reason | null {
  if (observeOld(answer) !== 'held')
    return blocked('changed_since_pull', `the hold had no effect: the subscription is ${observeOld(answer)}`)
  if (fingerprint(answer, customerOf(answer)) !== plan.expect.fingerprint)
    return blocked('changed_since_pull', 'the old subscription was changed while it was put on hold')
  // A run that stalled before this request does not know how late it is; this answer shows it.
  if (readSource(answer, customerOf(answer)).next !== plan.expect.next)
    return blocked('changed_since_pull', 'the old subscription renewed before it was put on hold')
  const latest = answer.latest_invoice
  if (typeof latest === 'object' && latest !== null && isAdvancing(latest))
    return deferred('draft_invoice', `invoice ${latest.id} was drafted in the meantime`)
  return null
}

export interface BothSides {
  readonly old: Stripe.Subscription | undefined
  /**
   * Every subscription of the target with the subscriber's mark, `status: all`. Undefined when the
   * list could not be read to its end; `erased` when the customer was deleted and none is visible.
   */
  readonly successors: readonly Stripe.Subscription[] | 'erased' | undefined
  /**
   * All subscriptions of the customer in the target, to see one that bills and lost its mark. Empty
   * when a second subscription is intended.
   */
  readonly others: readonly Stripe.Subscription[]
  /** Invoices that our own cancel of either side stopped. */
  readonly stopped: readonly Stopped[]
  /** Before a creation: why the method of the copy map must not be charged. */
  readonly wrongDefault?: Reason | null
  /**
   * For a settle: pending items of the old customer, and every invoice of the old subscription
   * since the hold.
   */
  readonly money?: { readonly pending: readonly Stripe.InvoiceItem[]; readonly invoices: readonly Stripe.Invoice[] }
  readonly now: Instant
}

export function bothRead(
  plan: AnyPlan,
  { old, successors: seen, others, stopped, wrongDefault = null, money, now }: BothSides,
): EventOf<'both_read'> {
  const erased = seen === 'erased'
  const successors = erased ? undefined : seen
  const successor = successors === undefined ? undefined : successorOf(successors)
  const { override } = plan.expect
  const { pending, invoices } = money ?? { pending: [], invoices: [] }
  const changes =
    old === undefined || successor === undefined ? [] : changesOfOne({ old, successor, pending, invoices, override })
  const lost = changes.find(({ code }) => code !== 'drift_on_held_source')
  return {
    type: 'both_read',
    old: observeOld(old),
    erased,
    ...successorSeen(successors === undefined ? 'unreadable' : observeNew(successors, old), successor),
    time: tooLate(plan.expect, now) === null ? 'before' : 'too_late',
    schedule: scheduleOf(old),
    newSchedule: scheduleOf(successor),
    unmarked: old === undefined ? null : unmarkedIn(plan.expect.key, old, others),
    stopped,
    stale: old !== undefined && isToCreate(plan, old) ? (wrongDefault ?? holdReason(plan, old)) : null,
    methodless: plan.goal === 'revert' && old !== undefined ? methodlessIn(plan, old) : null,
    proven: plan.expect.proven === true,
    drifted: changes.some(({ code }) => code === 'drift_on_held_source'),
    lost: lost === undefined ? null : blocked(lost.code, lost.message),
    generation: old === undefined ? null : readHolds(old).count,
    made: old !== undefined && (successors ?? []).some((one) => isOfPresentHold(one, old)),
    quiet: old !== undefined && now - readHolds(old).at >= quietSeconds,
  }
}

/**
 * Whether a run stopped between the hold and the creation: what was checked before the hold is
 * checked again, because time has passed since.
 */
export function isToCreate({ goal }: AnyPlan, old: Stripe.Subscription | undefined): boolean {
  return goal === 'move' && observeOld(old) === 'held'
}

function methodlessIn({ expect }: AnyPlan, old: Stripe.Subscription): Reason | null {
  const customer = customerOf(old)
  return noMethodInSource(readSource(old, customer), customer, expect.before_pause) ?? null
}

/** What may be the successor without its mark: the same decision as in a plan. */
function unmarkedIn(key: string, old: Stripe.Subscription, others: readonly Stripe.Subscription[]): Reason | null {
  const [first] = unmarkedSuccessors(readSource(old, customerOf(old)), others, {})
  return first === undefined ? null : blocked('unmarked_successor', aboutUnmarked(first.id), fixUnmarked(key, first.id))
}

function successorSeen(observation: NewObservation, successor: Stripe.Subscription | undefined): SuccessorSeen {
  if (observation !== 'live' && observation !== 'ended') return { new: observation, successor: successor?.id ?? null }
  return { new: observation, successor: present(successor, 'successor that was seen').id }
}

/**
 * A request that got a 5xx or no answer may still be committed later. After this time, a positive
 * read without its effect means that it was not executed. Requests time out after a minute here,
 * and Stripe works on a request for less than two minutes.
 */
export const quietSeconds = 15 * 60

function scheduleOf(subscription: Stripe.Subscription | undefined): string | null {
  const schedule = subscription?.schedule ?? null
  return schedule === null ? null : idOf(schedule)
}

/** `expect` with its references resolved to ids. */
export function proved(input: ProofInput | undefined): EventOf<'proved'> {
  if (input === undefined) return { type: 'proved', result: 'unsure', reason: null, invoice: null }
  const { result, reason, invoice } = prove(input)
  return { type: 'proved', result, reason, invoice }
}

/** The successor's current state with its newest invoice; `invoice` is null if it has none. */
export interface SuccessorNow {
  readonly subscription: Stripe.Subscription
  readonly invoice: Stripe.Invoice | null
  /** All of its invoices. */
  readonly invoices: readonly Stripe.Invoice[]
}

/** Undefined means that the read failed. */
export function invoiceRead({ expect }: AnyPlan, now: SuccessorNow | undefined): EventOf<'invoice_read'> {
  const none = { type: 'invoice_read', invoice: null, payment: null, stay: null, changed: false } as const
  if (now === undefined) return { ...none, observation: 'unreadable' }
  const { subscription, invoice, invoices } = now
  const planned = expect.successor_fingerprint
  const changed = planned !== null && planned !== successorPrint(subscription, customerOf(subscription))
  const stay = whyNotTakenBack(invoices, expect)
  if (invoice === null) return { ...none, observation: 'none', stay, changed }
  const observation = observeInvoice(invoice)
  assert(observation !== 'none', 'an invoice that was read exists')
  const [intent] = paymentIntentsOf(invoice)
  return { type: 'invoice_read', observation, invoice: invoice.id, payment: intent?.id ?? null, stay, changed }
}
