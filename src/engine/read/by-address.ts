import type { StripeAccount } from '../ports.ts'

/** A customer with the address that was asked for, as Stripe has it. */
export interface Addressed {
  readonly id: string
  readonly email: string
}

/**
 * All customers with this address, in any spelling. Stripe's filter is case-sensitive: a person may
 * have a second customer, which pays as well, under the same address in other letters. So all
 * customers are read. The address stays in memory.
 */
export async function customersWith(account: StripeAccount, address: string): Promise<readonly Addressed[]> {
  const wanted = sameLetters(address)
  const found: Addressed[] = []
  for await (const { id, email } of account.list('/v1/customers', {}))
    if (id !== undefined && typeof email === 'string' && sameLetters(email) === wanted) found.push({ id, email })
  return found
}

function sameLetters(address: string): string {
  return address.trim().toLowerCase()
}
