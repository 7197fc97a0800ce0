import type { CodeEntry } from './codes.ts'

/**
 * What `verify` finds, with the command that mends it. Stable and documented like the outcome
 * codes.
 */
export const violations = {
  double_payer: {
    meaning:
      'Two accounts can charge this subscriber for the same period: both subscriptions are live and neither is on hold.',
    fix: 'Run `crossbill apply` at once: recovery holds the old subscription again or undoes the new one. Then refund what was charged twice.',
  },
  no_payer: {
    meaning: 'Nobody will charge this subscriber for the next period, though they did not cancel.',
    fix: 'Resume the collection of the new subscription, or set the stage back to `source` and apply. Where nothing continues a settled one: create it again by hand, or exclude the subscriber with a reason.',
  },
  terms_differ: {
    meaning: 'The new subscription bills other prices, quantities, taxes or another currency than the old one did.',
    fix: 'See `crossbill drift`. If the subscriber changed it: `crossbill pull` writes it into their entry, and it is theirs from then on. If not: revert the subscriber (stage: source) and plan again.',
  },
  next_charge_differs: {
    meaning: 'The next charge is at another time or over another amount than it would have been in the old account.',
    fix: 'Set the stage back to `source` and apply before the next renewal, then move again.',
  },
  discount_lost: {
    meaning: 'A discount that should still run is gone from the new subscription.',
    fix: 'Set the stage back to `source` and apply before the next renewal, then move again: the move counts what is left of it. It is never adopted.',
  },
  undeclared_subscription: {
    meaning: 'A live subscription of a source stands in no subscriber file, so no plan would ever move it.',
    fix: '`crossbill pull` adds it; then put it into a wave, or exclude it with a reason.',
  },
  entry_invalid: {
    meaning:
      'An entry or a file of the catalog has an error, so that nobody knows what is meant there. Everything else was checked.',
    fix: 'Correct what `crossbill validate` names, then verify again.',
  },
  schedule_not_begun: {
    meaning:
      'A subscription is sold in an old account and begins later: a schedule with a start date. No plan moves it, and the old account will bill it.',
    fix: 'Cancel the schedule there and sell the same in the target; or wait until it begins, then run `crossbill pull`. To leave it there on purpose, declare its customer in `catalog/externals.yaml` with a reason.',
  },
  external_biller: {
    meaning:
      'A customer is charged again and again without a subscription: another program (a checkout with payment plans) bills them.',
    fix: 'Declare it in externals.yaml with a reason, and move it where that program lets you.',
  },
  duplicate_target: {
    meaning: 'The target holds two live successors of one old subscription.',
    fix: 'Cancel the wrong one in the target, then run `crossbill apply`. Check for a double charge.',
  },
  held_without_successor: {
    meaning: 'The old subscription is on hold and nothing in the target continues it: nobody is charged.',
    fix: 'Run `crossbill apply`: recovery restores the old one or creates the successor, before the next renewal.',
  },
  hold_missing: {
    meaning:
      'The subscriber was moved, but the old subscription is not on a hold of ours any more: it collects, will resume on a date, or the mark is gone.',
    fix: '`crossbill serve` puts it back within seconds when it hears of it; else run `crossbill apply` before the next renewal. Void or refund what the old account billed meanwhile.',
  },
  ended_in_target: {
    meaning:
      'The new subscription has ended while the old one still lives: on hold, or released by hand and charging again.',
    fix: 'Set `stage: settled` for the subscriber and apply: the old one is cancelled too. It is never released. One that was released by hand and is to go on: exclude it with a reason.',
  },
  cancelled_in_source: {
    meaning:
      'The old subscription was cancelled, or told to end, while it was on hold, and the new one goes on: the member used an old door.',
    fix: '`crossbill cancel SUBSCRIPTION` ends the new one as well. If they meant to stay, name `cancelled_in_source` under `override` of their entry. A change of the stage does not settle it.',
  },
  money_on_held_source: {
    meaning:
      'An invoice item, a proration or a credit was added in the old account while the subscription is on hold there. The hold voids the renewal that would have taken it.',
    fix: 'Before the next renewal: bill it in the target, or with an invoice of its own in the old account, and remove it there. Was it voided already: bill it, then name `money_on_held_source` under `override` of the entry.',
  },
  drift_on_held_source: {
    meaning:
      'Card, plan, quantity, discount or taxes of the old subscription, or the address or tax ids of its customer, changed while it was on hold.',
    fix: 'Make the same change to the new subscription in the target, then name `drift_on_held_source` under `override` of the entry. Settling waits until then.',
  },
  open_invoice_on_source: {
    meaning: 'An invoice of a moved subscriber is still open in the old account and is being collected there.',
    fix: 'Wait for it, or void it in the old account when the period is billed in the target.',
  },
  draft_too_old: {
    meaning:
      'A draft invoice is older than three days and has no time at which Stripe finalizes it: a webhook endpoint that never answers holds it, or a recovery of ours had it collected after a long hold.',
    fix: 'Finalize or void the invoice in its account. Where the detail names no hold of ours, look for a webhook endpoint that never answers (`crossbill doctor`).',
  },
  payment_method_differs: {
    meaning: 'The next charge would use another payment method than the copied counterpart of the old one.',
    fix: 'Set the default payment method shown in the Dashboard of the target, unless the member changed it; then run `crossbill verify`.',
  },
  access_missing: {
    meaning: 'Somebody pays and does not hold the offer in Kajabi.',
    fix: '`crossbill apply` grants it.',
  },
  access_extra: {
    meaning: 'Somebody holds an offer that Crossbill granted and does not pay for it any more.',
    fix: '`crossbill apply` takes it away.',
  },
  payer_without_address: {
    meaning: 'A member pays for an offer, and their customer has no e-mail address: no access in Kajabi can be given.',
    fix: 'Write the address at the customer in the account that bills them, then run `crossbill apply`; or exclude the subscriber with a reason.',
  },
  same_person_pays_twice: {
    meaning: 'One person has two subscriptions that give the same thing, usually one in each old account.',
    fix: 'Ask the member which one to keep; `crossbill cancel SUBSCRIPTION` ends the other. If both are meant, write `pays_twice:` and the reason at one of them.',
  },
} as const satisfies Record<string, CodeEntry>
