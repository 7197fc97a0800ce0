// The end of a subscription: requested, scheduled, or after failed payments
// (https://docs.stripe.com/billing/subscriptions/cancel).
import { instant } from '../../../core/instant.ts'
import type { Context } from '../../kernel/context.ts'
import { renderSubscription } from '../subscription-view.ts'
import { attempt, finalize, keepInvoice, openDraft, stopCollection, tellInvoice } from './collecting.ts'
import { composeInvoice, pendingFor } from './composing.ts'
import { usageLine } from './lines.ts'
import { priceFacts } from './lookups.ts'
import { proration } from './prorating.ts'
import { scheduleEnded } from './schedule-rows.ts'
import { invoiceItems, subscriptions, type CancellationDetails, type SubscriptionRow } from './rows.ts'
import type { LineDraft } from './totals.ts'
import { creditFor } from './unused.ts'

export interface Ending {
  /**
   * `request`: at once, by the API. `scheduled`: its date came. `unpaid`: the last attempt to
   * collect failed. `disputed`: a payment was disputed.
   */
  readonly how: 'disputed' | 'request' | 'scheduled' | 'unpaid'
  readonly invoiceNow?: boolean
  readonly prorate?: boolean
  readonly details?: Partial<CancellationDetails>
}

const reasons = {
  disputed: 'payment_disputed',
  request: 'cancellation_requested',
  scheduled: 'cancellation_requested',
  unpaid: 'payment_failed',
} as const

export function endSubscription(context: Context, row: SubscriptionRow, ending: Ending): SubscriptionRow {
  const { now } = context
  if (ending.prorate === true) creditUnused(context, row, now)
  const final = finalInvoice(context, row, ending)
  const reason = reasons[ending.how]
  const ended = context.table(subscriptions).put({
    ...row,
    status: 'canceled',
    ended_at: now,
    canceled_at: ending.how === 'scheduled' ? (row.canceled_at ?? now) : now,
    cancellation_details: { ...row.cancellation_details, ...ending.details, reason },
    schedule: null,
    ...(final === null ? {} : { latest_invoice: final }),
  })
  if (context.scheduled('subscription.wake', row.id) !== undefined) context.unschedule('subscription.wake', row.id)
  if (row.schedule !== null) scheduleEnded(context, row.schedule, ending.how === 'scheduled' ? 'completed' : 'canceled')
  stopCollection(context, ended, final)
  context.emit('customer.subscription.deleted', () => renderSubscription(context, ended))
  return ended
}

/**
 * Pending invoice items go on a final invoice at the end of the period or on request; otherwise
 * prorations of the subscription are deleted (SDK, Subscriptions.cancel).
 */
function finalInvoice(context: Context, row: SubscriptionRow, ending: Ending): string | null {
  const { now } = context
  const pending = pendingFor(context, row).filter((item) => item.subscription === row.id || ending.invoiceNow === true)
  if (ending.how === 'disputed') return null
  if (ending.how === 'request' && ending.invoiceNow !== true) {
    if (ending.prorate !== true && context.world.unsure.prorations_at_cancel === 'go')
      for (const item of pending) if (item.proration) context.table(invoiceItems).delete(item.id)
    if (context.world.unsure.items_after_cancel === 'billed_at_period_end' && pendingFor(context, row).length > 0) {
      const end = Math.min(...row.items.map((item) => item.current_period_end))
      if (end > now) context.schedule(instant(end), 'subscription.left_items', row.id)
    }
    return null
  }
  const used = usedLines(context, row)
  if ((pending.length === 0 && used.length === 0) || ending.how === 'unpaid') return null
  const draft = composeInvoice(context, row, {
    id: context.newId('in'),
    reason: ending.how === 'request' ? 'subscription_update' : 'subscription_cycle',
    lines: used,
    pending,
    period: { start: row.items[0]?.current_period_start ?? row.start_date, end: context.now },
    at: context.now,
  })
  for (const item of pending) context.table(invoiceItems).put({ ...item, invoice: draft.id })
  if (ending.how === 'scheduled') return openDraft(context, draft).id
  const kept = keepInvoice(context, draft)
  tellInvoice(context, 'invoice.created', kept)
  const open = finalize(context, kept)
  if (open.status === 'open' && open.collection_method === 'charge_automatically')
    attempt(context, open, { by: 'request' })
  return draft.id
}

/**
 * In some worlds Stripe bills the pending items of a cancelled subscription when its period would
 * have ended.
 */
export function billLeftItems(context: Context, id: string): void {
  const row = context.table(subscriptions).get(id)
  const pending = row === undefined ? [] : pendingFor(context, row).filter((item) => item.subscription === id)
  if (row === undefined || pending.length === 0) return
  const period = { start: row.ended_at ?? row.start_date, end: context.now }
  const reason = 'automatic_pending_invoice_item_invoice'
  const draft = composeInvoice(context, row, {
    id: context.newId('in'),
    reason,
    lines: [],
    pending,
    period,
    at: context.now,
  })
  for (const item of pending) context.table(invoiceItems).put({ ...item, invoice: draft.id })
  openDraft(context, draft)
}

/** The usage of metered items since their last invoice; nothing without usage. */
function usedLines(context: Context, row: SubscriptionRow): LineDraft[] {
  if (row.status === 'trialing') return []
  return row.items
    .filter((item) => priceFacts(context, item.price).metered)
    .map((item) => usageLine(context, row, item, context.now))
    .filter((line) => line.amount !== 0)
}

/** Credits the unused rest of each item's period as pending items. */
function creditUnused(context: Context, row: SubscriptionRow, at: number): void {
  for (const item of row.items) {
    const period = { start: at, end: item.current_period_end }
    const amount = creditFor(context, row, item, period)
    if (amount === 0) continue
    const price = priceFacts(context, item.price)
    const id = context.newId('ii')
    context.table(invoiceItems).put(proration(context, { id, subscription: row, item, price, amount, period }))
  }
}

/** The final action of the account after the last failed attempt. */
export function giveUp(context: Context, id: string): void {
  const row = context.table(subscriptions).get(id)
  if (row === undefined || (row.status !== 'past_due' && row.status !== 'active')) return
  const { finally: last } = context.account.settings.dunning
  if (last === 'cancel') endSubscription(context, row, { how: 'unpaid' })
  else if (last === 'unpaid') {
    const unpaid = context.table(subscriptions).put({ ...row, status: 'unpaid' })
    context.emit(
      'customer.subscription.updated',
      () => renderSubscription(context, unpaid),
      () => renderSubscription(context, row),
    )
  }
}
