/** Why a revert waits for a person: something that it would lose, or bill without a word. */
export const revertCodes = {
  changed_since_move: {
    meaning:
      'The new subscription differs from what was created: a person changed its plan, quantity, card, end, discounts, taxes, trial, dates or settings, or the default card of its customer. A revert would lose that.',
    fix: 'Make the same change to the old subscription, then name `changed_since_move` under `override`.',
  },
  refunded_in_target: {
    meaning:
      'The target’s payment for this period was refunded. A revert would either bill the period again or leave it unpaid.',
    fix: 'Choose: name `bill_refunded_period` (only after a full refund) or `leave_refunded_period` under `override`.',
  },
  disputed_in_target: {
    meaning: 'The target’s payment for this period is disputed.',
    fix: 'Wait until the dispute ends, or name `leave_disputed_period` under `override`.',
  },
  no_method_in_source: {
    meaning:
      'The payment method of the old subscription is gone: it was detached or deleted, or is no default any more, and neither the subscription nor its customer has another one. After a revert nobody would be charged.',
    fix: 'Let the member enter a card in the old account, as the default of the customer or of the subscription; then plan again. Or set the stage to `target`: the new subscription continues to bill.',
  },
  waived_in_target: {
    meaning:
      'An invoice of the new subscription was voided or marked uncollectible in the target: by a person who waived the period, or by a pause that is over. A revert would bill the period in the old account.',
    fix: 'Choose: name `leave_waived_period` (the member does not pay for the period) or `bill_waived_period` (the old account bills it) under `override`.',
  },
} as const satisfies Record<string, { readonly meaning: string; readonly fix: string }>
