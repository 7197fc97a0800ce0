// What Stripe's and Kajabi's documents leave open, and the side that Crossbill takes. The page
// docs/to-confirm.md is generated from this table.
import type { Concern } from './concerns.ts'

export interface Question {
  readonly asks: string
  /** What Crossbill does, so that it is safe whatever the answer is. */
  readonly side: string
  /** How a person confirms it. Absent when `crossbill confirm` asks. */
  readonly byHand?: string
  /** Said of the command where it depends on the account. */
  readonly onlyIf?: string
  /** Whose bills depend on the answer. */
  readonly concerns: Concern
  /**
   * The answers that a test account can give, and what each means for the people concerned. The
   * first one is assumed.
   */
  readonly readings?: Readonly<Record<string, string>>
}

const nothingToDo = 'There is nothing to do.'

/** By row of docs/to-confirm.md; a row keeps its number for ever. */
const questions = {
  1: {
    asks: 'Does a copy of customers keep network tokens and transaction ids? Without them, more payments may be declined.',
    side: 'Crossbill compares the decline rate of a wave’s first renewals with the source’s. Above the limit, no further wave moves (guard `declines`).',
    byHand: 'Move a small wave and read `crossbill verify` after its first renewals.',
    concerns: 'everybody',
  },
  2: {
    asks: 'Does a second copy’s CSV repeat the earlier rows, and does it bring updated cards?',
    side: 'Files are merged; a later row wins only if its new id exists in the target.',
    byHand: '`crossbill copy-map import` both files, then `crossbill copy-map check`.',
    concerns: 'everybody',
  },
  3: {
    asks: 'Does the copy keep the default payment method, tax ids, `tax_exempt`, locales, shipping, invoice settings?',
    side: 'Crossbill assumes that it keeps none of them: each is compared, and set in a visible step before the subscription.',
    byHand: 'Read the customer steps of `crossbill plan` after the copy.',
    concerns: 'everybody',
  },
  5: {
    asks: 'Does an update before the first renewal unset the discounts of a subscription with a future anchor? (Stripe’s import guide says so about its own tool.)',
    side: 'Nothing is written to the new subscription between its proof and its first renewal; where a cancel at the end of the period must be set, the same request sends the discounts again by their ids.',
    concerns: 'discounted',
    readings: {
      true: 'An update before the first renewal removes their discounts. Other programs must not write to their new subscriptions before it.',
      false: `Their discounts survive an update before the first renewal. ${nothingToDo}`,
    },
  },
  7: {
    asks: 'Does a $0 trial invoice use up a `once` coupon?',
    side: 'A subscription in trial with a `once` discount moves. The discount is carried unless the old invoice of zero used it, and the proof reads it on the new subscription.',
    concerns: 'trial_discounted',
    readings: {
      false: 'The discount waits for the first charge after the trial.',
      true: 'The invoice of zero that begins a trial uses up a `once` coupon, in the old account as in the target: the first charge is the same in both.',
    },
  },
  8: {
    asks: 'May a request contain both `billing_cycle_anchor_config` and `trial_end`?',
    side: 'Crossbill never sends both.',
    concerns: 'in_trial',
    readings: { true: 'The combination is accepted.', false: `The combination is refused. ${nothingToDo}` },
  },
  9: {
    asks: 'Does `trial_settings.end_behavior.billing_cycle_anchor: unchanged` keep a month-end anchor?',
    side: 'A trial with that setting is blocked unless its anchor is the end of the trial.',
    concerns: 'in_trial',
    readings: {
      true: 'The month-end anchor returns after a short month.',
      false:
        'A month-end anchor does not return after a short month. Subscribers with that setting stay blocked; agree on a new date with the member.',
    },
  },
  10: {
    asks: 'What happens to pending prorations at an immediate cancel? The documentation changed.',
    side: 'Crossbill reads pending items before a settle. A customer who has some is settled only as the policy permits.',
    concerns: 'to_settle',
    readings: {
      go: 'Pending prorations of the old subscription are deleted with it.',
      stay: 'Pending prorations of the old subscription remain and would be billed later in the old account. `crossbill plan` names who has some; delete or invoice them there.',
    },
  },
  11: {
    asks: 'Can a price’s lookup key be cleared?',
    side: 'Crossbill only transfers it to another price.',
    concerns: 'nobody',
    readings: { true: 'It can be cleared.', false: `It cannot be cleared. ${nothingToDo}` },
  },
  12: {
    asks: 'Is `Idempotent-Replayed` always sent on replays?',
    side: 'Crossbill does not need it. If a stored 5xx has the header, the creation of a catalog object gets its next key at once instead of after fifteen minutes.',
    concerns: 'nobody',
    readings: {
      true: 'Replays have the header.',
      false:
        'Replays lack the header: after a stored 5xx, the creation of a catalog object is repeated after fifteen minutes.',
    },
  },
  13: {
    asks: 'Can the id of a deleted product be used again?',
    side: 'Crossbill archives products; it never deletes a product to create it again.',
    concerns: 'nobody',
    readings: { true: 'It can be used again.', false: `It is gone for good. ${nothingToDo}` },
  },
  14: {
    asks: 'Does Kajabi send `tag_added` for a tag that an automation added?',
    side: 'The poller and the daily reconciliation find tags for which no hook arrived.',
    byHand:
      'Add the cancel tag manually, by an automation, by a form and by the API; `crossbill inbox list` shows which arrived.',
    concerns: 'everybody',
  },
  15: {
    asks: 'How long does Kajabi retry a hook, and when does it give up an address?',
    side: 'The daily reconciliation checks that the hook exists, and creates it again if it does not.',
    byHand: 'Stop the service for an hour, add a tag, and watch when the hook arrives.',
    concerns: 'everybody',
  },
  16: {
    asks: 'Does a grant over Kajabi’s API appear among purchases?',
    side: 'Crossbill reads offers from the contact, not from purchases.',
    byHand: 'Grant an offer by the API and look at the purchases.',
    concerns: 'everybody',
  },
  17: {
    asks: 'Which year does `billing_cycle_anchor_config` with a month mean for prices of two or three years?',
    side: 'Month-end anchors of such prices wait for the year of their renewal (`anchor_not_yet_allowed`), in which every reading means the same date.',
    concerns: 'several_years',
    readings: {
      this_year: 'The month is that of this year; the renewals are counted from it.',
      next_occurrence: `The month is its next occurrence; the renewals are counted from it. ${nothingToDo}`,
    },
  },
  19: {
    asks: 'Is a list for a customer that the account never had refused, or empty?',
    side: 'Both mean that the customer has nothing there, provided that a read of the customer confirms it. The list of a deleted customer is not treated as empty.',
    concerns: 'everybody',
    readings: { true: 'The list is refused.', false: `The list is empty. ${nothingToDo}` },
  },
  20: {
    asks: 'How much is charged for an invoice in a three-decimal currency whose amount is not a multiple of ten?',
    side: 'Prices in such a currency must end in 0 (`price-smallest-unit`). Discounts and taxes produce the same amount in both accounts, and the previews must be equal.',
    onlyIf: 'if your account accepts such a currency',
    concerns: 'three_decimals',
    readings: {
      exact: 'The amount is charged to the last digit.',
      rounded:
        'The charge is rounded to a multiple of ten. A bill of theirs and its charge may differ by less than ten units.',
    },
  },
  21: {
    asks: 'Does a subscription with more than ten items show all of them?',
    side: 'If it reports that there are more, Crossbill reads the rest before any comparison.',
    concerns: 'many_items',
    readings: { ten: 'Ten items are shown.', all: `All items are shown. ${nothingToDo}` },
  },
  22: {
    asks: 'In a preview with `customer` and `customer_details`, do the tax ids of the details replace those of the customer?',
    side: 'Crossbill sends both lists together, and only while some tax ids are still to be carried. Each move previews again after they are carried.',
    concerns: 'automatic_tax',
    readings: {
      replace: 'The tax ids of the details replace those of the customer.',
      add: `The tax ids of the details are added to those of the customer. ${nothingToDo}`,
    },
  },
  23: {
    asks: 'Which contacts does Kajabi’s `filter[has_active_product_id]` return? The documentation has only the filter’s name, and Kajabi may ignore an unknown filter.',
    side: 'A member who holds an offer but is missing in the list of one of its products counts as unable to open it. Crossbill revokes and grants the offer again only for members who are being moved and pay according to both accounts: at most 25 per reading, and each member once a day. It reports all others to the operator. It ignores an empty list.',
    byHand: 'Switch off one member’s product in Kajabi, and compare the contacts before and after.',
    concerns: 'everybody',
  },
  24: {
    asks: 'Which months does `billing_cycle_anchor_config` with a month mean for prices whose interval does not divide a year (every five months)?',
    side: 'Month-end anchors of such prices wait for the last occurrence before their renewal that any reading allows (`anchor_not_yet_allowed`); from then on all readings mean the same date.',
    concerns: 'odd_months',
    readings: {
      this_year: 'The month is that of this year; the renewals are counted from it.',
      next_occurrence: `The month is its next occurrence; the renewals are counted from it. ${nothingToDo}`,
    },
  },
  25: {
    asks: 'Does a renewal that a hold voids use up a customer’s discount that applies once?',
    side: 'The discount belongs to the customer’s subscription that renews first. A held subscription keeps that place, so that the discount is never applied twice.',
    concerns: 'discounted',
    readings: {
      true: 'A voided renewal uses up a customer’s discount that applies once.',
      false:
        'A voided renewal does not use up a customer’s discount that applies once: it may then discount a later invoice in the old account.',
    },
  },
  26: {
    asks: 'What happens to pending invoice items that name a cancelled subscription? One page says that they wait for another subscription, another that Stripe bills them when the period ends; the SDK says that invoices of other subscriptions ignore them.',
    side: 'Crossbill reads pending items before a settle. A customer who has some is settled only as the policy permits.',
    concerns: 'to_settle',
    readings: {
      wait: 'Pending items of a cancelled subscription are never billed.',
      next_subscription:
        'Pending items of a cancelled subscription go onto the next invoice of the customer’s other subscription. Delete or invoice them before the settle.',
      billed_at_period_end:
        'Stripe bills pending items of a cancelled subscription when the period ends. Delete or invoice them before the settle.',
    },
  },
  27: {
    asks: 'Does a cancel stop the collection of all finalized invoices of the customer, or only of those of the subscription?',
    side: 'Crossbill marks the customer’s open invoices before each of its cancels, and afterwards resumes their collection where it was stopped.',
    concerns: 'to_settle',
    readings: {
      customer: 'A cancel stops the collection of the customer’s other open invoices; Crossbill resumes it.',
      subscription: `A cancel stops only the invoices of its own subscription. ${nothingToDo}`,
    },
  },
  28: {
    asks: 'Does a discount whose coupon id was deleted and used again show its own terms, or those of the coupon that has the id today?',
    side: 'If the discount shows terms other than the present coupon’s, Crossbill uses them. If they are the same and the coupon is younger than the discount, the subscriber is not moved (`coupon_unmapped`).',
    concerns: 'discounted',
    readings: {
      snapshot: 'A discount shows the terms that it keeps.',
      namesake:
        'A discount shows the coupon that has its id today. Subscribers with a discount older than its coupon stay blocked (`coupon_unmapped`) until the terms are written.',
    },
  },
  29: {
    asks: 'Does an invoice with automatic tax of a customer without a location stay a draft (`invoice.finalization_failed`), or is it finalized without tax?',
    side: 'A customer without a location is not moved with automatic tax.',
    onlyIf: 'if Stripe Tax is set up in your test account',
    concerns: 'automatic_tax',
    readings: {
      tax_off:
        'An invoice of a customer without a location is finalized without tax. Add the location before the move.',
      draft_stays:
        'An invoice of a customer without a location stays a draft, and nobody is charged. Add the location before the move.',
    },
  },
  30: {
    asks: 'Does `payment_behavior: default_incomplete` leave the SetupIntent of a subscription without a first payment unconfirmed?',
    side: 'A SetupIntent that only waits for its confirmation says nothing about the method: no move is undone for it.',
    concerns: 'to_move',
    readings: {
      confirmed:
        'Stripe confirms the payment method when the subscription is created, so that a bad card shows before its renewal.',
      waits:
        'Stripe does not confirm the payment method at the move, so that a bad card shows only at its first renewal. Run `crossbill cards check` before a wave.',
    },
  },
  31: {
    asks: 'Does flexible billing mode give a credit at a change before the first invoice of a subscription that was created with a future anchor and without proration?',
    side: 'Crossbill assumes that it gives none. The plan says who paid in the old account, and `verify` subtracts every credit that it finds on an invoice (`proration_uncredited`).',
    byHand:
      'Create a subscription with `billing_cycle_anchor` ahead and `proration_behavior: none` in flexible mode, change its quantity with `proration_behavior: always_invoice`, and read the lines of the invoice.',
    concerns: 'to_move',
  },
  32: {
    asks: 'What is the smallest amount that the target charges? It depends on the currency in which the account settles, and no API shows it.',
    side: 'Crossbill compares the amounts of both accounts, which are equal. A renewal below the smallest charge of the target is not charged: Stripe puts it on the balance of the customer, and the next invoice collects it.',
    byHand:
      'Compare the settlement currencies of both accounts and the table at https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts with your smallest renewal.',
    concerns: 'to_move',
  },
} as const satisfies Readonly<Record<number, Question>>

/** A row of docs/to-confirm.md. */
export type Row = keyof typeof questions

/** Rows that `crossbill confirm` asks about. */
export type AskedRow = { [R in Row]: (typeof questions)[R] extends { readings: object } ? R : never }[Row]

export const rows = Object.keys(questions).map(Number) as readonly Row[]

/** One question; typed without the literals of the table. */
export function question(row: Row): Question {
  return questions[row]
}

/** The answer that Crossbill's tests take as usual; undefined for a row that only a person asks. */
export function assumedReading(row: Row): string | undefined {
  const { readings = {} } = question(row)
  // Keys such as `true` keep the order in which they are written.
  return Object.keys(readings)[0]
}
