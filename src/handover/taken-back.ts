import type Stripe from 'stripe'
import { formatInstant, instant } from '../core/instant.ts'
import { formatMoney } from '../core/money.ts'
import { finalizationError, isOfPeriod, isOwedAsWritten } from '../live/invoice.ts'
import { isRefundedWhole, observeInvoice, type InvoiceObservation } from '../live/observations.ts'
import type { BlockedCode, DeferredCode } from './codes.ts'
import { blocked, deferred } from './reasons.ts'
import type { Classification, Expectation, Reason } from './types.ts'
import { isReverting, waivedIn, wordOnWaived } from './waived.ts'

/*
 * What the invoices in the target mean for a revert. The plan, the run's look right before the
 * revert, and everything that says who can still be reverted ask this one table.
 */

/** What is asked of the subscriber's plan. */
export type TakenBackBy = Pick<Expectation, 'key' | 'held_since' | 'before_pause' | 'gap' | 'override'>

/** Why the subscriber stays in the target: until a date, or until a person acts. */
export type Stay = Reason<DeferredCode> | Reason<BlockedCode>

/** What an invoice of the new subscription is to a revert: its state, and what was done to it. */
type TakenBack = InvoiceObservation | 'waived' | 'partly_settled' | 'not_finalized'

/** Codes by which this table stops a revert: a rule with another one does not compile. */
const stayCodes = [
  'waived_in_target',
  'open_invoice',
  'finalization_failed',
  'payment_in_flight',
  'refunded_in_target',
  'disputed_in_target',
] as const
type StayCode = (typeof stayCodes)[number]

type Rule = (
  invoice: Stripe.Invoice,
  asked: TakenBackBy,
) => Reason<Extract<StayCode, BlockedCode>> | Reason<Extract<StayCode, DeferredCode>> | null

/** Nothing to decide: there is no invoice, it stays paid, or the revert voids it. */
const goesOn: Rule = () => null

/** One row for every state; a state without a row does not compile. */
const rules: Readonly<Record<TakenBack, Rule>> = {
  none: goesOn,
  paid: goesOn,
  draft: goesOn,
  open: goesOn,
  // Voided by the revert itself, by a pause that it carries, or of nothing to pay.
  void: goesOn,
  uncollectible: goesOn,
  waived: ({ id, created, total: amount, currency, status }, asked) => {
    const word = wordOnWaived(asked)
    const how = status === 'void' ? 'voided' : 'marked uncollectible'
    const what = `invoice ${id} of ${formatInstant(instant(created)).slice(0, 10)} over ${formatMoney({ amount, currency })}`
    // Its page still takes a payment: the member could pay the period in both accounts.
    if (word === 'bill' && status === 'uncollectible')
      return blocked(
        'waived_in_target',
        `${what} was marked uncollectible in the target, where the member can still pay it`,
        'Void it in the target, then plan again: the old account then bills the period. Or name `leave_waived_period` instead: nobody bills it.',
      )
    // Without a word of the entry, a period that is not billed anyway needs no decision.
    if (word !== undefined || asked.gap === 'leave') return null
    return blocked('waived_in_target', `${what} was ${how} in the target, so no account has charged the period`)
  },
  partly_settled: ({ id }) =>
    blocked(
      'open_invoice',
      `a part of invoice ${id} in the target is settled, by a balance, a credit note or a payment`,
      'Wait until it is paid; then plan again. A void in the target gives a balance back to the customer, but ends a credit note: the old account then bills the whole period.',
    ),
  not_finalized: (invoice) =>
    blocked(
      'finalization_failed',
      `Stripe could not finalize invoice ${invoice.id} in the target: ${finalizationError(invoice)}`,
      'Remove the cause that the Dashboard of the target shows, and finalize the invoice there (or void it, if the period should be free); then plan again.',
    ),
  in_flight: ({ id }) => deferred('payment_in_flight', `a payment of invoice ${id} in the target is being processed`),
  refunded: (invoice, { override }) => {
    // A partial refund can only be left: billing it again would charge the rest twice.
    const isSaid =
      override.includes('leave_refunded_period') ||
      (override.includes('bill_refunded_period') && isRefundedWhole(invoice))
    return isSaid ? null : blocked('refunded_in_target', `the payment of invoice ${invoice.id} was refunded`)
  },
  disputed: ({ id }, { override }) =>
    override.includes('leave_disputed_period')
      ? null
      : blocked('disputed_in_target', `the payment of invoice ${id} is disputed`),
}

const stays: ReadonlySet<string> = new Set(stayCodes)

/** Whether this table decided about the subscriber, so that every invoice has to be read. */
export function asksForInvoices(one: Classification): boolean {
  if (one.standing !== 'target') return false
  if (one.outcome === 'revert') return true
  if (one.outcome === 'deferred') return stays.has(one.code)
  return one.outcome === 'blocked' && one.reasons.some(({ code }) => stays.has(code))
}

/**
 * Why a revert cannot take back these invoices of the new subscription now; null where it can. What
 * waits comes last: a decision of a person can be made at once.
 */
export function whyNotTakenBack(invoices: readonly Stripe.Invoice[], asked: TakenBackBy): Stay | null {
  const present = new Set(presentInvoices(invoices))
  const waived = new Set(waivedIn(invoices, asked))
  const found = invoices.flatMap((one) => {
    const seen = seenAs(one, asked, waived)
    // The refund of an earlier period changes nothing: it counts as paid.
    const isPast = (seen === 'refunded' || seen === 'disputed') && !present.has(one)
    const stay = isPast ? null : rules[seen](one, asked)
    return stay === null ? [] : [stay]
  })
  return found.find(({ code }) => code !== 'payment_in_flight') ?? found[0] ?? null
}

/**
 * The newest invoice, and the one of the running period if that is another: a change by the member
 * or a person has an invoice of its own.
 */
export function presentInvoices<T extends Pick<Stripe.Invoice, 'billing_reason' | 'created'>>(
  invoices: readonly T[],
): readonly T[] {
  const all = invoices.toSorted((a, b) => b.created - a.created)
  const renewal = all.find(isOfPeriod)
  return [...new Set([all[0], renewal])].filter((one) => one !== undefined)
}

function seenAs(invoice: Stripe.Invoice, { key }: TakenBackBy, waived: ReadonlySet<Stripe.Invoice>): TakenBack {
  if (waived.has(invoice)) return 'waived'
  if (finalizationError(invoice) !== undefined) return 'not_finalized'
  const observed = observeInvoice(invoice)
  // The finalization by the revert itself may apply a credit, which its void returns.
  if (observed === 'open' && !isOwedAsWritten(invoice) && !isReverting(invoice, key)) return 'partly_settled'
  return observed
}
