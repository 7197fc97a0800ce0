import { asInvoice } from '../read/subscriptions.ts'
import type { LiveAccount } from '../../live/accounts.ts'
import { isRenewalCaptured, mayHideCapture } from '../../live/captured.ts'
import { firstRenewal } from '../../live/first-renewal.ts'
import { markFrom, oldIdOf } from '../../live/marks.ts'
import { isOver } from '../../live/subscription.ts'
import type { Context } from '../context.ts'
import { listAll } from '../read/lists.ts'

/**
 * Finds the new subscriptions to be settled whose paid renewal is hidden by a newer invoice. The
 * lists of an account show only the newest invoice, so these few are read one by one.
 */
export async function capturedBefore(
  { accounts, catalog }: Pick<Context, 'accounts' | 'catalog'>,
  { subscriptions, now }: LiveAccount,
): Promise<ReadonlySet<string>> {
  const declared = catalog.subscribers.filter(({ stage }) => stage === 'settled')
  const settling = new Set(declared.map(({ subscription }) => subscription))
  const captured = new Set<string>()
  for (const one of subscriptions) {
    if (!settling.has(oldIdOf(one.metadata[markFrom])) || isOver(one)) continue
    const { latest_invoice: latest } = one
    const first = firstRenewal(one)
    if (typeof latest !== 'object' || latest === null || first > now || !mayHideCapture(latest, first)) continue
    const paid = await listAll(accounts.target, '/v1/invoices', { subscription: one.id, status: 'paid' })
    if (paid.some((invoice) => isRenewalCaptured(asInvoice(invoice), first))) captured.add(one.id)
  }
  return captured
}
