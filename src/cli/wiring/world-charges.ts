import { instant } from '../../core/instant.ts'
import type { WorldCharge } from '../../engine/rehearse/compare-charges.ts'

/** One attempted charge as the sandbox's ledger tells it (`GET /_sandbox/charges`). */
export interface LedgerCharge {
  readonly account: string
  readonly customer: string
  readonly subscription: string | null
  readonly invoice: string | null
  readonly at: string
  readonly amount: number
  readonly currency: string
  readonly status: string
}

/**
 * The charges that were paid, under the names their subscribers had in the old accounts.
 * @param origins where a subscription of the target came from: `sub_new` → `us/sub_old`
 */
export function worldCharges(ledger: readonly LedgerCharge[], origins: ReadonlyMap<string, string>): WorldCharge[] {
  return ledger
    .filter((charge) => charge.status === 'succeeded' && charge.amount > 0)
    .map(({ account, subscription, customer, at, amount, currency }) => ({
      subscriber: (account === 'target' && origins.get(subscription ?? '')) || `${account}/${subscription ?? customer}`,
      account,
      at: instant(Math.floor(Date.parse(at) / 1_000)),
      amount,
      currency,
    }))
}
