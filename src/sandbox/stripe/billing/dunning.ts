/** Stripe's fixed waiting times in seconds, and the retry days of the account. */

/**
 * The instant of the next automatic attempt, or null after the last one. Days are counted from the
 * attempt before (https://docs.stripe.com/billing/subscriptions/overview#smart-retries, custom
 * rules).
 */
export function nextAttempt(retryDays: readonly number[], previous: number, attempts: number): number | null {
  const days = retryDays[attempts - 1]
  return days === undefined ? null : previous + days * 86_400
}

/**
 * A webhook endpoint that does not answer delays a draft at most this long
 * (https://docs.stripe.com/invoicing/integration/workflow-transitions).
 */
export const longestDraftSeconds = 72 * 3_600
/**
 * A first invoice that stays unpaid this long ends the subscription
 * (https://docs.stripe.com/billing/subscriptions/overview).
 */
export const incompleteSeconds = 23 * 3_600
/** Sent invoices: seconds between the due date and the final action of the account. */
export const overdueGraceSeconds = 30 * 86_400
