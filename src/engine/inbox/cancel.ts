import { hasRunningPeriod, isOver } from '../../live/subscription.ts'
import { digest } from '../../core/canonical.ts'
import { isJsonObject, type StripeObject } from '../../core/json.ts'
import { success, type Outcome } from '../../core/outcome.ts'
import { cancelledComment } from '../../live/marks.ts'
import { perform, read } from '../send/perform.ts'
import type { StripeAccount } from '../ports.ts'
import type { InboxContext } from './context.ts'
import { listed } from '../send/listed.ts'

/** One subscription to cancel in one account for one inbox row. */
export interface CancelWork {
  readonly row: string
  readonly subscriber: string
  readonly account: StripeAccount
  readonly subscription: string
  readonly customer: string
  /** The subscription as an earlier read returned it; undefined without an earlier read. */
  readonly seen: StripeObject | undefined
  /** A held subscription cannot charge, so it is cancelled now whatever the policy says. */
  readonly when: 'now' | 'period_end'
}

/**
 * A separate kind of address: the inbox finishes the cancels it begins, and the recovery of moves
 * does not touch them.
 */
function addressOf({ row }: Pick<CancelWork, 'row'>): string {
  return `inbox.${row}`
}

/**
 * Finalized invoices of the customer that are being collected and belong to other subscriptions.
 * Cancelling stops the collection of all of them (the SDK's `subscriptions.cancel`), so they are
 * recorded first and restored afterwards.
 */
export async function invoicesToRestore(work: CancelWork): Promise<Outcome<readonly string[]>> {
  const open = await listed(
    work.account,
    '/v1/invoices',
    { customer: work.customer, status: 'open' },
    'invoices_unreadable',
  )
  if (!open.ok) return open
  return success(
    open.value
      .filter((invoice) => willBeCollected(invoice) && subscriptionOf(invoice) !== work.subscription)
      .flatMap(({ id }) => id ?? []),
  )
}

/** The subscription of an invoice. Since the basil API version it is below `parent`. */
function subscriptionOf(invoice: StripeObject): string | undefined {
  const { parent } = invoice
  const details = isJsonObject(parent) ? parent['subscription_details'] : undefined
  const subscription = isJsonObject(details) ? details['subscription'] : undefined
  if (typeof subscription === 'string') return subscription
  return isJsonObject(subscription) && typeof subscription['id'] === 'string' ? subscription['id'] : undefined
}

/**
 * Cancels a subscription and confirms it from Stripe's answer. Stripe answers 404 for a cancelled
 * subscription, so a re-read decides whether it is done; the marker identifies Crossbill's own
 * cancel. Nothing is prorated or invoiced.
 *
 * | the subscription                           | then                                      |
 * | ------------------------------------------ | ----------------------------------------- |
 * | belongs to a schedule                      | released first: Stripe refuses otherwise  |
 * | joined a schedule after our read           | refused; read again, released, cancelled  |
 * | to end at period end; paused or incomplete | cancelled now: its period would never end |
 * | to end at period end; ends by then anyway  | left unchanged                            |
 * | ended in the meantime                      | done                                      |
 */
export async function cancelSubscription(context: InboxContext, work: CancelWork): Promise<Outcome<StripeObject>> {
  let { seen } = work
  for (let turn = 0; ; turn++) {
    if (seen === undefined) {
      const now = await read(context, work.account, pathOf(work))
      if (!now.ok) return now
      seen = now.value
    }
    const outcome = await endSeen(context, work, seen)
    if (outcome.ok || outcome.failure.kind !== 'rejected') return outcome
    // Another client may have ended it, or put it under a schedule, between our read and our
    // request.
    const now = await read(context, work.account, pathOf(work))
    if (!now.ok) return outcome
    if (done(now.value, whenOf(work, now.value))) return now
    if (turn > 0 || scheduleOf(now.value) === scheduleOf(seen)) return outcome
    seen = now.value
  }
}

function pathOf({ subscription }: CancelWork): string {
  return `/v1/subscriptions/${subscription}`
}

async function endSeen(context: InboxContext, work: CancelWork, seen: StripeObject): Promise<Outcome<StripeObject>> {
  const when = whenOf(work, seen)
  if (when === 'period_end' && done(seen, when)) return success(seen)
  const released = await release(context, work, scheduleOf(seen))
  if (!released.ok) return released
  const path = pathOf(work)
  const comment = `${cancelledComment}${work.row}`
  const request =
    when === 'now'
      ? { method: 'DELETE' as const, params: { invoice_now: false, prorate: false, cancellation_details: { comment } } }
      : { method: 'POST' as const, params: { cancel_at_period_end: true, cancellation_details: { comment } } }
  return perform(context, {
    address: addressOf(work),
    step: `cancel ${work.account.name} ${work.subscription}`,
    account: work.account,
    path,
    ...request,
    key: digest([work.row, work.account.id, work.subscription, when]),
    find: async () => {
      const now = await read(context, work.account, path)
      if (!now.ok) return now
      return success(done(now.value, when) ? now.value : undefined)
    },
  })
}

/**
 * Releases the subscription from its schedule, which leaves it as its current phase made it. The
 * cancel follows at once and carries our marker, which the cancel of a schedule cannot carry.
 */
async function release(
  context: InboxContext,
  work: CancelWork,
  schedule: string | undefined,
): Promise<Outcome<StripeObject | undefined>> {
  if (schedule === undefined) return success(undefined)
  const path = `/v1/subscription_schedules/${schedule}`
  const isOver = async (): Promise<Outcome<StripeObject | undefined>> => {
    const now = await read(context, work.account, path)
    if (!now.ok) return now
    const { status } = now.value
    return success(status === 'active' || status === 'not_started' ? undefined : now.value)
  }
  const outcome = await perform(context, {
    address: addressOf(work),
    step: `release ${work.account.name} ${schedule}`,
    account: work.account,
    method: 'POST',
    path: `${path}/release`,
    params: {},
    key: digest([work.row, work.account.id, schedule, 'release']),
    find: isOver,
  })
  if (outcome.ok || outcome.failure.kind !== 'rejected') return outcome
  const over = await isOver()
  return over.ok && over.value !== undefined ? over : outcome
}

function scheduleOf({ schedule }: StripeObject): string | undefined {
  const id = isJsonObject(schedule) ? schedule['id'] : schedule
  return typeof id === 'string' ? id : undefined
}

/**
 * A paused subscription's period does not end, and an incomplete subscription's period has not
 * begun.
 */
function whenOf({ when }: CancelWork, subscription: StripeObject): CancelWork['when'] {
  return hasRunningPeriod(subscription) ? when : 'now'
}

function done(subscription: StripeObject, when: CancelWork['when']): boolean {
  if (isOver(subscription)) return true
  if (when === 'now') return false
  const { cancel_at: at } = subscription
  const end = periodEndOf(subscription)
  return subscription['cancel_at_period_end'] === true || (typeof at === 'number' && end !== undefined && at <= end)
}

/** The end of the running period. Since the basil API version each item carries it. */
function periodEndOf(subscription: StripeObject): number | undefined {
  const { items } = subscription
  const data = isJsonObject(items) && Array.isArray(items['data']) ? items['data'].filter(isJsonObject) : []
  const ends = data.map((item) => item['current_period_end']).filter((end) => typeof end === 'number')
  return ends.length === 0 ? undefined : Math.min(...ends)
}

/** Resumes the collection of the recorded invoices. Safe to repeat. */
export async function restoreCollection(
  context: InboxContext,
  work: Pick<CancelWork, 'row' | 'account'>,
  invoices: readonly string[],
): Promise<Outcome<true>> {
  for (const invoice of invoices) {
    const now = await read(context, work.account, `/v1/invoices/${invoice}`)
    if (!now.ok) return now
    // Paid or voided in the meantime: nothing to collect.
    if (now.value['status'] !== 'open' || now.value['auto_advance'] === true) continue
    const outcome = await perform(context, {
      address: addressOf(work),
      step: `collect ${work.account.name} ${invoice}`,
      account: work.account,
      method: 'POST',
      path: `/v1/invoices/${invoice}`,
      params: { auto_advance: true },
      key: digest([work.row, work.account.id, invoice, 'collect']),
    })
    if (!outcome.ok) return outcome
  }
  return success(true)
}

/**
 * True when a further attempt is scheduled. An invoice without one has been given up or has a
 * payment in flight; resuming its collection could charge it twice.
 */
function willBeCollected(invoice: StripeObject): boolean {
  // Stripe never charges a sent invoice by itself; it sends reminders.
  const goesOn = (invoice['next_payment_attempt'] ?? null) !== null || invoice['collection_method'] === 'send_invoice'
  return invoice['auto_advance'] === true && goesOn
}
