import { revertCodes } from './revert-codes.ts'

/**
 * Outcome codes. Each is stable and documented, with its meaning and its fix. docs/codes.md is
 * generated from this registry.
 */
export interface CodeEntry {
  readonly meaning: string
  readonly fix: string
}

/** The subscriber cannot be moved now, but can be moved later without a person's help. */
export const deferredCodes = {
  renews_soon: {
    meaning:
      'The next renewal is nearer than the guard window (48 hours, or a third of the interval when that is less).',
    fix: 'Nothing to do: plan again after the renewal.',
  },
  anchor_not_yet_allowed: {
    meaning:
      'Stripe accepts a billing date at most one period ahead, and the next renewal is farther away. Or the items have different intervals: they move in the last period before they renew together.',
    fix: 'Nothing to do: plan again from the date shown.',
  },
  discount_not_yet_representable: {
    meaning:
      'A coupon lasts whole months. One created now would cover a different number of renewals than the rest of the old discount.',
    fix: 'Nothing to do: plan again from the date shown.',
  },
  sibling_waits: {
    meaning:
      'Another subscription of the same customer cannot leave the account yet, and both share money of the customer there: a balance, a pending item without subscription, or a discount for one renewal. The next invoice of either uses it, so they leave together.',
    fix: 'Nothing to do: plan again from the date shown.',
  },
  draft_invoice: {
    meaning: 'The old account holds a draft invoice for this subscription that is about to be finalized.',
    fix: 'Nothing to do: plan again when the invoice has been finalized and paid. If the draft is older than three days, check it in the old account.',
  },
  payment_in_flight: {
    meaning: 'A payment is being processed (bank debit, 3-D Secure). Its result decides what happens next.',
    fix: 'Nothing to do: plan again when the payment has succeeded or failed.',
  },
  renewal_unproven: {
    meaning:
      'The new subscription has not yet captured its first non-zero renewal payment, and the delay in the project’s policy has not passed.',
    fix: 'Nothing to do: settle after the date shown, or after the first renewal has been paid.',
  },
  invoices_open_in_source: {
    meaning: 'The customer has open invoices in the old account. Cancelling there now would stop their collection.',
    fix: 'Wait until they are paid, or void or pay them in the old account.',
  },
} as const satisfies Record<string, CodeEntry>

/** The subscriber cannot be moved until a person acts. */
export const blockedCodes = {
  not_in_source: {
    meaning: 'The old account has no subscription with this id. The entry is not counted as a subscriber.',
    fix: 'Correct the id, or remove the entry from the subscriber file. If another account has the subscription, move the entry into a file of that account.',
  },
  entry_invalid: {
    meaning:
      'The entry of this subscriber, or an entry that it refers to, has an error (`crossbill validate` lists it). This subscriber is not changed; the rest of the plan is not affected.',
    fix: 'Correct the errors that `crossbill validate` lists, then plan again.',
  },
  entry_differs: {
    meaning:
      'The entry of a moved subscriber says something that neither the old nor the new subscription has. Crossbill does not change a moved subscription, so the edit has no effect on what is billed or on access.',
    fix: 'Run `crossbill pull`: it writes what is billed into the entry. To change what is billed, change the subscription in the Dashboard of the target first.',
  },
  excluded_after_move: {
    meaning:
      'The entry excludes a subscriber who was moved. `excluded` leaves a subscriber in the old account; it does not move one back, cancels nothing and revokes no access.',
    fix: 'Remove `excluded` from the entry. To leave the subscriber in the old account, set `stage: source` instead and run `crossbill apply`; exclude them when the move is reverted.',
  },
  resource_blocked: {
    meaning: 'The subscriber needs a catalog object that is blocked and cannot be created.',
    fix: 'Correct that object first: the same plan says why it is blocked.',
  },
  customer_not_copied: {
    meaning: 'The target has no copy of this customer.',
    fix: 'Copy the customer again in the Dashboard, then import the new file with `crossbill copy-map import`.',
  },
  copy_mismatch: {
    meaning:
      'The copy map names the wrong copy. Either the customer of the target is another person’s: its id belongs to another old customer, or the e-mail addresses differ. Or the payment method is another one: it belongs to another customer of the target, the target refused it, or its type, brand or last four digits differ while the customer has several copied methods. The member would be billed on a wrong card. Rows that were mixed up, for example by sorting one column alone, cause this.',
    fix: 'Download the mapping file of the copy again, replace the changed file, and run `crossbill copy-map check`. If both customers are the same person, or the bank replaced the card in one account only, name `copy_mismatch` under `override` of the entry.',
  },
  payment_method_unmapped: {
    meaning: 'The payment method that is charged today has no counterpart in the copy map.',
    fix: 'Run another copy for this customer and import its file. Or let the member enter a card: `crossbill card-link --code payment_method_unmapped` makes the links, and the next `crossbill apply` moves those who used them.',
  },
  payment_method_not_copyable: {
    meaning: 'Stripe does not copy this kind of payment method (Link, Bacs, ACSS, SEPA source).',
    fix: 'Let the member enter a card: `crossbill card-link --code payment_method_not_copyable` makes the links, and the next `crossbill apply` moves those who used them. Or leave them: `policies: { leave: { payment_method_not_copyable: REASON } }` in project.yaml.',
  },
  price_unmapped: {
    meaning: 'An item’s price has no entry in the mappings, or the entry names a price that this catalog lacks.',
    fix: 'Add the old price id to catalog/mappings and the price to catalog/prices.yaml.',
  },
  price_differs: {
    meaning:
      'This catalog’s price is not the old price: product, amount, interval, interval count, tiers or tax behaviour differ.',
    fix: 'Correct the line of the old price in catalog/mappings: name the price with the same product and the same terms. Where the catalog has none, remove the line and run `crossbill pull`: it maps a price without a line, and adds the entry if needed.',
  },
  coupon_unmapped: {
    meaning:
      'The coupon of a discount has no entry in the mappings or is deleted, or the catalog has no coupon for the rest of the discount.',
    fix: 'Add the coupon named in the message to catalog/coupons.yaml and catalog/mappings.',
  },
  tax_rate_unmapped: {
    meaning: 'A tax rate has no entry in the mappings, or the entry names a rate that this catalog lacks.',
    fix: 'Add the old tax rate id to catalog/mappings and the rate to catalog/tax-rates.yaml.',
  },
  setup_failed: {
    meaning:
      'An earlier move was undone because Stripe could not set up the copied payment method for the renewals: the bank refused it or asks the member to confirm. The old account still bills the member (`policies.setup_failed: undo`).',
    fix: 'Let the member enter another card: `crossbill card-link --code setup_failed` makes the links, and the next `crossbill apply` moves those who used them. To move the member as they are, name `setup_failed` under `override` of the entry.',
  },
  tax_differs: {
    meaning:
      'The next invoice would carry a different tax in the target than in the old account: another rate, another amount, or included instead of on top. The plan compares the tax that Stripe computes once per group of subscribers with the same tax situation and shows whole countries on one line. Each move compares it again before it changes anything.',
    fix: 'Correct the rates or the target’s tax registrations (`crossbill doctor` shows both sides), or accept the difference of a country: `policies: { tax: recompute, tax_accepted: [DE] }`. Only a difference that the plan showed is accepted.',
  },
  customer_tax_id_missing: {
    meaning: 'The customer has a tax id in the old account that is missing in the target and cannot be carried.',
    fix: 'Add the tax id to the customer in the target.',
  },
  tax_location_missing: {
    meaning: 'Automatic tax needs a location that Stripe recognises; the target’s customer has none.',
    fix: 'Complete the customer’s address in the target.',
  },
  payment_default_differs: {
    meaning: 'The target’s customer already has a default payment method that differs from the one charged today.',
    fix: 'Set the customer’s default payment method in the target, or let the member enter a card: `crossbill card-link --code payment_default_differs`.',
  },
  customer_discount_in_target: {
    meaning: 'The target’s customer has a discount of its own. A subscription without discounts would inherit it.',
    fix: 'Remove the customer’s discount in the target.',
  },
  currency_conflict: {
    meaning:
      'A customer can have only one currency per account. Another subscription, item, discount or planned move of this customer uses a different one.',
    fix: 'Move only the subscriptions of one currency, or end the other subscriptions first.',
  },
  past_due: {
    meaning: 'The subscription is past due or unpaid: its open invoices are still being collected in the old account.',
    fix: 'Collect or void its open invoices in the old account. `policies: { past_due: leave }` or `carry` in project.yaml moves a past-due subscription as it is. No policy moves an unpaid one, which nobody pays; leave it with `policies: { leave: { past_due: REASON } }` in project.yaml.',
  },
  trial_without_card: {
    meaning:
      'The subscription is in a trial without a payment method, and Stripe cancels it at the end of the trial (`missing_payment_method: cancel`). Stripe previews no next invoice of it, so no move can be proven.',
    fix: 'Nothing to do if it may end. If the member stays, save a card as the default of the customer in the old account, and make another copy. Or set `trial_settings.end_behavior.missing_payment_method` of the old subscription to `create_invoice`, then `crossbill pull`; a card that the member entered through `crossbill card-link` then moves along.',
  },
  open_invoice: {
    meaning:
      'An open invoice of this subscription is still being collected in the account that it would leave, and cannot be carried.',
    fix: 'Collect or void it first, or choose `policies.past_due: leave` or `carry`.',
  },
  finalization_failed: {
    meaning:
      'Stripe could not finalize a draft invoice of the old subscription, so nobody is charged for that period. The draft does not advance by itself.',
    fix: 'Remove the cause that the Dashboard of the old account shows, and finalize the invoice there (or void it, if the period should be free); then plan again.',
  },
  pending_invoice_items: {
    meaning: 'The customer has pending invoice items that the next invoice in the old account would bill.',
    fix: 'Bill or delete them, or choose `policies.pending_invoice_items: carry`.',
  },
  customer_balance: {
    meaning:
      'The customer has a balance. It would stay in the account that the subscription leaves, and the next invoice there would use it up.',
    fix: 'Settle the balance, or choose `policies.customer_balance: carry`.',
  },
  customer_split: {
    meaning:
      'Another subscription of the same customer stays in the account, and both share money of the customer there: a balance, a pending item without subscription, or a discount for one renewal. The next invoice of either uses it. If one leaves alone, it is charged without that money.',
    fix: 'Give all subscriptions of the customer the same stage, and remove what stops the one in the message. Or settle the money in the account where it is. To let this one leave without it, name `customer_split` under `override` of the entry: the plan then shows the amount.',
  },
  metered_price: {
    meaning:
      'An item is billed by usage, and usage cannot be moved between accounts. The subscription can only change accounts at the end of its period: the old account bills the usage until then and ends, and the target bills from there on. Your software must send the usage from that time on to the target.',
    fix: 'Set `policies: { metered: carry }` in project.yaml, and prepare your software to send the usage of each member to the target from the date that the plan shows. Or leave these subscribers: `policies: { leave: { metered_price: REASON } }`.',
  },
  mixed_intervals: {
    meaning:
      'The items have different billing intervals, and no single billing date reproduces theirs: the subscription has a trial or the classic billing mode, or the items renew together in a month without the day.',
    fix: 'Split the subscription in the old account, then run `crossbill pull`. Or leave them: `policies: { leave: { mixed_intervals: REASON } }` in project.yaml.',
  },
  schedule_managed: {
    meaning: 'A subscription schedule manages this subscription.',
    fix: 'Release the schedule in the old account, or set `policies: { schedules: carry }` in project.yaml. If a phase sets a field that cannot be carried, remove that field from the phase or release the schedule.',
  },
  collection_paused: {
    meaning: 'Collection is paused in the old account, or the subscription itself is paused.',
    fix: 'Resume it, or choose `policies.collection_paused: carry`. A subscription that Stripe paused at the end of its trial bills nothing: let the member enter a card there and resume it, or leave it with `policies: { leave: { collection_paused: REASON } }` in project.yaml.',
  },
  managed_by_application: {
    meaning: 'A Connect application created this subscription and may end it on its own (payment plans).',
    fix: 'For an application whose subscriptions go on until the member stops them, write `policies: { applications: { ca_…: open_ended } }` in project.yaml, once for all of them. For a payment plan, write `managed_by_application: { payments_left: n }` in the entry.',
  },
  anchor_unrepresentable: {
    meaning: 'No form of the billing anchor reproduces the old charge dates.',
    fix: 'Agree on another billing date with the member in the old account, then run `crossbill pull`. Or leave them: `policies: { leave: { anchor_unrepresentable: REASON } }` in project.yaml.',
  },
  discount_unrepresentable: {
    meaning: 'No coupon covers exactly the renewals that the old discount still covers.',
    fix: 'Replace the discount in the old account, then run `crossbill pull`. Or leave the subscribers until it has ended: `policies: { leave: { discount_unrepresentable: REASON } }` in project.yaml.',
  },
  field_not_carried: {
    meaning: 'The subscription uses a field that the hand-over does not carry.',
    fix: 'Remove the setting in the old account, then run `crossbill pull`. Or leave them: `policies: { leave: { field_not_carried: REASON } }` in project.yaml.',
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
    fix: 'Wait until the subscription is active, or cancel it in the old account. Or leave it: `policies: { leave: { unknown_status: REASON } }` in project.yaml.',
  },
  unfinished: {
    meaning: 'An earlier hand-over of this subscriber stopped half-way.',
    fix: 'Run `crossbill apply`: recovery finishes or undoes the hand-over first.',
  },
  duplicate_target: {
    meaning: 'More than one live subscription in the target is marked as the successor of this one.',
    fix: 'Cancel the wrong one in the target, then plan again.',
  },
  hold_missing: {
    meaning: 'The old subscription is not on hold although its successor is live: both accounts would charge.',
    fix: 'Run `crossbill apply`: recovery restores the hold first.',
  },
  cancelled_in_source: {
    meaning:
      'The old subscription was cancelled, or set to end, while its successor is live: the member used an old door. Changing the stage does not resolve this.',
    fix: 'If the member meant to leave, run `crossbill cancel` for this subscriber. If they stay, name `cancelled_in_source` under `override` of their entry.',
  },
  lapsed_in_source: {
    meaning:
      'The old account gave up on an unpaid invoice of the held subscription: it ended the subscription, or stopped collecting it (`unpaid`). Without the move, the member would be out; the new subscription bills them on. Changing the stage does not resolve this.',
    fix: 'If the member is to end as in the old account, run `crossbill cancel` for this subscriber. If they stay, name `lapsed_in_source` under `override` of their entry.',
  },
  money_on_held_source: {
    meaning:
      'Money was added in the old account while the subscription is on hold there: an invoice item, a proration or a credit. No invoice will bill or use it, because the hold voids the renewals.',
    fix: 'Bill the item or give the credit in the target, or bill the item now with a separate invoice in the old account. Then remove it in the old account. If it was already voided, bill it and name `money_on_held_source` under `override` of the entry.',
  },
  drift_on_held_source: {
    meaning: 'The held subscription was changed in the old account. The change has not reached the new subscription.',
    fix: 'Carry the change: set the stage to `source` and apply, run `crossbill pull`, then move again. Or put it back in the old account. Or make the same change to the new subscription in the target and name `drift_on_held_source` under `override` of the entry. Then run `crossbill plan`.',
  },
  stage_unwritten: {
    meaning:
      'The subscriber is in the target, but neither the file nor the entry sets a stage. Crossbill does not treat the default `source` as a request to revert.',
    fix: 'Write `stage: target` (or `stage: source` to revert the subscriber) into the entry or at the top of its file.',
  },
  other_project: {
    meaning: 'Another project has moved this subscriber: its marks are on the hold or on the new subscription.',
    fix: 'If `project:` in project.yaml was renamed, write the earlier name again. Otherwise manage this subscriber in that project, or revert the move there first. In this project, exclude the subscriber with a reason.',
  },
  erased_in_target: {
    meaning:
      'The customer was deleted in the target while the old subscription was on hold, and no subscription continues it there. The hold is never released, so the member is not charged again.',
    fix: 'Run `crossbill cancel` for this subscriber: it cancels the old subscription.',
  },
  successor_missing: {
    meaning:
      'The old subscription is on hold as after a finished move, but the target has no successor, live or ended. The hold stays: a missed charge can be repaired, a double charge cannot.',
    fix: 'Look for the new subscription in the Dashboard of the target. If it bills there without its mark, write `crossbill_from` and the subscriber’s key (`us/sub_…`) into its metadata. If the member left, cancel the old one in the Dashboard of its account. Otherwise resume its collection there and remove `crossbill_hold` from its metadata.',
  },
  unmarked_successor: {
    meaning:
      'A live subscription in the target bills the same customer for the same, and its metadata does not say which subscription it continues. It may be the successor, with its mark removed. To move the subscriber, or to release the old subscription, could charge them twice.',
    fix: 'If it continues the old subscription, write `crossbill_from` and the subscriber’s key (`us/sub_…`) into its metadata in the Dashboard of the target, then run `crossbill apply`. If the member wants both, give the reason under `pays_twice` in the entry. Otherwise cancel one of the two.',
  },
  already_settled: {
    meaning: 'The old subscription has been cancelled for good, so the move cannot be reverted.',
    fix: 'Set the stage to `settled`.',
  },
  resumed_in_source: {
    meaning:
      'The new subscription has ended, and the hold on the old one was removed outside Crossbill: the old account charges again.',
    fix: 'Ask the member. If they left, set the stage to `settled`. If the old subscription should continue, exclude the subscriber with a reason.',
  },
  schedule_lost: {
    meaning:
      'The schedule of the held old subscription has changes ahead, and the new subscription has no schedule. After a settle nothing would show them.',
    fix: 'Set the stage to `source` and apply, then move the subscriber again. If the new subscription should stay as it is, name `schedule_lost` under `override`.',
  },
  ...revertCodes,
} as const satisfies Record<string, CodeEntry>

/**
 * A hand-over that waits for a positive read or for a person. The old subscription stays on hold: a
 * missed charge can be repaired, a double charge cannot.
 */
export const alarmCodes = {
  store_damaged: {
    meaning:
      'The store’s record of this hand-over cannot be read, so it is not continued. A hold on the old subscription stays in place. The other subscribers are not affected.',
    fix: 'Restore a backup of the store, or move it away and run `crossbill state rebuild`. Then run `crossbill apply`.',
  },
  another_run: {
    meaning:
      'Another run of Crossbill is working on this subscriber, from another machine or store. The old subscription stays on hold.',
    fix: 'Wait for the other run to end, then run `crossbill apply`.',
  },
  creation_unknown: {
    meaning:
      'Stripe did not confirm whether the new subscription was created, and it may still appear. The old subscription stays on hold.',
    fix: 'Run `crossbill apply` again 15 minutes after the first attempt, before the next renewal.',
  },
  source_unreachable: {
    meaning: 'The old account could not be read during a hand-over.',
    fix: 'Run `crossbill apply` again when the account can be reached.',
  },
  target_unreachable: {
    meaning:
      'The target could not be read, so it is unknown whether the new subscription exists. The old subscription stays on hold.',
    fix: 'Run `crossbill apply` again when the account can be reached, before the next renewal.',
  },
  duplicate_target: {
    meaning: 'More than one live subscription in the target is marked as the successor of the same old one.',
    fix: 'Cancel the wrong one in the target, then run `crossbill apply`.',
  },
  no_payer: {
    meaning: 'The old subscription was settled, but it has no successor in the target. No account charges the member.',
    fix: 'Look up the successor named in the comment of the cancelled subscription. Create it again if the member still wants it.',
  },
  no_progress: {
    meaning:
      'The hand-over gets no further: an automation, another program or a person keeps undoing its changes, or Stripe answers the same request with an error each time. The subscriber stays as they are.',
    fix: 'Find the cause, stop it, then run `crossbill apply`. Stripe repeats a stored error for up to 24 hours; after that time, `crossbill apply` sends the request again.',
  },
  erased_in_target: {
    meaning:
      'The customer was deleted in the target during a hand-over, and no subscription of theirs is visible there. The old subscription stays on hold, so the member is not charged again.',
    fix: 'Run `crossbill cancel` for this subscriber: it cancels the old subscription.',
  },
  held_without_successor: {
    meaning: 'The old subscription is on hold, but has no successor in the target.',
    fix: 'Look for the new subscription in the Dashboard of the target. If it bills there without its mark, write `crossbill_from` and the subscriber’s key (`us/sub_…`) into its metadata. If the member left, cancel the old one in the Dashboard of its account. Otherwise resume its collection there and remove `crossbill_hold` from its metadata.',
  },
  unmarked_successor: {
    meaning:
      'A live subscription in the target bills the same customer for the same, and its metadata does not say which subscription it continues. It may be the new subscription of this hand-over, with its mark removed. The old subscription stays on hold.',
    fix: 'If it continues the old subscription, write `crossbill_from` and the subscriber’s key (`us/sub_…`) into its metadata in the Dashboard of the target, then run `crossbill apply`. If the member wants both, give the reason under `pays_twice` in the entry. Otherwise cancel one of the two.',
  },
  ended_in_target: {
    meaning:
      'The new subscription has ended, and the hold on the old one was removed outside Crossbill: the old account charges again.',
    fix: 'Ask the member. If they left, set the stage to `settled` and apply. If the old subscription should continue, exclude the subscriber with a reason.',
  },
  cancelled_in_source: {
    meaning: 'The old subscription was cancelled while its successor is live.',
    fix: 'If the member meant to leave, run `crossbill cancel` for this subscriber. If they stay, name `cancelled_in_source` under `override` of their entry.',
  },
  unexpected_charge: {
    meaning:
      'Creating the new subscription charged the member. The charge was refunded or is about to be, and the whole run stopped.',
    fix: 'Check the refund in the target and report the case before you move anyone else.',
  },
  payment_in_flight: {
    meaning: 'An unexpected payment in the target is being processed. It can be neither refunded nor left.',
    fix: 'Run `crossbill apply` again when the payment has succeeded or failed.',
  },
  disputed_in_target: {
    meaning: 'An unexpected payment in the target is disputed.',
    fix: 'Wait until the dispute ends, then run `crossbill apply`.',
  },
  money_stuck: {
    meaning: 'Money of the customer was taken out of one account and could not be added to the other.',
    fix: 'The journal shows the amount (`crossbill state show`). Correct the balance by hand, or remove the cause of the refusal. Then run `crossbill apply`.',
  },
  period_uncharged: {
    meaning: 'A period that neither account charged could not be billed.',
    fix: 'Bill the period in the old account by hand, or set `policies.uncharged_period: leave`.',
  },
} as const satisfies Record<string, CodeEntry>

export type DeferredCode = keyof typeof deferredCodes
export type BlockedCode = keyof typeof blockedCodes
export type AlarmCode = keyof typeof alarmCodes
