import type Stripe from 'stripe'
import { isRenewal } from '../live/invoice.ts'
import { markReverting, markVoiding, oldIdOf } from '../live/marks.ts'
import { isPausedAt } from '../live/pause.ts'
import type { Expectation } from './types.ts'

/*
 * A renewal in the target that nobody has to pay any more: a person voided its invoice or marked it
 * uncollectible ("we waive this month"), or a pause did. Neither account charged the period, so a
 * revert would bill it in the old account. Whether it should is a person's decision.
 */

type Asked = Pick<Expectation, 'key' | 'held_since' | 'before_pause' | 'override'>

/** The waived renewals among the invoices of the new subscriptions, oldest first. */
export function waivedIn(invoices: readonly Stripe.Invoice[], asked: Asked): readonly Stripe.Invoice[] {
  return invoices.filter((one) => isWaived(one, asked)).toSorted((a, b) => a.created - b.created)
}

/** Invoices of the hand-over itself do not count, nor those of a pause that a revert carries. */
function isWaived(invoice: Stripe.Invoice, { key, held_since: since, before_pause: pause }: Asked): boolean {
  const { status, created, total, metadata } = invoice
  if (isPausedAt(pause, created) || created < since || total <= 0 || !isRenewal(invoice)) return false
  if (isReverting(invoice, key) || metadata?.[markVoiding] !== undefined) return false
  return status === 'void' || status === 'uncollectible'
}

/** A revert of this subscriber stopped the invoice in order to void it. */
export function isReverting({ metadata }: Stripe.Invoice, key: string): boolean {
  const mark = metadata?.[markReverting]
  return mark !== undefined && oldIdOf(mark) === oldIdOf(key)
}

/** What the subscriber's entry says about such a period; undefined where it says nothing. */
export function wordOnWaived({ override }: Pick<Expectation, 'override'>): 'bill' | 'leave' | undefined {
  if (override.includes('bill_waived_period')) return 'bill'
  return override.includes('leave_waived_period') ? 'leave' : undefined
}
