/**
 * Outcome codes: stable, documented, each with what it means and what to do. The docs are generated
 * from this registry.
 */
export interface CodeEntry {
  readonly meaning: string
  readonly fix: string
}

/** Not now, but at a known time by itself. */
export const deferredCodes = {
  renews_soon: {
    meaning:
      'The next renewal is nearer than the guard window (48 hours, or a third of the interval when that is less).',
    fix: 'Nothing to do: plan again after the renewal.',
  },
  anchor_not_yet_allowed: {
    meaning: 'Stripe accepts a billing date at most one period ahead; the next renewal is still farther away.',
    fix: 'Nothing to do: plan again from the date shown.',
  },
  discount_not_yet_representable: {
    meaning:
      'A coupon in whole months created now would cover another number of renewals than the old discount still does.',
    fix: 'Nothing to do: plan again from the date shown.',
  },
  draft_invoice: {
    meaning: 'The old account holds a draft invoice for this subscription that is about to be finalized.',
    fix: 'Nothing to do: plan again when it has been finalized and paid. A draft older than three days needs a look in the old account.',
  },
  payment_in_flight: {
    meaning: 'A payment is being processed (bank debit, 3-D Secure); its result decides what happens next.',
    fix: 'Nothing to do: plan again when it has succeeded or failed.',
  },
  renewal_unproven: {
    meaning:
      'The new subscription has not captured its first non-zero renewal payment yet, and the policy’s delay has not passed.',
    fix: 'Nothing to do: settle after the date shown, or after the first renewal has been paid.',
  },
  invoices_open_in_source: {
    meaning: 'The customer has open invoices in the old account; cancelling there now would stop their collection.',
    fix: 'Wait until they are paid, or void or pay them in the old account.',
  },
} as const satisfies Record<string, CodeEntry>

/** Needs a person. */
export const blockedCodes = {
  not_in_source: {
    meaning: 'The old account has no subscription with this id.',
    fix: 'Correct the id, or remove the entry from the subscriber file.',
  },
  entry_invalid: {
    meaning:
      'The entry of the subscriber, or one that it needs, has an error (`crossbill validate` lists it). Nothing is done to this subscriber; everything else goes on.',
    fix: 'Correct what `crossbill validate` names, then plan again.',
  },
  resource_blocked: {
    meaning: 'The subscriber would be moved onto an object of the catalog that is blocked itself and cannot be made.',
    fix: 'Correct that object first: the same plan says why it is blocked.',
  },
  customer_not_copied: {
    meaning: 'The target has no copy of this customer.',
    fix: 'Copy the customer again in the Dashboard, then `crossbill copy-map import` the new file.',
  },
  payment_method_unmapped: {
    meaning: 'The payment method that is charged today has no counterpart in the copy map.',
    fix: 'Run a further copy for this customer and import its file, or ask the member to enter the card again.',
  },
  payment_method_not_copyable: {
    meaning: 'Stripe does not copy this kind of payment method (Link, Bacs, ACSS, SEPA source).',
    fix: 'Ask the member for another payment method, or exclude the subscriber with a reason.',
  },
  price_unmapped: {
    meaning: 'An item’s price has no entry in the mappings, or the entry names a price that this catalog lacks.',
    fix: 'Add the old price id to catalog/mappings and the price to catalog/prices.yaml.',
  },
  price_differs: {
    meaning:
      'The price of this catalog charges otherwise than the old one: amount, interval, interval count, tiers or tax behaviour.',
    fix: 'Map the old price to one with the same terms; `crossbill pull` proposes it.',
  },
  coupon_unmapped: {
    meaning:
      'A discount’s coupon has no entry in the mappings, is deleted, or the catalog lacks the coupon that carries its remainder.',
    fix: 'Add the coupon named in the message to catalog/coupons.yaml and catalog/mappings.',
  },
  tax_rate_unmapped: {
    meaning: 'A tax rate has no entry in the mappings, or the entry names a rate that this catalog lacks.',
    fix: 'Add the old tax rate id to catalog/mappings and the rate to catalog/tax-rates.yaml.',
  },
  tax_differs: {
    meaning:
      'The next invoice would carry another tax in the target than in the old account: another rate, another amount, or included instead of on top. Tax that Stripe computes is compared in the plan, once for all who are taxed alike, and again by each move before it touches anything; a plan shows whole countries on one line.',
    fix: 'Correct the rates or the target’s tax registrations (`crossbill doctor` shows both sides), or accept the difference of a country: `policies: { tax: recompute, tax_accepted: [DE] }`. Only a difference that the plan showed is accepted.',
  },
  customer_tax_id_missing: {
    meaning:
      'The customer has a tax id in the old account that the target’s customer lacks and that cannot be carried.',
    fix: 'Add the tax id to the customer in the target.',
  },
  tax_location_missing: {
    meaning: 'Automatic tax needs a location that Stripe recognises; the target’s customer has none.',
    fix: 'Complete the customer’s address in the target.',
  },
  payment_default_differs: {
    meaning: 'The target’s customer already has another default payment method than the one charged today.',
    fix: 'Set the customer’s default payment method in the target, or let the member choose it there.',
  },
  customer_discount_in_target: {
    meaning: 'The target’s customer has a discount of its own, which a subscription without discounts would inherit.',
    fix: 'Remove the customer’s discount in the target.',
  },
  currency_conflict: {
    meaning:
      'A customer can have one currency in an account; another subscription, item, discount or planned move uses a different one.',
    fix: 'Move only the subscriptions of one currency, or end the other one first.',
  },
  past_due: {
    meaning: 'The subscription is past due or unpaid: its open invoices are still being collected in the old account.',
    fix: 'Collect or void its open invoices in the old account. For one that is past due, `policies: { past_due: leave }` or `carry` in project.yaml moves it as it is; an unpaid one is moved by no policy.',
  },
  open_invoice: {
    meaning:
      'An open invoice of this subscription is still being collected in the account that is to be left, and cannot move along.',
    fix: 'Collect or void it first, or choose `policies.past_due: leave` or `carry`.',
  },
  pending_invoice_items: {
    meaning: 'The customer has pending invoice items that the next invoice of the old account would bill.',
    fix: 'Bill or delete them, or choose `policies.pending_invoice_items: carry`.',
  },
  customer_balance: {
    meaning:
      'The customer has a balance that would stay in the account that is to be left, and be used up by the next invoice there.',
    fix: 'Settle the balance, or choose `policies.customer_balance: carry`.',
  },
  metered_price: {
    meaning: 'An item is billed by usage; usage cannot be moved between accounts without loss.',
    fix: 'Move it by hand at a period boundary, or exclude it with a reason.',
  },
  mixed_intervals: {
    meaning: 'The items have different billing intervals.',
    fix: 'Split the subscription in the old account, or exclude it with a reason.',
  },
  schedule_managed: {
    meaning: 'A subscription schedule manages this subscription.',
    fix: 'Release the schedule in the old account, or set `policies: { schedules: carry }` in project.yaml. Where a phase sets what cannot be carried, take it out of the phase, or release the schedule.',
  },
  collection_paused: {
    meaning: 'Collection is paused in the old account, or the subscription itself is paused.',
    fix: 'Resume it, or choose `policies.collection_paused: carry`.',
  },
  managed_by_application: {
    meaning: 'A Connect application created this subscription and may end it by itself (payment plans).',
    fix: 'Write `managed_by_application: open_ended` or `{ payments_left: n }` for this subscriber.',
  },
  anchor_unrepresentable: {
    meaning: 'No form of the billing anchor reproduces the old charge dates.',
    fix: 'Exclude the subscriber with a reason, or agree on a new billing date with the member in the old account first.',
  },
  discount_unrepresentable: {
    meaning: 'No coupon covers exactly the renewals that the old discount still covers.',
    fix: 'Exclude the subscriber until the discount has ended, or replace the discount in the old account.',
  },
  field_not_carried: {
    meaning: 'The subscription uses a field that the hand-over does not carry.',
    fix: 'Remove the setting in the old account, or exclude the subscriber with a reason.',
  },
  metadata_full: {
    meaning: 'The subscription’s metadata has no room for the marks (50 keys at most).',
    fix: 'Remove keys from the subscription’s metadata in the old account.',
  },
  changed_since_pull: {
    meaning: 'The old subscription differs from what the subscriber file says.',
    fix: 'Run `crossbill pull`, review the difference and plan again.',
  },
  unknown_status: {
    meaning: 'The subscription has a status that the hand-over does not move.',
    fix: 'Exclude the subscriber with a reason, or wait until it is active.',
  },
  unfinished: {
    meaning: 'An earlier hand-over of this subscriber stopped half-way.',
    fix: 'Run `crossbill apply`: recovery finishes or undoes it before anything else.',
  },
  duplicate_target: {
    meaning: 'More than one live subscription in the target claims to succeed this one.',
    fix: 'Cancel the wrong one in the target, then plan again.',
  },
  hold_missing: {
    meaning: 'The old subscription is not on hold although its successor lives: both accounts would charge.',
    fix: 'Run `crossbill apply`: recovery puts the hold back before anything else.',
  },
  cancelled_in_source: {
    meaning:
      'The old subscription was cancelled, or told to end, while its successor goes on: the member used an old door. No change of the stage settles the question.',
    fix: 'If the member meant to leave, run `crossbill cancel` for this subscriber. If they stay, name `cancelled_in_source` under `override` of their entry.',
  },
  money_on_held_source: {
    meaning:
      'Money was added in the old account while the subscription is on hold there: an invoice item, a proration or a credit that no invoice will ever bill or use, since the hold voids the renewals.',
    fix: 'Bill the item or give the credit in the target (or bill it at once with an invoice of its own in the old account), remove it in the old account, then name `money_on_held_source` under `override` of the entry if it was voided already.',
  },
  drift_on_held_source: {
    meaning: 'The held subscription was changed in the old account: the member’s change has not reached the new one.',
    fix: 'Make the same change to the new subscription in the target, then name `drift_on_held_source` under `override` of the entry and run `crossbill plan`.',
  },
  stage_unwritten: {
    meaning:
      'The subscriber is in the target, and neither the file nor the entry says a stage. The default `source` is not taken for the wish to set anybody back.',
    fix: 'Write `stage: target` (or `source`, to set the subscriber back) into the entry or at the top of its file.',
  },
  other_project: {
    meaning: 'Another project has moved this subscriber: its marks are on the hold or on the new subscription.',
    fix: 'Work on this subscriber in that project, or set it back there first; here, exclude it with a reason.',
  },
  erased_in_target: {
    meaning:
      'The customer was deleted in the target while the old subscription was on hold, and nothing there continues it. The hold is never released: the member is not charged again.',
    fix: 'Run `crossbill cancel` for this subscriber: it ends the old subscription.',
  },
  successor_missing: {
    meaning:
      'The old subscription is on hold as after a finished move, and the target shows no successor, not even an ended one. The hold stays: two payers are worse than none.',
    fix: 'Look for the new subscription in the Dashboard of the target. If the member left, run `crossbill cancel` for this subscriber; else take the hold off in the old account by hand.',
  },
  already_settled: {
    meaning: 'The old subscription has been cancelled for good; it cannot be set back.',
    fix: 'Set the stage to `settled`.',
  },
  resumed_in_source: {
    meaning: 'The new subscription has ended, and somebody took the old one off hold by hand: it is charged again.',
    fix: 'Ask the member. If they left, set the stage to `settled`; if the old one is to go on, exclude it with a reason.',
  },
  changed_since_move: {
    meaning: 'The new subscription differs from what was created: its subscriber changed plan, card or quantity.',
    fix: 'Make the same change to the old subscription, then name `changed_since_move` under `override`.',
  },
  refunded_in_target: {
    meaning: 'The target’s payment for this period was refunded; setting back would bill or give away the period.',
    fix: 'Decide which: name `bill_refunded_period` (only after a refund of the whole) or `leave_refunded_period` under `override`.',
  },
  disputed_in_target: {
    meaning: 'The target’s payment for this period is disputed.',
    fix: 'Wait for the dispute’s end, or name `leave_disputed_period` under `override`.',
  },
} as const satisfies Record<string, CodeEntry>

/**
 * How a hand-over under way ended without being done. It left everything as it was, or says what it
 * undid.
 */
export const runCodes = {
  another_run: {
    meaning:
      'Another run of Crossbill works on this subscriber at the same time, from another machine or store. This run left both sides to it.',
    fix: 'Wait for the other run to end, then run `crossbill plan`.',
  },
  source_unreachable: {
    meaning: 'The old subscription could not be read.',
    fix: 'Run the same command again.',
  },
  preview_failed: {
    meaning: 'Stripe did not give a preview of the next invoice on one of the two sides.',
    fix: 'Run the same command again; look at the request in the journal when it stays.',
  },
  preview_differs: {
    meaning:
      'The next invoice of the new subscription would not be that of the old one (amount, discount, period or currency).',
    fix: 'Compare the mappings of this subscriber’s prices, coupons and tax rates, then plan again.',
  },
  proof_failed: {
    meaning:
      'The subscription that was created is not what was planned. It was cancelled again and the old one given back.',
    fix: 'Correct what the message names, then plan again.',
  },
  ended_in_target: {
    meaning:
      'The new subscription has ended (by its subscriber, the cancel service or failed payments): the old one can only be settled.',
    fix: 'Nothing to do: the old subscription is settled by the next apply.',
  },
} as const satisfies Record<string, CodeEntry>

/**
 * A hand-over that waits for a positive read or for a person. The old subscription stays on hold: a
 * missed charge can be repaired, a double one cannot.
 */
export const alarmCodes = {
  another_run: {
    meaning:
      'Another run of Crossbill works on this subscriber at the same time, from another machine or store. The old subscription stays on hold.',
    fix: 'Wait for the other run to end, then run `crossbill apply`.',
  },
  creation_unknown: {
    meaning:
      'Stripe did not say whether the new subscription was created, and it may still appear. The old one stays on hold.',
    fix: 'Run `crossbill apply` again a quarter of an hour after the first attempt, before the next renewal.',
  },
  source_unreachable: {
    meaning: 'The old account could not be read in the middle of a hand-over.',
    fix: 'Run `crossbill apply` again when it can be reached.',
  },
  target_unreachable: {
    meaning:
      'The target could not be read, so nobody knows whether the new subscription exists. The old one stays on hold.',
    fix: 'Run `crossbill apply` again when it can be reached, before the next renewal.',
  },
  duplicate_target: {
    meaning: 'More than one live subscription in the target claims to succeed the same old one.',
    fix: 'Cancel the wrong one in the target, then run `crossbill apply`.',
  },
  no_payer: {
    meaning: 'The old subscription was settled, but it has no successor in the target.',
    fix: 'Look up the successor named in the comment of the cancelled subscription and create it again if the member still wants it.',
  },
  no_progress: {
    meaning: 'Something keeps undoing what the hand-over does (an automation, another program, a person).',
    fix: 'Find it, stop it, then run `crossbill apply`.',
  },
  held_without_successor: {
    meaning: 'The old subscription is on hold, but has no successor in the target.',
    fix: 'Set the stage to `source` and run `crossbill apply`: the old one is given back, and every period that the hold kept back is accounted for.',
  },
  ended_in_target: {
    meaning: 'The new subscription has ended, and somebody took the old one off hold by hand: it bills again.',
    fix: 'Ask the member. If they left, set the stage to `settled` and apply; if the old one is to go on, exclude it with a reason.',
  },
  cancelled_in_source: {
    meaning: 'The old subscription was cancelled while its successor goes on.',
    fix: 'If the member meant to leave, run `crossbill cancel` for this subscriber. If they stay, name `cancelled_in_source` under `override` of their entry.',
  },
  unexpected_charge: {
    meaning: 'Creating the new subscription took money. It was refunded or is about to be, and the whole run stopped.',
    fix: 'Check the refund in the target and report the case before anything else is moved.',
  },
  payment_in_flight: {
    meaning: 'An unexpected payment in the target is being processed, so it can neither be refunded nor be left.',
    fix: 'Run `crossbill apply` again when it has succeeded or failed.',
  },
  disputed_in_target: {
    meaning: 'An unexpected payment in the target is disputed.',
    fix: 'Settle the dispute, then run `crossbill apply`.',
  },
  money_stuck: {
    meaning: 'Money of the customer was taken out of one account and could not be put into the other.',
    fix: 'The journal shows the amount (`crossbill state show`). Put it right by hand or remove what refuses it, then run `crossbill apply`.',
  },
  period_uncharged: {
    meaning: 'A period that neither account charged could not be billed.',
    fix: 'Bill it in the old account by hand, or set `policies.uncharged_period: leave`.',
  },
} as const satisfies Record<string, CodeEntry>

export type DeferredCode = keyof typeof deferredCodes
export type BlockedCode = keyof typeof blockedCodes
export type RunCode = keyof typeof runCodes
export type AlarmCode = keyof typeof alarmCodes
