import type Stripe from 'stripe'
import { digest } from '../../core/canonical.ts'
import type { StripeObject } from '../../core/json.ts'
import { success, type Outcome } from '../../core/outcome.ts'
import { perform } from '../send/perform.ts'
import type { StripeAccount } from '../ports.ts'
import type { InboxContext } from './context.ts'
import { isAdvancing, isCollected, isSent } from '../../live/invoice.ts'
import { listed } from '../send/listed.ts'

/** An invoice that the old account created although its subscription should have been on hold. */
export interface Made {
  readonly id: string
  readonly status: 'collecting' | 'paid'
}

/**
 * Invoices created since the hold began that are paid or would still be collected. A hold stops
 * only new invoices.
 */
export async function madeSince(
  account: StripeAccount,
  old: Stripe.Subscription,
  since: number,
): Promise<Outcome<readonly Made[]>> {
  const all = await listed(account, '/v1/invoices', { subscription: old.id }, 'invoices_unreadable')
  if (!all.ok) return all
  return success(
    all.value.flatMap((invoice): Made[] => {
      const { id, status, amount_paid: paid, created } = invoice
      if (id === undefined || typeof created !== 'number' || created < since) return []
      if (status === 'paid' && typeof paid === 'number' && paid > 0) return [{ id, status: 'paid' }]
      const isUnderWay = isAdvancing(invoice) || isCollected(invoice) || isSent(invoice)
      return isUnderWay ? [{ id, status: 'collecting' }] : []
    }),
  )
}

/** Stops the collection and nothing else: a person decides about voids and refunds. */
export async function stopCollecting(
  context: InboxContext,
  { row, account, customer }: { readonly row: string; readonly account: StripeAccount; readonly customer: string },
  invoice: string,
): Promise<Outcome<StripeObject>> {
  return perform(context, {
    address: `inbox.${row}`,
    step: `stop ${account.name} ${invoice}`,
    account,
    method: 'POST',
    path: `/v1/invoices/${invoice}`,
    params: { auto_advance: false },
    shutAt: `/v1/customers/${customer}`,
    key: digest([row, account.id, invoice, 'stop']),
  })
}
