import type { CodeEntry } from './codes.ts'

/** What `cards check` finds about the payment methods that renewals in the target would charge. */
export const cardCodes = {
  card_expired: {
    meaning: 'The card in the target has expired. The next renewal will probably fail.',
    fix: 'Let the member enter another card: `crossbill card-link --code card_expired` makes the links. Where the member has already entered one in the old account, make another copy and import its file.',
  },
  card_expires: {
    meaning:
      'The card in the target expires before its next renewal. Stripe replaces many expired cards by itself, but not all.',
    fix: 'Let the member enter another card before the date shown (`crossbill card-link --code card_expires`), or run the check again after the renewal date of the card.',
  },
  card_differs: {
    meaning:
      'The copied card is not the one that the old account charges: brand, last four digits or expiry differ. Fingerprints are not compared, because each account has its own.',
    fix: 'Make another copy and import its file with `crossbill copy-map import`: the copy is older than the card, or the file belongs to another copy.',
  },
  mandate_missing: {
    meaning:
      'The card was issued in a country where a renewal needs a mandate that the cardholder confirmed (India). No copy brings a mandate.',
    fix: 'Let the member enter the card in the target, where the bank asks them: `crossbill card-link --code mandate_missing` makes the links. Until then leave the member in the old account, or set `policies.setup_failed: undo`: a move whose card asks for the member is then undone.',
  },
  setup_failed: {
    meaning:
      'Stripe tried to set the payment method up in the target, and the bank refused it or asks the member to confirm.',
    fix: 'Let the member enter a card before the next renewal: `crossbill card-link --code setup_failed` makes the links.',
  },
  method_missing: {
    meaning: 'The copy map names a payment method that the target does not have, or that was detached there.',
    fix: 'Import the mapping file of the last copy into this target, or let the member enter the card again: `crossbill card-link --code method_missing`.',
  },
  method_not_copied: {
    meaning:
      'The payment method that the old account charges has no copy in the target: it was not copied, or Stripe does not copy its type.',
    fix: 'Make another copy for this customer and import its file. Where the type is not copied (Link, Bacs, ACSS), let the member enter a card: `crossbill card-link --code method_not_copied`.',
  },
  no_method: {
    meaning: 'An amount is due at the next renewal, and no payment method would be charged for it.',
    fix: 'Let the member enter a card before the date shown: `crossbill card-link --code no_method` makes the links.',
  },
} as const satisfies Record<string, CodeEntry>

export type CardCode = keyof typeof cardCodes
