import type Stripe from 'stripe'
import { markFrom, oldIdOf } from './marks.ts'
import { readHold, readHolds } from './source.ts'
import { hasHoldMark, isAlive, isKept, isLapsed, isOnHold, isOver, isSettled, isUndone } from './subscription.ts'

/** Where a subscriber is now, decided by the live objects and their marks alone. */
export type Standing =
  | 'source' // the old account bills
  | 'unfinished' // begun but not proven: recovery finishes or undoes the hand-over
  | 'target' // the new account bills, the old subscription is on hold
  | 'settled' // the old one is cancelled with Crossbill's comment, the new one is alive
  | 'ended_in_target' // the new one has ended: only the settle remains
  | 'cancelled_in_source' // the old one was ended outside Crossbill while the new one is alive
  | 'ended' // neither account bills

/**
 * What a successful read of the old subscription shows. `held`: Crossbill's hold as first set
 * (`keep_as_draft`). `kept`: the hold after the proof (`void`). `hold_removed`: the mark remains,
 * but collection is active.
 */
export type OldObservation =
  | 'free'
  | 'held'
  | 'kept'
  | 'hold_removed'
  | 'settled' // cancelled with Crossbill's comment
  | 'lapsed' // ended for failed payments
  | 'cancelled' // ended outside Crossbill
  | 'unreadable'

/** What a complete list of the target's marked subscriptions (`status: all`) shows. */
export type NewObservation =
  | 'none' // never existed for the present hold
  | 'undone' // all are cancelled with Crossbill's undo comment, that of the present hold among them
  | 'live'
  | 'ended' // the newest one was ended outside Crossbill
  | 'several' // more than one is alive: never intended, stops everything
  | 'unreadable'

/** State of the target's newest invoice for the period that a revert would undo. */
export type InvoiceObservation =
  | 'none'
  | 'draft'
  | 'open'
  | 'in_flight'
  | 'paid'
  | 'void'
  | 'uncollectible'
  | 'refunded'
  | 'disputed'

/**
 * What a read of the old subscription shows; undefined means a failed read, never a missing
 * subscription.
 */
export function observeOld(subscription: Stripe.Subscription | undefined): OldObservation {
  if (subscription === undefined) return 'unreadable'
  if (isOver(subscription)) {
    if (isSettled(subscription)) return 'settled'
    return isLapsed(subscription) ? 'lapsed' : 'cancelled'
  }
  if (!hasHoldMark(subscription)) return 'free'
  if (!isOnHold(subscription)) return 'hold_removed'
  return isKept(subscription) ? 'kept' : 'held'
}

/** The subscriptions that claim to succeed `key`, from a list with `status: all`, newest first. */
export function successorsOf(
  subscriptions: Iterable<Stripe.Subscription>,
  key: string,
): readonly Stripe.Subscription[] {
  return [...subscriptions]
    .filter(({ metadata }) => metadata[markFrom] !== undefined && oldIdOf(metadata[markFrom]) === oldIdOf(key))
    .sort((a, b) => b.created - a.created)
}

/**
 * What the successors of `old` show. One that was undone under an earlier hold says nothing about
 * the present hold: the successor of the present hold may live and have lost its mark.
 */
export function observeNew(
  successors: readonly Stripe.Subscription[],
  old: Stripe.Subscription | undefined,
): NewObservation {
  const living = successors.filter(isAlive)
  if (living.length > 0) return living.length === 1 ? 'live' : 'several'
  if (!successors.every(isUndone)) return 'ended'
  return successors.some((one) => old === undefined || isOfPresentHold(one, old)) ? 'undone' : 'none'
}

/**
 * Whether this successor was made under the last hold of the old subscription. A release raises the
 * number by one, and the next hold raises it again: one number further, a delayed request has only
 * restored the same hold. Where the number was removed, the time decides.
 */
export function isOfPresentHold(successor: Stripe.Subscription, old: Stripe.Subscription): boolean {
  const number = readHolds(successor).count
  if (number === 0) return successor.created >= (readHold(old)?.since ?? 0)
  const since = readHolds(old).count - number
  return since === 0 || since === 1
}

/** The successor that a decision concerns: the live one, else the newest that was not undone. */
export function successorOf(successors: readonly Stripe.Subscription[]): Stripe.Subscription | undefined {
  return successors.find(isAlive) ?? successors.find((one) => !isUndone(one))
}

/**
 * | old \ new    | none       | undone     | live                | ended           |
 * |--------------|------------|------------|---------------------|-----------------|
 * | free         | source     | source     | unfinished          | ended_in_target |
 * | held         | unfinished | unfinished | unfinished          | ended_in_target |
 * | kept         | unfinished | unfinished | target              | ended_in_target |
 * | hold_removed | unfinished | unfinished | unfinished          | ended_in_target |
 * | settled      | ended      | ended      | settled             | ended           |
 * | lapsed       | ended      | ended      | settled             | ended           |
 * | cancelled    | ended      | ended      | cancelled_in_source | ended           |
 *
 * Several live successors are never ours: unfinished, and stopped under `duplicate_target`.
 */
export function standingOf(
  old: Exclude<OldObservation, 'unreadable'>,
  successor: Exclude<NewObservation, 'unreadable'>,
): Standing {
  if (successor === 'several') return 'unfinished'
  if (old === 'settled' || old === 'lapsed') return successor === 'live' ? 'settled' : 'ended'
  if (old === 'cancelled') return successor === 'live' ? 'cancelled_in_source' : 'ended'
  if (successor === 'ended') return 'ended_in_target'
  if (old === 'free' && successor !== 'live') return 'source'
  return old === 'kept' && successor === 'live' ? 'target' : 'unfinished'
}

/**
 * State of a target invoice, for a revert. Payments in flight are visible only with expanded
 * payments, and refunds and disputes only with the payments' charges. That is a fifth level, which
 * Stripe refuses to expand from an invoice, so payment intents are read separately.
 */
export function observeInvoice(invoice: Stripe.Invoice | undefined): InvoiceObservation {
  if (invoice === undefined) return 'none'
  const terminal = (['draft', 'void', 'uncollectible'] as const).find((one) => one === invoice.status)
  if (terminal !== undefined) return terminal
  const intents = paymentIntentsOf(invoice)
  if (invoice.status !== 'paid') return intents.some(({ status }) => inFlight.has(status)) ? 'in_flight' : 'open'
  const charges = chargesOf(invoice)
  if (charges.some(({ disputed }) => disputed)) return 'disputed'
  const refunded = charges.some(({ amount_refunded: amount }) => amount > 0)
  return refunded || invoice.post_payment_credit_notes_amount > 0 ? 'refunded' : 'paid'
}

/**
 * Whether the whole payment was returned, by refunds or by a credit note. Visible only if the
 * payments' charges were read.
 */
export function isRefundedWhole(invoice: Stripe.Invoice): boolean {
  if (observeInvoice(invoice) !== 'refunded') return false
  return Math.max(refundedOf(invoice), invoice.post_payment_credit_notes_amount) >= invoice.amount_paid
}

function refundedOf(invoice: Stripe.Invoice): number {
  return chargesOf(invoice).reduce((total, { amount_refunded: amount }) => total + amount, 0)
}

/**
 * What the member has got back for an invoice, or what a credit note took off it before it was
 * paid. A paid invoice stays `paid` after a refund. A disputed payment is back with the member
 * while the bank decides. Refunds and disputes are visible only if the payments' charges were read;
 * the refund of a credit note is one amount, not two.
 */
export function givenBack(invoice: Stripe.Invoice): number {
  const charges = chargesOf(invoice)
  const disputed = charges.filter((one) => one.disputed).reduce((sum, { amount }) => sum + amount, 0)
  const returned = Math.max(refundedOf(invoice), disputed, invoice.post_payment_credit_notes_amount)
  return invoice.pre_payment_credit_notes_amount + returned
}

/** The share of a paid invoice that the account still has: 1 where nothing was given back. */
export function shareKept(invoice: Stripe.Invoice): number {
  const { total } = invoice
  return total <= 0 ? 1 : Math.max(0, (total - givenBack(invoice)) / total)
}

function chargesOf(invoice: Stripe.Invoice): readonly Stripe.Charge[] {
  return paymentIntentsOf(invoice).flatMap(({ latest_charge: charge }) =>
    typeof charge === 'object' ? (charge ?? []) : [],
  )
}

/**
 * Statuses in which a payment may still succeed without another request
 * (https://docs.stripe.com/payments/paymentintents/lifecycle).
 */
const inFlight = new Set(['processing', 'requires_action', 'requires_capture'])

export function paymentIntentsOf(invoice: Stripe.Invoice): readonly Stripe.PaymentIntent[] {
  return (invoice.payments?.data ?? []).flatMap(({ payment }) =>
    typeof payment.payment_intent === 'object' ? [payment.payment_intent] : [],
  )
}
