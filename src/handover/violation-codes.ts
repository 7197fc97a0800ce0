import type { CodeEntry } from './codes.ts'

/**
 * The violations that `verify` finds, each with the command that fixes it. They are stable and
 * documented like the outcome codes.
 */
export const violations = {
  double_payer: {
    meaning:
      'Two accounts can charge this subscriber for the same period: both subscriptions are live and neither is on hold.',
    fix: 'Run `crossbill apply` at once: recovery restores the hold on the old subscription or undoes the new one. Then refund what was charged twice.',
  },
  no_payer: {
    meaning: 'No account will charge this subscriber for the next period, although they did not cancel.',
    fix: 'Resume the collection of the new subscription in the Dashboard of the target. The stage `source` does not help against a pause: a revert carries it to the old subscription. If Stripe paused the new subscription because it has no card, let the member enter one in the target and resume it. If the old subscription is settled and nothing continues it, create it again by hand or exclude the subscriber with a reason.',
  },
  paused_in_target: {
    meaning:
      'The collection of the new subscription was paused in the target, and not by the move. Nobody is charged while the pause lasts, and a revert carries it to the old subscription.',
    fix: 'If the pause is not intended, resume the collection in the Dashboard of the target. If it is, name `paused_in_target` under `override` of the entry.',
  },
  terms_differ: {
    meaning: 'The new subscription bills different prices, quantities, taxes or another currency than the old one did.',
    fix: 'See `crossbill drift`. If the subscriber made the change, run `crossbill pull`: it writes the change into their entry. If they have a price, coupon or tax rate that the catalog lacks, run `crossbill pull --source target` first. If not, revert the subscriber (stage: source) and plan again.',
  },
  next_charge_differs: {
    meaning: 'The next charge has a different date or amount than it would have had in the old account.',
    fix: 'If a person moved the date on purpose, run `crossbill pull`: it writes the date into the entry. Otherwise set it back in the target before the next renewal, or set the stage to `source`, apply and move the subscriber again.',
  },
  discount_lost: {
    meaning: 'The new subscription has lost a discount that should still apply.',
    fix: 'Set the stage to `source` and apply before the next renewal, run `crossbill pull`, then move the subscriber again: the move computes the rest of the discount. If the discount was taken away on purpose, name `discount_lost` under `override`: the new subscription then continues without it, and a revert gives it back. `pull` never writes the loss into the file.',
  },
  schedule_lost: {
    meaning:
      'The schedule of the held old subscription has changes ahead, and the new subscription has no schedule: a revert that was interrupted released it, or another program did. The changes would not be billed.',
    fix: 'Set the stage to `source` and apply, then move the subscriber again: the move carries the remaining phases. If the new subscription should stay as it is, name `schedule_lost` under `override`.',
  },
  undeclared_subscription: {
    meaning: 'A live subscription of a source is in no subscriber file, so no plan would ever move it.',
    fix: 'Run `crossbill pull` to add it. Then put it into a wave, or exclude it with a reason.',
  },
  entry_invalid: {
    meaning:
      'An entry or a file of the catalog has an error, so its meaning is unknown and it was not checked. Everything else was checked.',
    fix: 'Correct the errors that `crossbill validate` lists, then verify again.',
  },
  entry_differs: {
    meaning:
      'The entry of a moved subscriber says something that neither the old nor the new subscription has: a price, a quantity, a discount, a tax, a date. It has no effect on what is billed or on access.',
    fix: 'Run `crossbill pull`: it writes what is billed into the entry. To change what is billed, change the subscription in the Dashboard of the target first.',
  },
  not_in_source: {
    meaning:
      'A subscriber file declares a subscription that its old account does not have. The entry is not counted as a subscriber.',
    fix: 'Correct the id, or remove the entry. If another account has the subscription, move the entry into a file of that account.',
  },
  other_project: {
    meaning:
      'An entry asks for a moved subscriber, but the marks on the subscriptions are those of another project. This project neither reverts, settles nor checks the subscriber.',
    fix: 'If `project:` in project.yaml was renamed, write the earlier name again. Otherwise manage the subscriber in that project, and exclude them here with a reason.',
  },
  schedule_not_begun: {
    meaning:
      'A subscription sold in an old account begins later: a schedule with a start date. No plan moves it, and the old account will bill it.',
    fix: 'Cancel the schedule there and sell the same subscription in the target, or wait until it begins and run `crossbill pull`. To leave it there on purpose, declare its customer in `catalog/externals.yaml` with a reason.',
  },
  external_biller: {
    meaning:
      'A customer is charged repeatedly without a subscription: another program (a checkout with payment plans) bills them.',
    fix: 'Declare the customer in `catalog/externals.yaml` with a reason, and move the billing where that program allows it.',
  },
  duplicate_target: {
    meaning: 'The target has two live successors of one old subscription.',
    fix: 'Cancel the wrong one in the target, then run `crossbill apply`. Check for a double charge.',
  },
  held_without_successor: {
    meaning:
      'The old subscription is on hold and no subscription in the target continues it: the member is not charged.',
    fix: 'Run `crossbill apply` before the next renewal: recovery releases the old subscription or creates the successor. If the detail says that the target does not show the successor, the hold is kept on purpose and no apply ends it. Look for the new subscription in the Dashboard of the target. If it bills there without its mark, write `crossbill_from` and the subscriber’s key (`us/sub_…`) into its metadata. If the member left, cancel the old one in the Dashboard of its account. Otherwise resume its collection there and remove `crossbill_hold` from its metadata.',
  },
  unmarked_successor: {
    meaning:
      'A live subscription in the target bills the customer of this subscriber for the same, and its metadata does not say which subscription it continues. If the old subscription is not on hold, both charge.',
    fix: 'If it continues the old subscription, write `crossbill_from` and the subscriber’s key (`us/sub_…`) into its metadata in the Dashboard of the target, then run `crossbill apply`. If the member wants both, give the reason under `pays_twice` in the entry. Otherwise cancel one of the two.',
  },
  hold_missing: {
    meaning:
      'The subscriber was moved, but the old subscription is no longer held as Crossbill left it: it collects, it resumes on a date, it keeps drafts, or the mark is missing.',
    fix: '`crossbill serve` restores the hold within seconds of the event. Otherwise, run `crossbill apply` before the next renewal. Void or refund what the old account billed in the meantime.',
  },
  unfinished: {
    meaning:
      'A run created the new subscription and stopped before it had proven it: the old one still has the first form of its hold, which keeps renewals as drafts.',
    fix: 'Run `crossbill apply` before the next renewal: recovery proves the new subscription and completes the hold, or undoes the move.',
  },
  ended_in_target: {
    meaning:
      'The new subscription has ended while the old one is live: on hold, or released by hand and charging again.',
    fix: 'Set `stage: settled` for the subscriber and apply: the old subscription is cancelled. It is never released. Where nothing says that the member asked for the end (no reason in a portal, no end set before, no cancel by Crossbill), the plan says so, and more than five of them in one plan need `--allow ended_unexplained`. An active portal of the target that ends subscriptions at once and asks for no reason explains such an end; let the portal ask for a reason, and Crossbill can tell them apart. If the new subscription was cancelled by mistake, or the old one was released by hand and should continue: resume the collection of the old one in its Dashboard, remove `crossbill_hold` from its metadata, and exclude the subscriber with a reason.',
  },
  cancelled_in_source: {
    meaning:
      'The old subscription was cancelled, or set to end, while it was on hold, and the new one is live: the member used an old door.',
    fix: '`crossbill cancel SUBSCRIPTION` also ends the new one. If the member meant to stay, name `cancelled_in_source` under `override` of their entry. Changing the stage does not resolve this.',
  },
  lapsed_in_source: {
    meaning:
      'The old account gave up on an unpaid invoice of the held subscription: it ended the subscription, or stopped collecting it (`unpaid`). Without the move, the member would be out; the new subscription bills them on.',
    fix: '`crossbill cancel SUBSCRIPTION` ends the new one, as the old account did. If the member stays, name `lapsed_in_source` under `override` of their entry. Changing the stage does not resolve this.',
  },
  no_method_in_source: {
    meaning:
      'The old account bills this subscriber again after a revert, automatically, and neither the subscription nor its customer has a payment method: nobody is charged.',
    fix: 'Let the member enter a card in the old account, as the default of the customer or of the subscription, or move the subscriber again.',
  },
  no_method_in_target: {
    meaning:
      'The new subscription bills automatically, and neither it nor its customer has a payment method: nobody is charged at the next renewal.',
    fix: 'Let the member enter a card in the target, as the default of the customer or of the subscription.',
  },
  money_on_held_source: {
    meaning:
      'An invoice item, a proration or a credit was added in the old account while the subscription is on hold there. The hold voids the renewal that would have billed or used it.',
    fix: 'Before the next renewal, bill it in the target or with a separate invoice in the old account, and remove it there. If it was already voided, bill it and name `money_on_held_source` under `override` of the entry.',
  },
  customer_split: {
    meaning:
      'Two accounts bill the subscriptions of one customer, and the customer has a balance in the old account. Only the subscriptions there use it: the renewal in the target is charged without it.',
    fix: 'Before that renewal, move the other subscriptions of the customer as well, or set the stage of this one to `source` and apply. To leave it so, name `customer_split` under `override` of the entry.',
  },
  money_in_flight: {
    meaning:
      'A run stopped while it carried the customer’s credit, pending items or open invoices from one account to the other. The old subscription names them in its metadata (`crossbill_money_…`).',
    fix: 'Run `crossbill apply`: recovery carries the rest and removes the note. If the member has left meanwhile, nothing finishes it: the message says what to look at in both accounts, and which keys to remove then.',
  },
  money_left_in_target: {
    meaning:
      'A subscriber was reverted to the old account, and their balance, pending items or a draft stayed in the target, where no subscription bills or uses them.',
    fix: 'Give the customer the same credit or item in the old account. Then remove it in the target: delete an item, finalize and void a draft, void an invoice, adjust a balance to zero.',
  },
  money_left_behind: {
    meaning:
      'The subscription of a member whom Crossbill moved or cancelled has ended, and a pending item, a draft, a balance or a carried debt of theirs stayed in that account. No subscription bills or uses it, and a cancel by Crossbill stops the collection of a carried debt. Crossbill does not decide whether it is still owed.',
    fix: 'In the Dashboard of that account: to bill it, create an invoice with the same amount, finalize the draft, or charge the customer on the open invoice; to pay out a credit, refund it. Then, or to forgive it, remove what is left: delete an item, finalize and void a draft, void an invoice, adjust a balance to zero.',
  },
  usage_misplaced: {
    meaning:
      'A member who is billed by usage changes accounts at the end of a period, and usage is in the wrong account: in the target before that time, or in the old account after it. It would be billed twice or not at all.',
    fix: 'Let your software send the usage of this member to the old account until the date, and to the target from then on. Usage that the old account got later: send it again to the target with its own time (Stripe accepts 35 days). Usage that the target got too early: cancel the events there within 24 hours, or credit it.',
  },
  proration_uncredited: {
    meaning:
      'A member changed the plan, the seats or an item in a period that the other account was paid for, with a proration. In flexible billing mode, Stripe credits only what the subscription itself has debited, so the member paid for the rest of the period twice. The message says how much they are owed.',
    fix: 'In the account that bills now, give the customer a credit balance of the amount whose note contains the id of the subscription, or issue credit notes or refunds on the invoices of the change: `verify` then counts it. What the member got back for the invoice of the other account is not owed. If it was given in another way, name `proration_uncredited` under `override`. Until the first renewal after a move, let portals change subscriptions without proration only.',
  },
  period_unaccounted: {
    meaning:
      'A run stopped between the release of an old subscription and the billing of the renewals that its hold had kept back, or a revert stopped after it had voided the invoice in the target. Neither account has charged the period.',
    fix: 'Run `crossbill apply`: recovery bills each renewal, or leaves and lists it, as `policies.uncharged_period` says. A revert that stopped is finished by the stage `source` and another apply.',
  },
  period_unpaid: {
    meaning:
      'An invoice by which Crossbill billed a renewal or items in the old account, because neither account had charged them, is not paid: its payment failed. It is an invoice of the customer, so the subscription stays active.',
    fix: 'Look at the payment in the Dashboard of the old account. Let the member enter a card there, or void the invoice to forgive it.',
  },
  collection_stopped: {
    meaning:
      'A run cancelled a subscription and stopped before it restored the collection of the customer’s other invoices, which the cancel had stopped. Stripe does not collect the invoice any more.',
    fix: 'Run `crossbill apply`, also when its plan is empty: it lets Stripe collect the invoice again. If you stopped the collection yourself since, remove `crossbill_collect` from the metadata of the invoice.',
  },
  drift_on_held_source: {
    meaning:
      'A person changed the old subscription while it was on hold: its items, quantity, price, trial, anchor, end, card, discounts, taxes or way of collection, or the address or tax ids of its customer. The new subscription does not have the change, so a month given for free there is charged.',
    fix: 'Before the next renewal, carry the change: set the stage to `source` and apply, run `crossbill pull`, then move again. Or put it back in the old account. Or make the same change in the target and name `drift_on_held_source` under `override` of the entry. The subscriber is not settled until then.',
  },
  open_invoice_on_source: {
    meaning: 'An invoice of a moved subscriber is still open in the old account and is being collected there.',
    fix: 'Wait until it is paid, or void it in the old account when the period is billed in the target.',
  },
  finalization_failed: {
    meaning:
      'Stripe could not finalize an invoice (for automatic tax without a location of the customer, for instance). It stays a draft, the subscription stays active, and nobody is charged for the period.',
    fix: 'Remove the cause that the Dashboard of the account shows, and finalize the invoice there. Void it only if the period should be free.',
  },
  draft_too_old: {
    meaning:
      'A draft invoice is older than three days, and Stripe has no time to finalize it. Either a webhook endpoint that never answers holds it, or a recovery by Crossbill had it collected after a long hold.',
    fix: 'Finalize or void the invoice in its account. If the detail names no hold by Crossbill, look for a webhook endpoint that never answers (`crossbill doctor`).',
  },
  accounts_exchanged: {
    meaning:
      'An account has marks that Crossbill sets only in accounts of the other role: `target` and a source were exchanged in catalog/project.yaml. An apply is refused by the guard of the same name.',
    fix: 'Write the accounts in catalog/project.yaml as they were before, then run `crossbill verify`.',
  },
  mapping_differs: {
    meaning:
      'A line of `catalog/mappings` names another price of the catalog than the one that members pay. Their cancels wait for a person, and they keep the offers that they have.',
    fix: 'Correct the line in `catalog/mappings`, restart `crossbill serve`, and retry the cancels that wait.',
  },
  copy_mismatch: {
    meaning:
      'The new subscription is on the customer of another person (the customer’s id belongs to another old customer, or the e-mail addresses differ), or it charges another card of the member: type, brand or last four digits differ from the card that the old account charged, and the customer has several copied methods. The copy map had rows that were mixed up.',
    fix: 'Set `stage: source` and apply before the next renewal, replace the mapping file with the one from Stripe, and move the subscriber again. Refund what was charged to the wrong card. If both customers are the same person, or the bank replaced the card in one account only, name `copy_mismatch` under `override` of the entry.',
  },
  payment_method_differs: {
    meaning: 'The next charge would use a payment method other than the copy of the old one.',
    fix: 'If the member did not change it, set the default payment method shown in the Dashboard of the target. Then run `crossbill verify`.',
  },
  access_missing: {
    meaning: 'A member pays for an offer but does not hold it in Kajabi.',
    fix: 'Run `crossbill apply` to grant the offer.',
  },
  access_extra: {
    meaning: 'A member holds an offer that Crossbill granted but no longer pays for it.',
    fix: 'Run `crossbill apply` to revoke the offer.',
  },
  payer_without_address: {
    meaning:
      'A member pays for an offer, but their customer has no e-mail address, so Crossbill cannot grant access in Kajabi.',
    fix: 'Add the address to the customer in the account that bills them, then run `crossbill apply`; or exclude the subscriber with a reason.',
  },
  same_person_pays_twice: {
    meaning: 'One person has two subscriptions that give the same thing, usually one in each old account.',
    fix: 'Ask the member which one to keep; `crossbill cancel SUBSCRIPTION` ends the other. If both are intended, write `pays_twice:` and the reason in one of the entries.',
  },
} as const satisfies Record<string, CodeEntry>
