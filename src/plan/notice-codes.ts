/** What `pull`, `plan`, `verify` and `report` point out, because nothing else would before it costs money or access. */
export const noticeCodes = {
  schedule_not_begun: {
    meaning:
      'A subscription is sold in an old account and begins later: a schedule with a start date, and no subscription yet that a plan could move. The old account will bill it.',
    fix: 'Cancel the schedule in the old account and sell the same in the target; or wait until it begins: `crossbill pull` then declares the subscription. To leave it there on purpose, declare the customer in `catalog/externals.yaml` with a reason. `verify` fails until one of these is done.',
  },
  trial_without_card: {
    meaning: 'A trial ends soon, an amount is due then, and there is no payment method to charge.',
    fix: 'Ask the member for a card before the date shown. The message says what Stripe does without one: pause, cancel, or an invoice that nobody pays.',
  },
  ends_later: {
    meaning:
      'A subscription goes on renewing and ends by itself on a date further ahead (`cancel_at`). A move carries the end along.',
    fix: 'Nothing to do if the end is meant. If not, take `cancel_at` off the subscription, then run `crossbill pull`.',
  },
  item_without_subscription: {
    meaning:
      'An old account holds a pending invoice item that belongs to a customer and to no subscription. The next invoice of any of their subscriptions there takes it along; when all of those are on hold or over, nothing bills it.',
    fix: 'Invoice or delete it in the old account; or choose `policies.pending_invoice_items: carry`, and it goes along with the last subscription of its customer that moves.',
  },
  payer_without_address: {
    meaning:
      'A member pays for an offer, and their customer has no e-mail address: no access in Kajabi can be given to them.',
    fix: 'Write the address at the customer in the account that bills them, then run `crossbill apply`. Or exclude the subscriber with a reason. `verify` fails until one of these is done.',
  },
  price_without_offer: {
    meaning: 'Members pay this price, and no offer of `catalog/access.yaml` names it: they get no access in Kajabi.',
    fix: 'Add the price under an offer in `catalog/access.yaml`. If it is meant to give no access, list it under `without_offer` there.',
  },
} as const satisfies Readonly<Record<string, { readonly meaning: string; readonly fix: string }>>

export type NoticeCode = keyof typeof noticeCodes
