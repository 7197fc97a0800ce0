// A subscription on the clock: trials end, periods renew, pauses and cancellations become due.
import { instant } from '../../../core/instant.ts'
import type { Context } from '../../kernel/context.ts'
import type { Cadence, Period } from './calendar.ts'
import {
  finalize,
  keepInvoice,
  markUncollectible,
  openDraft,
  spendOnce,
  tellInvoice,
  voidInvoice,
} from './collecting.ts'
import { composeInvoice, pendingFor } from './composing.ts'
import { withoutSpent } from './discounts.ts'
import { incompleteSeconds } from './dunning.ts'
import { endSubscription } from './ending.ts'
import { renderSubscription } from '../subscription-view.ts'
import { fullPeriod, itemLine, usageLine } from './lines.ts'
import { customerFacts, priceFacts } from './lookups.ts'
import { payingMethod } from './paying.ts'
import {
  invoiceItems,
  invoices,
  paymentIntents,
  subscriptions,
  type InvoiceRow,
  type ItemRow,
  type SubscriptionRow,
} from './rows.ts'
import { changeSubscription } from './standing.ts'
import { nextPending } from './terms.ts'
import type { LineDraft } from './totals.ts'

/** The instant of the next automatic event of a subscription; null without one. */
function nextWake(row: SubscriptionRow): number | null {
  if (row.status === 'canceled' || row.status === 'incomplete_expired') return null
  if (row.status === 'incomplete') return row.created + incompleteSeconds
  const times = row.status === 'paused' ? [] : row.items.map((item) => item.current_period_end)
  if (row.cancel_at !== null) times.push(row.cancel_at)
  if (row.next_pending !== null && row.status !== 'paused') times.push(row.next_pending)
  const resumes = row.pause_collection?.resumes_at
  if (resumes !== null && resumes !== undefined) times.push(resumes)
  return times.length === 0 ? null : Math.min(...times)
}

/** Writes a subscription and schedules its next event. Populations use it as well. */
export function keepSubscription(context: Context, row: SubscriptionRow): SubscriptionRow {
  watch(context, row)
  watchTrial(context, row)
  return context.table(subscriptions).put(row)
}

/** Schedules the next event of a subscription, or removes it from the clock. */
export function watch(context: Context, row: SubscriptionRow): void {
  const at = nextWake(row)
  if (at !== null) context.schedule(instant(Math.max(at, context.now)), 'subscription.wake', row.id)
  else if (context.scheduled('subscription.wake', row.id) !== undefined) context.unschedule('subscription.wake', row.id)
}

const noticeSeconds = 3 * 86_400

/**
 * Emits the event that a trial will end: three days before, or at once for a shorter trial
 * (https://docs.stripe.com/billing/subscriptions/trials).
 */
function watchTrial(context: Context, row: SubscriptionRow): void {
  if (!context.world.keepEvents || row.status !== 'trialing' || row.trial_end === null) return
  context.schedule(instant(Math.max(context.now, row.trial_end - noticeSeconds)), 'subscription.trial_notice', row.id)
}

export function noticeOnTime(context: Context, id: string): void {
  const row = context.table(subscriptions).get(id)
  if (row?.status === 'trialing')
    context.emit('customer.subscription.trial_will_end', () => renderSubscription(context, row))
}

/** Called by the clock: does what is due, then schedules the next event. */
export function wake(context: Context, id: string): void {
  for (let row = context.table(subscriptions).get(id); row !== undefined; row = context.table(subscriptions).get(id)) {
    const at = nextWake(row)
    if (at === null || at > context.now) {
      watch(context, row)
      return
    }
    step(context, row)
  }
}

function step(context: Context, row: SubscriptionRow): void {
  const { now } = context
  if (row.status === 'incomplete') return expire(context, row)
  const resumes = row.pause_collection?.resumes_at
  if (resumes !== null && resumes !== undefined && resumes <= now) {
    changeSubscription(context, row, { ...row, pause_collection: null })
    return
  }
  const end = Math.min(...row.items.map((item) => item.current_period_end))
  const ends = row.cancel_at !== null && row.cancel_at <= now
  if (ends || (row.cancel_at_period_end && end <= now)) {
    endSubscription(context, row, { how: 'scheduled' })
    return
  }
  if (row.next_pending !== null && row.next_pending <= now && row.next_pending < end) return billPending(context, row)
  if (row.status === 'trialing' && row.trial_end !== null && row.trial_end <= now) return endTrial(context, row)
  renew(context, row, end)
}

/** Bills pending items between renewals, as `pending_invoice_item_interval` says. */
function billPending(context: Context, row: SubscriptionRow): void {
  const at = context.now
  const after = { ...row, next_pending: nextPending(context, row) }
  const pending = pendingFor(context, row)
  if (pending.length === 0) {
    context.table(subscriptions).put(after)
    return
  }
  const reason = 'automatic_pending_invoice_item_invoice'
  const period = { start: row.next_pending ?? at, end: at }
  const draft = composeInvoice(context, row, { id: context.newId('in'), reason, lines: [], pending, period, at })
  for (const item of pending) context.table(invoiceItems).put({ ...item, invoice: draft.id })
  changeSubscription(context, row, { ...after, latest_invoice: draft.id })
  collect(context, row, draft)
}

/** The first invoice stayed unpaid for 23 hours. */
function expire(context: Context, row: SubscriptionRow): void {
  const first = row.latest_invoice === null ? undefined : context.table(invoices).get(row.latest_invoice)
  const expired = { ...row, status: 'incomplete_expired', ended_at: context.now } as const
  changeSubscription(context, row, expired)
  if (first?.status === 'open') voidInvoice(context, first)
}

/**
 * The next period of an item from `start`: until its next boundary, or until an earlier
 * `cancel_at`.
 */
function periodFrom(row: SubscriptionRow, cadence: Cadence, start: number): { period: Period; whole: Period } {
  const whole = fullPeriod(row, cadence, start)
  const end = row.cancel_at !== null && row.cancel_at > start && row.cancel_at < whole.end ? row.cancel_at : whole.end
  return { period: { start, end }, whole }
}

function cadenceOf(context: Context, item: ItemRow): Cadence {
  return priceFacts(context, item.price).cadence ?? { interval: 'month', count: 1 }
}

/** What follows a period that ends at `at`. */
export interface Renewal {
  readonly after: SubscriptionRow
  readonly lines: readonly LineDraft[]
  readonly period: Period
}

export function planRenewal(context: Context, row: SubscriptionRow, at: number): Renewal {
  const lines: LineDraft[] = []
  const due = row.items.filter((item) => item.current_period_end === at)
  const next_pending =
    row.next_pending !== null && row.next_pending <= at ? nextPending(context, row) : row.next_pending
  const items = row.items.map((item) => {
    if (!due.includes(item)) return item
    const { period, whole } = periodFrom(row, cadenceOf(context, item), at)
    // A metered price bills usage at the end of its period; all other prices bill in advance.
    const metered = priceFacts(context, item.price).metered
    lines.push(metered ? usageLine(context, row, item, at) : itemLine(context, row, item, { period, whole, at }))
    return { ...item, current_period_start: period.start, current_period_end: period.end }
  })
  const start = Math.min(...due.map((item) => item.current_period_start))
  return { after: { ...row, items, next_pending }, lines, period: { start, end: at } }
}

function renew(context: Context, row: SubscriptionRow, at: number): void {
  bill(context, { before: row, ...planRenewal(context, row, at) })
}

interface Billing extends Renewal {
  readonly before: SubscriptionRow
}

/** Creates the invoice of a new period and writes the subscription after it. */
function bill(context: Context, billing: Billing): void {
  const { lines, period } = billing
  const after = located(context, billing.after)
  const pending = pendingFor(context, after)
  const at = period.end
  const draft = composeInvoice(context, after, {
    id: context.newId('in'),
    reason: 'subscription_cycle',
    lines,
    pending,
    period,
    at,
  })
  for (const item of pending) context.table(invoiceItems).put({ ...item, invoice: draft.id })
  changeSubscription(context, billing.before, withoutSpent(context, { ...after, latest_invoice: draft.id }, { at }))
  collect(context, after, draft)
  if (!context.world.keepEvents) forgetOld(context, after.id)
}

const kept = 4
const keptSeconds = 150 * 86_400

/**
 * A world without events keeps only the newest invoices of a subscription and those of the last
 * months, so that memory grows with the members and not with the months. The ledger of charges
 * stays complete.
 */
function forgetOld(context: Context, subscription: string): void {
  const table = context.table(invoices)
  if (table.count('subscription', subscription) <= kept) return
  for (const old of table.by('subscription', subscription).slice(0, -kept)) {
    if (old.created > context.now - keptSeconds) return
    if (old.status !== 'paid' && old.status !== 'void') continue
    table.delete(old.id)
    if (old.payment_intent !== null) context.table(paymentIntents).delete(old.payment_intent)
    for (const item of context.table(invoiceItems).by('invoice', old.id)) context.table(invoiceItems).delete(item.id)
  }
}

/**
 * An active subscription whose customer can no longer be located continues without automatic tax,
 * with the reason (`disabled_reason`). In other worlds its invoice cannot be finalized.
 */
function located(context: Context, row: SubscriptionRow): SubscriptionRow {
  if (!row.automatic_tax.enabled || customerFacts(context, row.customer).place !== null) return row
  if (context.world.unsure.tax_without_location === 'draft_stays') return row
  return { ...row, automatic_tax: { enabled: false, disabled_reason: 'requires_location_inputs' } }
}

/**
 * Handles a renewal invoice: it is a draft for an hour, or the pause decides
 * (https://docs.stripe.com/billing/subscriptions/pause-payment).
 */
function collect(context: Context, row: SubscriptionRow, draft: InvoiceRow): void {
  const behavior = row.pause_collection?.behavior
  if (row.status === 'unpaid' || behavior === 'keep_as_draft') {
    openDraft(context, { ...draft, auto_advance: false })
    return
  }
  if (behavior === undefined) {
    openDraft(context, draft)
    return
  }
  // Uncollectible: the balance is still applied, and pays the invoice if it suffices. Void: nothing
  // is taken from the balance.
  if (behavior === 'mark_uncollectible') {
    const kept = keepInvoice(context, { ...draft, auto_advance: false })
    tellInvoice(context, 'invoice.created', kept)
    const open = finalize(context, kept)
    if (open.status === 'open') markUncollectible(context, open)
    return
  }
  const closed = keepInvoice(context, {
    ...draft,
    auto_advance: false,
    finalized_at: context.now,
    ending_balance: draft.starting_balance,
    amount_due: Math.max(0, draft.total),
  })
  tellInvoice(context, 'invoice.created', closed)
  if (context.world.unsure.held_renewal_spends_once) spendOnce(context, closed)
  voidInvoice(context, closed)
}

/**
 * The end of a trial: bill, wait for the anchor, pause, or cancel
 * (https://docs.stripe.com/billing/subscriptions/trials).
 */
function endTrial(context: Context, row: SubscriptionRow): void {
  const at = row.trial_end ?? context.now
  const method = payingMethod(context, { customer: row.customer, subscription: row.id })
  if (row.collection_method === 'charge_automatically' && method === null && row.trial_missing !== 'create_invoice') {
    if (row.trial_missing === 'cancel') endSubscription(context, row, { how: 'scheduled' })
    else {
      const paused = { at, type: 'trial_end_without_payment_method' } as const
      const changed = changeSubscription(context, row, { ...row, status: 'paused', paused })
      context.emit('customer.subscription.paused', () => renderSubscription(context, changed))
    }
    return
  }
  const { free, ...next } = planTrialEnd(context, row)
  if (free) changeSubscription(context, row, next.after)
  else bill(context, { before: row, ...next })
}

/**
 * What follows a trial: a full period, or the part until a later anchor, which is free when the
 * creation asked for that.
 */
export function planTrialEnd(context: Context, row: SubscriptionRow): Renewal & { readonly free: boolean } {
  const at = row.trial_end ?? context.now
  const active: SubscriptionRow = { ...row, status: 'active' }
  const onAnchor = row.items.every((item) => fullPeriod(row, cadenceOf(context, item), at).start === at)
  const lines: LineDraft[] = []
  const free = !onAnchor && row.stub === 'none'
  const items = row.items.map((item) => {
    const { period, whole } = periodFrom(active, cadenceOf(context, item), at)
    if (!free) lines.push(itemLine(context, active, item, { period, whole, at }))
    return { ...item, current_period_start: period.start, current_period_end: period.end }
  })
  return { after: { ...active, items }, lines, free, period: { start: row.trial_start ?? row.start_date, end: at } }
}
