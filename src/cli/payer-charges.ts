import type { LedgerCharge, PayerCharge } from './compare-charges.ts'

/**
 * The charges that were paid, under the names their payers had in the old accounts.
 * @param origins where a subscription of the target came from: `sub_new` → `us/sub_old`
 */
export function payerCharges(
  ledger: readonly LedgerCharge[],
  target: string,
  origins: ReadonlyMap<string, string>,
): PayerCharge[] {
  return ledger
    .filter((charge) => charge.status === 'succeeded')
    .map((charge) => ({
      payer: payer(charge, target, origins),
      at: charge.at,
      amount: charge.amount,
      currency: charge.currency,
    }))
}

function payer(
  { account, subscription, customer }: LedgerCharge,
  target: string,
  origins: ReadonlyMap<string, string>,
): string {
  const origin = account === target && subscription !== null ? origins.get(subscription) : undefined
  return origin ?? `${account}/${subscription ?? customer}`
}
