// The result of a charge of a payment method. https://docs.stripe.com/testing
import { instant, type Instant } from '../../core/instant.ts'
import type { Context } from '../kernel/context.ts'
import { paymentMethod, paymentMethods, type CardDetails } from './payment-method-row.ts'
import { declineMessage } from './test-cards.ts'

export interface PaymentFailure {
  readonly code: string
  readonly decline_code: string | null
  readonly message: string
}

export type PaymentOutcome =
  | { readonly status: 'succeeded' }
  | { readonly status: 'failed'; readonly failure: PaymentFailure }
  | { readonly status: 'processing'; readonly settlesAt: Instant; readonly failure: PaymentFailure | null }

/** Charges a payment method now and returns the result. A decline with a count is counted down. */
export function attemptPayment(context: Context, id: string): PaymentOutcome {
  const row = paymentMethod(context, id)
  const { declines, settles_after, then_fails } = row.temper
  if (declines !== null && (declines.from === null || declines.from <= context.now) && declines.times !== 0) {
    if (declines.times !== null)
      context
        .table(paymentMethods)
        .put({ ...row, temper: { ...row.temper, declines: { ...declines, times: declines.times - 1 } } })
    return { status: 'failed', failure: failureOf(declines.code, declines.decline_code) }
  }
  if (row.card !== null && isExpired(context, row.card))
    return { status: 'failed', failure: failureOf('expired_card', 'expired_card') }
  if (settles_after === 0) return { status: 'succeeded' }
  return {
    status: 'processing',
    settlesAt: instant(context.now + settles_after),
    failure: then_fails === null ? null : failureOf(then_fails, null),
  }
}

function failureOf(code: string, decline_code: string | null): PaymentFailure {
  return { code, decline_code, message: declineMessage(decline_code ?? code) }
}

/** A card is valid until the end of its expiry month. */
function isExpired(context: Context, card: CardDetails): boolean {
  const now = new Date(context.now * 1_000)
  return card.exp_year * 12 + card.exp_month < now.getUTCFullYear() * 12 + now.getUTCMonth() + 1
}
