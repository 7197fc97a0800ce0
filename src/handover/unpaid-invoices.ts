import type Stripe from 'stripe'
import type { Candidate } from './candidate.ts'
import type { Expectation, UnpaidPeriod } from './types.ts'

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

/**
 * The renewals in the target that are not paid, as the plan of a revert shows them. An invoice that
 * a person voided or wrote off there counts as not paid. A pause of the source's own keeps back
 * both sides.
 */
export function unpaidPeriods(
  candidate: Candidate,
  { gap, before_pause: pause, held_since: since }: Pick<Expectation, 'gap' | 'before_pause' | 'held_since'>,
): readonly UnpaidPeriod[] {
  const { voided, paidFromCredit } = unpaidInvoices(candidate)
  const outcome = gap === 'invoice' ? 'billed' : 'left'
  const isPaused = (one: Stripe.Invoice): boolean =>
    pause !== null && (pause.resumes_at === null || pause.resumes_at > one.created)
  const told = (invoices: readonly Stripe.Invoice[], what: UnpaidPeriod['outcome']): readonly UnpaidPeriod[] =>
    invoices
      .filter((one) => one.billing_reason === 'subscription_cycle' && one.total > 0 && !isPaused(one))
      .map(({ id, created, total, currency }) => ({
        invoice: id ?? '',
        at: created,
        amount: total,
        currency,
        outcome: what,
      }))
  const all = [...told([...endedUnpaid(candidate, since), ...voided], outcome), ...told(paidFromCredit, 'credit')]
  return all.toSorted((a, b) => a.at - b.at)
}

function endedUnpaid({ successor }: Candidate, since: number): readonly Stripe.Invoice[] {
  const latest = successor?.latest_invoice ?? null
  if (latest === null || typeof latest === 'string' || latest.created < since) return []
  return latest.status === 'void' || latest.status === 'uncollectible' ? [latest] : []
}
