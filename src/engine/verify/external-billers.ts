import { formatMoney } from '../../core/money.ts'
import type { Context } from '../context.ts'
import { findExternalBilling, undeclared, windowDays } from '../read/external-billers.ts'
import type { Violation } from '../check/violations.ts'

/**
 * Finds repeated charges outside Stripe's subscriptions that the catalog neither declares nor
 * excludes.
 */
export async function externalBillers(context: Pick<Context, 'accounts' | 'catalog'>): Promise<readonly Violation[]> {
  const found = await Promise.all([...context.accounts.sources.values()].map(findExternalBilling))
  return undeclared(found.flat(), context.catalog).map(({ source, customer, charges, last }) => ({
    code: 'external_biller',
    subscriber: `${source}/${customer}`,
    detail: `charged ${charges} times in ${windowDays} days without an invoice, last ${formatMoney(last)}`,
    fix: `a program other than Stripe Billing runs this payment plan: declare it in catalog/externals.yaml (externals: { ${source}: { ${customer}: REASON } }), or end it in that program`,
  }))
}
