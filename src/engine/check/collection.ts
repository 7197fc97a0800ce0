import type { Live } from '../../live/accounts.ts'
import { leftNoted } from '../../live/collection.ts'
import type { Violation } from './violations.ts'

/** Invoices that Stripe no longer collects because a run cancelled another subscription. */
export function stoppedCollections(live: Live): readonly Violation[] {
  return leftNoted(live)
    .filter(({ isStopped }) => isStopped)
    .map(({ account, invoice, whose, cancelled }) => ({
      code: 'collection_stopped' as const,
      subscriber: whose,
      detail: `invoice ${invoice} in ${account} was being collected until Crossbill cancelled ${cancelled}, and is not collected any more`,
      fix: 'crossbill apply: it lets Stripe collect the invoice again',
    }))
}
