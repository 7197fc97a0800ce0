import type { CodeEntry } from './codes.ts'

/**
 * A hand-over that stopped before it was done. Both subscriptions are unchanged, or the message
 * says what was undone.
 */
export const runCodes = {
  another_run: {
    meaning:
      'Another run of Crossbill is working on this subscriber, from another machine or store. This run changed nothing further.',
    fix: 'Wait for the other run to end, then run `crossbill plan`.',
  },
  source_unreachable: {
    meaning: 'The old subscription could not be read. It was not changed.',
    fix: 'Run the same command again.',
  },
  method_unreadable: {
    meaning:
      'The copied payment method that would become the default of the target’s customer could not be read there. Neither account was changed.',
    fix: 'Run the same command again.',
  },
  preview_failed: {
    meaning:
      'Stripe did not return a preview of the next invoice in one of the two accounts. The old subscription was not changed.',
    fix: 'Run the same command again. If it keeps failing, look at the request in the journal.',
  },
  preview_differs: {
    meaning:
      'The next invoice of the new subscription would differ from that of the old one (amount, discount, period or currency). The old subscription was not changed.',
    fix: 'Compare the mappings of this subscriber’s prices, coupons and tax rates, then plan again.',
  },
  sibling_stopped: {
    meaning:
      'Another subscription of the same customer did not leave the account in this run, and both share money of the customer. This one was not started.',
    fix: 'Correct what stopped the other one, then plan again: they leave together.',
  },
  setup_failed: {
    meaning:
      'Stripe could not set up the payment method of the new subscription for its renewals: the bank refused it or asks the member to confirm. The next renewal will probably fail. With `policies.setup_failed: keep` the move is done; with `undo` it was undone before anything was charged, and the old account still bills the member.',
    fix: 'Let the member enter a card before the next renewal: `crossbill card-link --code setup_failed` makes the links. To go back until then, set the stage to `source` and run `crossbill apply`.',
  },
  proof_failed: {
    meaning:
      'The new subscription is not what was planned. It was cancelled, and the hold on the old subscription was released.',
    fix: 'Correct what the message names, then plan again.',
  },
  ended_in_target: {
    meaning:
      'The new subscription ended during the hand-over (by its subscriber, the cancel service, failed payments or the deletion of its customer). The old one is never released then: it was cancelled as well.',
    fix: 'Nothing to do: no account charges the member any more.',
  },
} as const satisfies Record<string, CodeEntry>
export type RunCode = keyof typeof runCodes
