import { formatInstant, instant, secondsPerDay, type Instant } from '../../core/instant.ts'
import { formatMoney } from '../../core/money.ts'
import type Stripe from 'stripe'
import type { Live } from '../../live/accounts.ts'
import { markCarried } from '../../live/marks.ts'
import type { Violation } from './violations.ts'

/** A bank debit takes days; after these, an invoice without a further attempt was given up. */
const daysInFlight = 7

/**
 * Invoices by which Crossbill billed in a source what neither account had charged, and whose
 * payment failed. They are invoices of the customer: the subscription stays active, and nothing
 * else shows that they are unpaid.
 */
export function unpaidPeriods(live: Live, now: Instant): readonly Violation[] {
  return [...live.sources].flatMap(([source, { invoices }]) =>
    (invoices.get('') ?? [])
      .filter((one) => isFailed(one, now))
      .flatMap(({ id, created, amount_remaining: amount, currency, metadata }) => {
        const [subscriber] = (metadata?.[markCarried] ?? '').split(' ')
        if (subscriber === undefined || subscriber === '') return []
        return [
          {
            code: 'period_unpaid' as const,
            subscriber,
            detail: `invoice ${id ?? ''} of ${formatInstant(instant(created))} in ${source}, by which Crossbill billed ${formatMoney({ amount, currency })}, is not paid: its payment failed`,
            fix: 'look at the payment in the Dashboard of the old account: let the member enter a card there, or void the invoice to forgive it',
          },
        ]
      }),
  )
}

/** Without a further attempt, a payment may be in progress. */
function isFailed({ status, attempted, next_payment_attempt: next, created }: Stripe.Invoice, now: Instant): boolean {
  return status === 'open' && attempted && (next !== null || created < now - daysInFlight * secondsPerDay)
}
