/**
 * What a person can confirm by name under `override` of an entry, and what it permits. Every other
 * code stays in force.
 */
export const overrideCodes = {
  changed_since_move: 'the revert of a subscriber who changed the new subscription',
  drift_on_held_source: 'the settle after the change in the old account was repeated in the target',
  money_on_held_source: 'the settle after the money added in the old account was billed or given',
  customer_split: 'the subscription leaves the account without money that its customer keeps there for another one',
  cancelled_in_source: 'the new subscription continues although the old one was cancelled in the old account',
  lapsed_in_source:
    'the new subscription continues although the old account gave up on an unpaid invoice of the old one',
  schedule_lost: 'the settle although the new subscription no longer has the schedule of the old one',
  discount_lost:
    'the new subscription continues without a discount of the old one that was taken away on purpose; a revert gives it back',
  proration_uncredited: 'the member was given the credit for a change in a period that the other account was paid for',
  copy_mismatch:
    'the customer or the card in the target is the copy of the old one although the accounts show otherwise',
  setup_failed: 'the member moves although the bank refused the copied payment method',
  paused_in_target: 'the pause that was set on the new subscription is intended',
  bill_refunded_period: 'the revert bills the refunded period again',
  leave_refunded_period: 'the revert leaves the refunded period unpaid',
  leave_disputed_period: 'the revert leaves the disputed period as it is',
  bill_waived_period: 'the revert bills the period that was waived in the target',
  leave_waived_period: 'the revert leaves the period unpaid that was waived in the target',
} as const

export type OverrideCode = keyof typeof overrideCodes

/** At most one of these may be named: they decide the same question. */
export const eitherOverride: readonly (readonly [OverrideCode, OverrideCode])[] = [
  ['bill_refunded_period', 'leave_refunded_period'],
  ['bill_waived_period', 'leave_waived_period'],
]
