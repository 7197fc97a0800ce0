import type Stripe from 'stripe'
import { isRenewal } from '../live/invoice.ts'
import { isPausedAt } from '../live/pause.ts'
import type { Candidate } from './candidate.ts'
import type { TakenBackBy } from './taken-back.ts'
import type { UnpaidPeriod } from './types.ts'
import { isReverting, waivedIn, wordOnWaived } from './waived.ts'

/**
 * What a revert does with the invoices of the new subscription that are not paid yet, oldest first.
 * A draft must be finalized before it can be void, and finalizing uses the customer's balance: a
 * credit that covers the invoice pays it, and the period is paid in the target. Otherwise the void
 * returns the credit.
 */
export interface Unpaid {
  readonly voided: readonly Stripe.Invoice[]
  readonly paidFromCredit: readonly Stripe.Invoice[]
  /** The customer's balance in the target afterwards; a credit is negative. */
  readonly balance: number
}

export function unpaidInvoices({ successor, customerNew, around }: Candidate): Unpaid {
  const all = successor === undefined ? [] : (around.target.invoices.get(successor.id) ?? [])
  let balance = customerNew?.balance ?? 0
  const voided: Stripe.Invoice[] = []
  const paidFromCredit: Stripe.Invoice[] = []
  for (const one of all.toSorted((a, b) => a.created - b.created)) {
    if (one.status === 'draft' && balance + one.total <= 0) {
      balance += one.total
      paidFromCredit.push(one)
    } else if (one.status === 'draft' || one.status === 'open') voided.push(one)
  }
  return { voided, paidFromCredit, balance }
}

/** Every invoice of the new subscription that the reads show. */
export function invoicesOfSuccessor({ successor, around: { target } }: Candidate): readonly Stripe.Invoice[] {
  const all = target.toTakeBack?.get(successor?.id ?? '')
  if (all !== undefined) return all
  const listed = target.invoices.get(successor?.id ?? '') ?? []
  const latest = successor?.latest_invoice ?? null
  const isListed = latest === null || typeof latest === 'string' || listed.some(({ id }) => id === latest.id)
  return isListed ? listed : [...listed, latest]
}

/**
 * The renewals in the target that are not paid, as the plan of a revert shows them. A pause of the
 * source's own keeps back both sides.
 */
export function unpaidPeriods(candidate: Candidate, asked: TakenBackBy): readonly UnpaidPeriod[] {
  const { gap, before_pause: pause } = asked
  const { voided, paidFromCredit } = unpaidInvoices(candidate)
  const outcome = gap === 'invoice' ? 'billed' : 'left'
  const told = (invoices: readonly Stripe.Invoice[], what: UnpaidPeriod['outcome']): readonly UnpaidPeriod[] =>
    invoices
      .filter((one) => isRenewal(one) && one.total > 0 && !isPausedAt(pause, one.created))
      .map(({ id, created, total, currency }) => ({
        invoice: id ?? '',
        at: created,
        amount: total,
        currency,
        outcome: what,
      }))
  const ended = invoicesOfSuccessor(candidate)
  const waived = waivedIn(ended, asked)
  const word = wordOnWaived(asked)
  const all = [
    ...told([...ended.filter((one) => one.status === 'void' && isReverting(one, asked.key)), ...voided], outcome),
    ...told(waived, word === 'bill' ? 'billed' : word === 'leave' ? 'waived' : outcome),
    ...told(paidFromCredit, 'credit'),
  ]
  return all.toSorted((a, b) => a.at - b.at)
}
