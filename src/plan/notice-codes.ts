/**
 * Notices of `pull`, `plan`, `verify` and `report`: facts that otherwise stay unseen until they
 * cost money or access.
 */
export const noticeCodes = {
  undeclared_subscription: {
    meaning:
      'A live subscription of an old account is in no subscriber file: it is new, or its file was deleted or moved, or its id has a spelling mistake. No plan moves, settles or reverts it, and `verify` fails.',
    fix: 'Put the file or the entry back, or run `crossbill pull --source NAME`, which writes an entry with the stage in which the subscriber is.',
  },
  schedule_not_begun: {
    meaning:
      'An old account has a schedule that starts later. It has no subscription yet, so no plan can move it. The old account will bill it.',
    fix: 'Cancel the schedule in the old account and sell the subscription in the target. Or wait until it starts; `crossbill pull` then declares the subscription. To leave it there on purpose, declare the customer in `catalog/externals.yaml` with a reason. `verify` fails until one of these is done.',
  },
  trial_without_card: {
    meaning: 'A trial ends soon and an amount is then due, but there is no payment method to charge.',
    fix: 'Ask the member for a card before the date shown. The message says what Stripe does without one: pause, cancel, or create an invoice that stays unpaid.',
  },
  setup_failed: {
    meaning:
      'Stripe could not set up the payment method of a new subscription for its renewals: the bank refused it or asks the member to confirm. The next renewal in the target will probably fail. It counts for the guard `declines`.',
    fix: 'Let the member enter a card before the date shown: `crossbill card-link --code setup_failed` makes the links. To let the old account bill the member until then, set the stage to `source` and run `crossbill apply`. With `policies.setup_failed: undo`, a move with such a method is undone at once.',
  },
  mandate_missing: {
    meaning:
      'The card was issued in a country where a renewal needs a mandate that the cardholder confirmed (India). No copy brings a mandate, so the next renewal in the target will probably fail. After the move it counts for the guard `declines`.',
    fix: 'Let the member enter the card in the target before the date shown, where the bank asks them: `crossbill card-link --code mandate_missing` makes the links. To let the old account bill the member until then, set the stage to `source` and run `crossbill apply`.',
  },
  moved_without_object: {
    meaning:
      'A line of `moved:` names an old key of which the account has no object, so the plan creates the entry as a new object. This is right in a new account.',
    fix: 'If it is intended, delete the line; otherwise correct the old key.',
  },
  retire_without_object: {
    meaning:
      'An entry has `retire: true`, or a line of `removed:` nearly names an object that is in use, and the account has no object of that name.',
    fix: 'Delete the entry or the line, or correct its key.',
  },
  field_left_alone: {
    meaning:
      'A value was deleted from an entry, and nothing changes by that: Stripe cannot clear the field (the lookup key of a price, the name of a coupon), or it would put a default of its own in its place (portals, payment links, tax settings). Crossbill leaves the present value as it is and no longer compares it. The store knows what the entry had; the notice is shown until the next apply.',
    fix: 'Nothing to do if the value should stay. Otherwise write the field with another value, or an empty list. A lookup key leaves a price when another price gets it.',
  },
  former_in_use: {
    meaning:
      'An object that was replaced, or that this plan replaces, stays in use under its old id: Stripe cannot archive a coupon. It can still be redeemed with its old terms, by its id and by every promotion code of it that others made. The notice is shown while the object stays in use.',
    fix: 'Delete the coupon in the Dashboard of the target when nobody should get it any more; members who have it keep their discount. An entry with `retire: true`, or a line of `removed:`, deletes the replaced coupons that nobody has redeemed together with the present one. A replaced product is archived by them.',
  },
  count_begins_again: {
    meaning:
      'A coupon, a promotion code or a payment link with a limit is created again, and Stripe counts the new one from 0: it can be redeemed or bought as often as its entry says, whatever the earlier one had used up.',
    fix: 'If the limit is meant for both together, write what is left of it into the entry (`max_redemptions`, `restrictions.completed_sessions.limit`) in the same change, or restore the earlier values.',
  },
  no_method: {
    meaning: 'An amount is due at the next renewal, and no payment method would be charged for it in either account.',
    fix: 'Let the member enter a card before the date shown: `crossbill card-link --code no_method` makes the links.',
  },
  card_expired: {
    meaning: 'The card that the next renewal in the target would charge has expired.',
    fix: 'Let the member enter another card before the date shown: `crossbill card-link --code card_expired` makes the links.',
  },
  card_expires: {
    meaning:
      'The card that the next renewal in the target would charge expires before it. Stripe replaces many expired cards by itself, but not all.',
    fix: 'Let the member enter another card before the date shown: `crossbill card-link --code card_expires` makes the links.',
  },
  card_differs: {
    meaning:
      'The copied card is not the one that the old account charges: brand, last four digits or expiry differ. Fingerprints are not compared, because each account has its own.',
    fix: 'Make another copy and import its file, or let the member enter a card: `crossbill card-link --code card_differs` makes the links.',
  },
  card_awaited: {
    meaning: 'The member was asked for a card (`crossbill card-link`) and has not entered one yet.',
    fix: 'Nothing to do while there is time. `crossbill card-link --code all --mail --again` asks once more. Without a card, a member who has not moved stays in the old account.',
  },
  card_entered: {
    meaning:
      'The member entered a card through their link. It replaces the payment method of the old account when they move.',
    fix: 'Nothing to do: set the stage to `target` and run `crossbill apply`.',
  },
  ends_later: {
    meaning: 'A subscription renews until a later date and then ends (`cancel_at`). A move carries this date.',
    fix: 'Nothing to do if the end is intended. Otherwise remove `cancel_at` from the subscription, then run `crossbill pull`.',
  },
  invoices_stay_open: {
    meaning:
      'Invoices of a subscription that moves, or has moved, are open in the old account and stay there: sent invoices wait for the member, others are collected there (`policies.past_due: leave`). No charge in the target includes them.',
    fix: 'Nothing to do if they are to be collected in the old account. Otherwise void them there or mark them uncollectible.',
  },
  customer_split: {
    meaning:
      'A subscription leaves an account alone, by `override: [customer_split]`. Money of its customer stays there for another subscription, so the next renewal is charged without it.',
    fix: 'Nothing to do if this is intended. Otherwise remove the override: the subscriptions of the customer then leave together, or wait for each other.',
  },
  paid_in_old_account: {
    meaning:
      'Members have paid in the old account for a period that still runs, and the target bills them before it ends, in flexible billing mode. Stripe credits only what the new subscription itself has debited: a change of plan or seats with a proration before its first renewal charges the rest of the period a second time, and a removed item or a cancel with proration gives nothing back. One notice names all members of an account and a currency, with the amount and the latest date.',
    fix: 'Until that date, let customer portals of the target change subscriptions without proration (`proration_behavior: none`), and do the same in the Dashboard and in your own code. `verify` names a change that was made with a proration, with the amount that is owed (`proration_uncredited`).',
  },
  customers_become_one: {
    meaning:
      'Customers of several old accounts have one customer in the target, because an earlier copy gave them the same id. From the move on, its balance, its items without subscription, its discount and its default payment method serve the subscriptions of all of them: a credit from one old account pays the next renewal of any.',
    fix: 'Nothing to do if one person may use the money and the card for all of them. Otherwise settle the money in the old account before the move, and set a payment method on the subscription that needs another one.',
  },
  item_without_subscription: {
    meaning:
      'An old account holds a pending invoice item of a customer that is not tied to a subscription. The next invoice of any of the customer’s subscriptions there includes it. When all of those are on hold or ended, it is never billed.',
    fix: 'Invoice or delete it in the old account. Or set `policies.pending_invoice_items: carry`; it is then carried with the last subscription of its customer that moves.',
  },
  payer_without_address: {
    meaning:
      'A member pays for an offer, but the customer has no e-mail address. Crossbill cannot grant access in Kajabi.',
    fix: 'Add the address to the customer in the account that bills the member, then run `crossbill apply`. Or exclude the subscriber with a reason. `verify` fails until one of these is done.',
  },
  earlier_version: {
    meaning:
      'Subscriptions of the target keep a tax rate or a coupon that was replaced, or that this plan replaces: Stripe changes neither. They are billed with its earlier percentage or amount.',
    fix: 'Nothing to do if they should keep it. For a tax rate, `on_change: at_renewal` in its entry takes them along when the rate changes; give the others the new rate in the Dashboard of the target. A discount keeps the terms that its member was given.',
  },
  mapping_differs: {
    meaning:
      'A line of `catalog/mappings` names another price of the catalog than the one that members pay: its product or its interval differs, or another price of the catalog charges exactly this. No move uses the line, no cancel and no access follows from it: cancels of these members wait for a person, and they keep the offers that they have.',
    fix: 'Correct the line in `catalog/mappings`, then run `crossbill plan`. Restart `crossbill serve`, and retry the cancels that wait (`crossbill inbox list`). `verify` fails until this is done.',
  },
  excluded_after_move: {
    meaning:
      'The entry excludes a subscriber who was moved. `excluded` leaves a subscriber in the old account; it does not move one back, cancels nothing and revokes no access. A plan lists the subscriber as blocked.',
    fix: 'Remove `excluded` from the entry. To leave the subscriber in the old account, set `stage: source` instead and run `crossbill apply`; exclude them when the move is reverted.',
  },
  stripe_differs: {
    meaning:
      'A test account answered a question otherwise than Crossbill assumes, or does not show behaviour that Stripe documents (`crossbill confirm`). Every answer that the documents allow is safe; the message says what it changes for the subscribers of the project.',
    fix: 'Read the message and the row of [to confirm](to-confirm.md). Where the account does not behave as documented, move nobody until it is understood.',
  },
  price_without_offer: {
    meaning: 'Members pay this price, but no offer of `catalog/access.yaml` names it. They get no access in Kajabi.',
    fix: 'Add the price under an offer in `catalog/access.yaml`. If it gives no access on purpose, list it under `without_offer` there.',
  },
} as const satisfies Readonly<Record<string, { readonly meaning: string; readonly fix: string }>>

export type NoticeCode = keyof typeof noticeCodes
