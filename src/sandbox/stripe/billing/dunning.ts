/** Stripe's fixed waiting times, in seconds, and the account's own retry days. */

/**
 * The instant of the next automatic attempt, or null after the last one: days are counted from the
 * attempt before (https://docs.stripe.com/billing/subscriptions/overview#smart-retries, custom
 * rules).
 */
export function nextAttempt(retryDays: readonly number[], previous: number, attempts: number): number | null {
  const days = retryDays[attempts - 1]
  return days === undefined ? null : previous + days * 86_400
}

/**
 * A dead webhook endpoint holds a draft back at most that long
 * (https://docs.stripe.com/invoicing/integration/workflow-transitions).
 */
export const longestDraftSeconds = 72 * 3_600
/**
 * A first invoice that stays unpaid ends the subscription
 * (https://docs.stripe.com/billing/subscriptions/overview).
 */
export const incompleteSeconds = 23 * 3_600
/** Sent invoices: days after the due date until the account's last resort. */
export const overdueGraceSeconds = 30 * 86_400
