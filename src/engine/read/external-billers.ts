import { idOf } from '../../core/reference.ts'
import type { Catalog } from '../../catalog/types.ts'
import { secondsPerDay } from '../../core/instant.ts'
import { isJsonObject, type StripeObject, textIn } from '../../core/json.ts'
import type { StripeAccount } from '../ports.ts'

import { listAll } from './lists.ts'

/** Long enough to see a quarterly plan twice at the edges and a monthly plan three times. */
export const windowDays = 100

/**
 * A customer who is charged repeatedly without an invoice: another checkout runs a payment plan
 * there.
 */
export interface ExternalBilling {
  readonly source: string
  readonly customer: string
  readonly charges: number
  readonly last: { readonly amount: number; readonly currency: string; readonly at: number }
}

/** Those that the catalog does not declare. */
export function undeclared(
  found: readonly ExternalBilling[],
  { externals }: Pick<Catalog, 'externals'>,
): readonly ExternalBilling[] {
  const declared = new Set(externals.map(({ source, customer }) => `${source}/${customer}`))
  return found.filter(({ source, customer }) => !declared.has(`${source}/${customer}`))
}

/** Finds customers of one source with two or more successful charges that no invoice explains. */
export async function findExternalBilling(account: StripeAccount): Promise<readonly ExternalBilling[]> {
  const since = account.now() - windowDays * secondsPerDay
  const [charges, payments] = await Promise.all([
    listAll(account, '/v1/charges', { created: { gte: since } }),
    // An invoice's payment may be older than its charge, but by no more than the dunning period.
    listAll(account, '/v1/invoice_payments', { created: { gte: since - windowDays * secondsPerDay } }),
  ])
  const invoiced = new Set(payments.flatMap(paidThing))
  const isInvoiced = (id: string | undefined): boolean => id !== undefined && invoiced.has(id)
  const loose = charges.filter(
    (one) =>
      one['status'] === 'succeeded' &&
      idOf(one['customer']) !== undefined &&
      !isInvoiced(one.id) &&
      !isInvoiced(idOf(one['payment_intent'])),
  )
  return [...Map.groupBy(loose, (one) => idOf(one['customer']) ?? '')].flatMap(([customer, theirs]) => {
    const last = theirs.toSorted((a, b) => createdAt(b) - createdAt(a))[0]
    if (theirs.length < 2 || last === undefined) return []
    const amount = typeof last['amount'] === 'number' ? last['amount'] : 0
    const currency = textIn(last['currency'])
    return [{ source: account.name, customer, charges: theirs.length, last: { amount, currency, at: createdAt(last) } }]
  })
}

/**
 * The payment intent or charge that paid an invoice. A payment by other means has neither, and
 * explains no charge: https://docs.stripe.com/api/invoice-payment/object
 */
function paidThing({ payment }: StripeObject): readonly string[] {
  if (!isJsonObject(payment)) return []
  return [idOf(payment['payment_intent']), idOf(payment['charge'])].filter((id) => id !== undefined)
}

function createdAt(charge: StripeObject): number {
  return typeof charge['created'] === 'number' ? charge['created'] : 0
}
