import { nextChargeDate } from '../billing/calendar.ts'
import { formatInstant } from '../core/instant.ts'
import { formatMoney } from '../core/money.ts'
import { readSource } from '../live/source.ts'
import { isOver } from '../live/subscription.ts'
import { siblingsOf, type Candidate } from './candidate.ts'
import { nextChargeOf } from './charges.ts'
import { bills, type HeldChange } from './while-held.ts'

/** A person confirmed that this one leaves without the money that the customer keeps. */
export function isSplitKnown({ desired }: Pick<Candidate, 'desired'>): boolean {
  return desired.override?.includes('customer_split') === true
}

/**
 * What is left of the customer's balance in the old account at the renewal of this held
 * subscription, after the renewals of the subscriptions that stayed there: without the move, this
 * renewal would have used it.
 */
export function balanceMissed(candidate: Candidate): number {
  const { old, customerOld, source } = candidate
  const { next } = old
  if (customerOld === undefined || customerOld.balance === 0 || next === null) return 0
  const renewals = siblingsOf(candidate)
    .filter(bills)
    .flatMap((one) => renewalsUntil(readSource(one, customerOld, source.prices, source.coupons), next))
  return renewals
    .toSorted((a, b) => a.at - b.at)
    .reduce((left, { amount }) => afterInvoice(left, amount), customerOld.balance)
}

/** A credit (negative) pays what it covers, and a debt is added to the first invoice. */
function afterInvoice(balance: number, amount: number): number {
  return balance > 0 ? 0 : Math.min(0, balance + amount)
}

const renewalsMost = 60

function renewalsUntil(
  read: ReturnType<typeof readSource>,
  end: number,
): readonly { readonly at: number; readonly amount: number }[] {
  const { cycle, next } = read
  const amount = nextChargeOf(read)?.amount ?? 0
  if (next === null) return []
  const all: { at: number; amount: number }[] = []
  for (let at = next; at < end && all.length < renewalsMost; at = nextChargeDate(cycle, at)) {
    all.push({ at, amount })
    if (cycle === null) break
  }
  return all
}

/**
 * The customer's subscriptions are billed by two accounts, and a balance is used by those of one
 * account alone.
 */
export function splitMoney(candidate: Candidate): readonly HeldChange[] {
  const { old, customerOld, desired } = candidate
  if (isSplitKnown(candidate) || isOver(old.raw) || customerOld === undefined || old.next === null) return []
  const users = siblingsOf(candidate).filter(bills)
  const missed = users.length === 0 ? 0 : balanceMissed(candidate)
  if (missed === 0) return []
  const balance = formatMoney({ amount: missed, currency: old.currency })
  const message = `customer ${customerOld.id} has a balance of ${balance} in ${desired.source}, where ${users.map(({ id }) => id).join(', ')} still bills; the renewal of ${formatInstant(old.next)} in the target is charged without it`
  return [{ code: 'customer_split', message }]
}
