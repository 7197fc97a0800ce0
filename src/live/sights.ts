import type Stripe from 'stripe'
import { markFrom } from './marks.ts'
import { hasHoldMark, isAlive, isLapsed, isOnHold, isOver, isSettled, isUndone } from './subscription.ts'

/** Where a subscriber is now, read from the live objects and their marks alone. */
export type Standing =
  | 'source' // the old account bills
  | 'unfinished' // held or created, but not both and proven: recovery finishes or undoes it
  | 'target' // the new account bills, the old subscription is on hold
  | 'settled' // the old one is cancelled with our marker, the new one lives
  | 'ended_in_target' // the new one has ended: only settling is left
  | 'cancelled_in_source' // the old one was ended by somebody else while the new one lives
  | 'ended' // nobody bills any more

/**
 * What a positive read of the old subscription showed. `held` is our hold as it was set (`keep_as_draft`), `kept` the same after the proof (`void`);
 * `hold_removed` still carries our mark but collects again.
 */
export type OldSight =
  | 'free'
  | 'held'
  | 'kept'
  | 'hold_removed'
  | 'settled' // cancelled with our marker
  | 'lapsed' // ended for failed payments
  | 'cancelled' // ended by anybody else
  | 'unreadable'

/** What a complete list of the target's subscriptions with our mark (`status: all`) showed. */
export type NewSight =
  | 'none' // never existed
  | 'undone' // only ones cancelled with our undo marker
  | 'live'
  | 'ended' // the newest one was ended by somebody else
  | 'several' // more than one live: never ours, stops everything
  | 'unreadable'

/** State of the target's newest invoice for the period that a revert would take back. */
export type InvoiceSight =
  | 'none'
  | 'draft'
  | 'open'
  | 'in_flight'
  | 'paid'
  | 'void'
  | 'uncollectible'
  | 'refunded'
  | 'disputed'

/** What a read of the old subscription shows; undefined stands for a read that failed, never for "not there". */
export function sightOld(subscription: Stripe.Subscription | undefined): OldSight {
  if (subscription === undefined) return 'unreadable'
  if (isOver(subscription)) {
    if (isSettled(subscription)) return 'settled'
    return isLapsed(subscription) ? 'lapsed' : 'cancelled'
  }
  if (!hasHoldMark(subscription)) return 'free'
  if (!isOnHold(subscription)) return 'hold_removed'
  return subscription.pause_collection?.behavior === 'void' ? 'kept' : 'held'
}

/** The subscriptions that claim to succeed `key`, out of a list with `status: all`, newest first. */
export function successorsOf(
  subscriptions: Iterable<Stripe.Subscription>,
  key: string,
): readonly Stripe.Subscription[] {
  return [...subscriptions].filter((one) => one.metadata[markFrom] === key).sort((a, b) => b.created - a.created)
}

export function sightNew(successors: readonly Stripe.Subscription[]): NewSight {
  const living = successors.filter(isAlive)
  if (living.length > 0) return living.length === 1 ? 'live' : 'several'
  if (successors.length === 0) return 'none'
  return successors.every(isUndone) ? 'undone' : 'ended'
}

/** The successor a decision is about: the live one, else the newest that was not undone. */
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
export function standingOf(old: Exclude<OldSight, 'unreadable'>, successor: Exclude<NewSight, 'unreadable'>): Standing {
  if (successor === 'several') return 'unfinished'
  if (old === 'settled' || old === 'lapsed') return successor === 'live' ? 'settled' : 'ended'
  if (old === 'cancelled') return successor === 'live' ? 'cancelled_in_source' : 'ended'
  if (successor === 'ended') return 'ended_in_target'
  if (old === 'free' && successor !== 'live') return 'source'
  return old === 'kept' && successor === 'live' ? 'target' : 'unfinished'
}

/**
 * State of an invoice of the target as a revert sees it. What is in flight shows where its payments were expanded, refunds and disputes where the
 * payments' charges were: a fifth level, which Stripe refuses to expand from an invoice, so payment intents are read by themselves.
 */
export function sightInvoice(invoice: Stripe.Invoice | undefined): InvoiceSight {
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

/** All that was paid was given back, by refunds or by a credit note. Shows only where the payments' charges were read. */
export function isRefundedWhole(invoice: Stripe.Invoice): boolean {
  if (sightInvoice(invoice) !== 'refunded') return false
  const refunded = chargesOf(invoice).reduce((total, { amount_refunded: amount }) => total + amount, 0)
  return Math.max(refunded, invoice.post_payment_credit_notes_amount) >= invoice.amount_paid
}

function chargesOf(invoice: Stripe.Invoice): readonly Stripe.Charge[] {
  return paymentIntentsOf(invoice).flatMap(({ latest_charge: charge }) =>
    typeof charge === 'object' ? (charge ?? []) : [],
  )
}

/** https://docs.stripe.com/payments/paymentintents/lifecycle: the payment may still succeed without us. */
const inFlight = new Set(['processing', 'requires_action', 'requires_capture'])

export function paymentIntentsOf(invoice: Stripe.Invoice): readonly Stripe.PaymentIntent[] {
  return (invoice.payments?.data ?? []).flatMap(({ payment }) =>
    typeof payment.payment_intent === 'object' ? [payment.payment_intent] : [],
  )
}
