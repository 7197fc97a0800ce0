import { instant } from '../../core/instant.ts'
import type { WorldCharge } from '../../engine/rehearse/compare-charges.ts'

/** One attempted charge in the sandbox's ledger (`GET /_sandbox/charges`). */
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
 * The paid charges, under the names that their subscribers had in the old accounts.
 * @param origins the old name of each subscription of the target: `sub_new` → `us/sub_old`
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
