// Writes a planned change of a subscription and collects what it bills at once.
import { present } from '../../../core/assert.ts'
import type { Context } from '../../kernel/context.ts'
import type { UpdateGiven } from '../subscription-params.ts'
import type { Change } from './changing.ts'
import { attempt, finalize, keepInvoice, openDraft, tellInvoice } from './collecting.ts'
import { composeInvoice, pendingFor } from './composing.ts'
import { watch } from './cycling.ts'
import { withoutSpent } from './discounts.ts'
import { declinedBy } from './refusals.ts'
import { invoiceItems, subscriptions, type SubscriptionRow } from './rows.ts'
import { changeSubscription } from './standing.ts'

export interface Applied {
  readonly before: SubscriptionRow
  readonly change: Change
  readonly given: Pick<UpdateGiven, 'payment_behavior'>
}

/**
 * Writes the change, and creates and collects its invoice when it bills. Returns the subscription
 * after it.
 */
export function applyChange(context: Context, applied: Applied): SubscriptionRow {
  const { before, change } = applied
  for (const item of change.items) context.table(invoiceItems).put(item)
  const row = changeSubscription(context, before, change.row)
  watch(context, row)
  if (!change.bill) return row
  bill(context, row, applied)
  const after = present(context.table(subscriptions).get(row.id), row.id)
  watch(context, after)
  return after
}

function bill(context: Context, row: SubscriptionRow, applied: Applied): void {
  const pending = pendingFor(context, row)
  const draft = composeInvoice(context, row, {
    id: context.newId('in'),
    reason: 'subscription_update',
    lines: applied.change.lines,
    pending,
    period: { start: context.now, end: context.now },
    at: context.now,
  })
  for (const item of pending) context.table(invoiceItems).put({ ...item, invoice: draft.id })
  changeSubscription(context, row, withoutSpent(context, { ...row, latest_invoice: draft.id }, { at: context.now }))
  if (row.collection_method === 'send_invoice' || row.pause_collection !== null) {
    openDraft(context, { ...draft, auto_advance: row.pause_collection === null })
    return
  }
  const kept = keepInvoice(context, draft)
  tellInvoice(context, 'invoice.created', kept)
  const open = finalize(context, kept)
  if (open.status !== 'open' || applied.given.payment_behavior === 'default_incomplete') return
  const { outcome } = attempt(context, open, { by: 'request' })
  if (applied.given.payment_behavior !== 'error_if_incomplete' || outcome.kind !== 'failed') return
  throw declinedBy(outcome, { undone: true })
}
