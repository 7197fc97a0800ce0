import type Stripe from 'stripe'
import type { Candidate } from './candidate.ts'

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
