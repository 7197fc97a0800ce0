/** What an account does when a renewal is not paid; account settings, not copied between accounts. */
export interface CollectionSettings {
  /** Days after the first failed attempt of each further one. */
  readonly retryDays: readonly number[]
  /** What becomes of the subscription after the last attempt. */
  readonly afterLast: 'cancel' | 'mark_unpaid' | 'leave_past_due'
  /** Days after the due date of a sent invoice until the same happens; null for never. */
  readonly sentGraceDays: number | null
}

export const ordinarySettings: CollectionSettings = { retryDays: [3, 8, 15], afterLast: 'cancel', sentGraceDays: 30 }

/** The instant of the next automatic attempt, or null after the last one. `first` is the instant of the first attempt. */
export function nextAttempt(settings: CollectionSettings, first: number, attempts: number): number | null {
  const days = settings.retryDays[attempts - 1]
  return days === undefined ? null : first + days * 86_400
}

/** Seconds between an invoice's creation and its finalization (https://docs.stripe.com/invoicing/integration/workflow-transitions). */
export const draftSeconds = 3_600
/** A dead webhook endpoint holds a draft back at most that long. */
export const longestDraftSeconds = 72 * 3_600
/** A first invoice that stays unpaid ends the subscription (https://docs.stripe.com/billing/subscriptions/overview). */
export const incompleteSeconds = 23 * 3_600
