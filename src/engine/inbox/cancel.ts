import { hasRunningPeriod, isOver, successorMark } from '../../live/subscription.ts'
import { subscriberKey } from '../../core/address.ts'
import { digest } from '../../core/canonical.ts'
import { idOf } from '../../core/reference.ts'
import { isJsonObject, objectIn, objectsIn, type StripeObject } from '../../core/json.ts'
import { success, type Outcome } from '../../core/outcome.ts'
import { cancelledComment } from '../../live/marks.ts'
import { billsUsage } from '../../live/metered.ts'
import { noteCollection, type OwnCancel } from '../send/collection.ts'
import { listed } from '../send/listed.ts'
import { perform, read } from '../send/perform.ts'
import type { StripeAccount } from '../ports.ts'
import type { InboxContext } from './context.ts'

/** One subscription to cancel in one account for one inbox row. */
export interface CancelWork {
  readonly row: string
  readonly account: StripeAccount
  readonly subscription: string
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

/** The cancel as the marks on the customer's other invoices name it. */
export function ownCancel(
  work: Pick<CancelWork, 'row' | 'account' | 'subscription'>,
  subscription: StripeObject,
): OwnCancel {
  const { account, row } = work
  // Two accounts may know the same person under different customers.
  const customer = idOf(subscription['customer']) ?? ''
  const leaver = successorMark(subscription) ?? subscriberKey(account.name, work.subscription)
  const key = [row, work.subscription]
  return { address: addressOf(work), account, customer, subscription: work.subscription, key, leaver }
}

/**
 * Cancels a subscription and confirms it from Stripe's answer. Stripe answers 404 for a cancelled
 * subscription, so a re-read decides whether it is done; the marker identifies Crossbill's own
 * cancel. Nothing is prorated, and nothing is invoiced but usage, and that only where the invoice
 * would have nothing else. A cancel at once stops the collection of the customer's other invoices,
 * so those are marked before it.
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
    // Without this reading, the refusal may only mean that our earlier request was carried out
    // late.
    if (!now.ok) return now
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
  const asked =
    when === 'now' && billsUsage(seen['items']) ? await billsUsageAlone(context, work, seen) : success(false)
  if (!asked.ok) return asked
  const usage = asked.value
  const noted = when === 'now' ? await noteCollection(context, ownCancel(work, seen), 'others') : success(true)
  if (!noted.ok) return noted
  const path = pathOf(work)
  const comment = `${cancelledComment}${work.row}`
  const request =
    when === 'now'
      ? {
          method: 'DELETE' as const,
          params: { invoice_now: usage, prorate: false, cancellation_details: { comment } },
        }
      : { method: 'POST' as const, params: { cancel_at_period_end: true, cancellation_details: { comment } } }
  return perform(context, {
    address: addressOf(work),
    step: `cancel ${work.account.name} ${work.subscription}`,
    account: work.account,
    path,
    ...request,
    key: digest([work.row, work.account.id, work.subscription, when, ...(usage ? ['usage'] : [])]),
    find: async () => {
      const now = await read(context, work.account, path)
      if (!now.ok) return now
      return success(done(now.value, when) ? now.value : undefined)
    },
  })
}

/**
 * Whether the cancel may bill the usage that no invoice has billed; nothing would bill it
 * afterwards. A final invoice also has the customer's pending invoice items
 * (https://docs.stripe.com/api/subscriptions/cancel), and a member who cancels is not charged for
 * those: with one of them, the usage is left unbilled, and a person learns of it.
 */
async function billsUsageAlone(
  context: InboxContext,
  { row, account, subscription }: CancelWork,
  { customer }: StripeObject,
): Promise<Outcome<boolean>> {
  const items = await listed(
    account,
    '/v1/invoiceitems',
    { customer: idOf(customer), pending: true },
    'items_unreadable',
  )
  if (!items.ok) return items
  if (items.value.length === 0) return success(true)
  const ids = items.value.map(({ id }) => id ?? '').join(', ')
  context.log({ level: 'warn', event: 'usage_not_billed', id: row, account: account.name, subscription, items: ids })
  context.alert({
    key: `usage_not_billed ${subscription}`,
    severity: 'warning',
    summary: `the usage of ${subscription} in ${account.name} up to its cancel is not billed: the invoice for it would also have charged the pending items ${ids}. Whether the usage is owed is for a person to decide; if it is, bill it by an invoice of its own in the Dashboard`,
    fix: `crossbill inbox show ${row}`,
  })
  return success(false)
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
  return over.ok && over.value === undefined ? outcome : over
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
  const data = objectsIn(objectIn(items)['data'])
  const ends = data.map((item) => item['current_period_end']).filter((end) => typeof end === 'number')
  return ends.length === 0 ? undefined : Math.min(...ends)
}
