import type Stripe from 'stripe'
import { isMetered } from '../../live/metered.ts'
import { formatInstant, instant } from '../../core/instant.ts'
import { formatMoney } from '../../core/money.ts'
import { cancelledComment } from '../../live/marks.ts'
import { billedItems, readHold, readSource, recurrenceOf } from '../../live/source.ts'
import {
  hasBegun,
  endOfHold,
  endsByHold,
  hasHoldMark,
  isCancelledByUs,
  isHeld,
  isKept,
  isLapsed,
  isOnHold,
  isOver,
  isSettled,
  isStoppedAfterTrial,
  isUndone,
  paymentFailure,
  successorMark,
  settledAs,
} from '../../live/subscription.ts'
import { forecastInvoice } from '../../billing/amount.ts'
import type { LiveAccount } from '../../live/accounts.ts'
import { idOf } from '../../core/reference.ts'
import type { ExplainedSubscription } from './document.ts'

/** What each subscription of the person does now. */
export function subscriptionsIn(account: LiveAccount): readonly ExplainedSubscription[] {
  return account.subscriptions.map((one) => {
    const read = readSource(one, account.customers.get(idOf(one.customer)), account.prices, account.coupons)
    return {
      account: account.name,
      id: one.id,
      customer: idOf(one.customer),
      status: one.status,
      state: stateOf(one, account.name),
      items: itemsOf(read),
      next: read.next === null || read.ending !== null || isHeld(one) ? null : formatInstant(read.next),
    }
  })
}

function itemsOf(read: ReturnType<typeof readSource>): string[] {
  const billed = billedItems(read)
  return read.items.map(({ price, quantity }, at) => {
    const item = billed[at]
    const recurrence = recurrenceOf(price)
    const every =
      recurrence === null ? '' : ` every ${recurrence.count === 1 ? '' : `${recurrence.count} `}${recurrence.interval}`
    if (isMetered(price)) return `${price.id}: by usage${every}`
    const amount = item === undefined ? 0 : forecastInvoice([item], []).total
    return `${quantity ?? 1} × ${price.id}: ${formatMoney({ amount, currency: read.currency })}${every}`
  })
}

/** In words, from the status and the marks alone: the store plays no part. */
function stateOf(subscription: Stripe.Subscription, account: string): string {
  const from = successorMark(subscription)
  const continues = from === undefined ? '' : `, continues ${from}`
  if (isOver(subscription)) return `${endOf(subscription)}${continues}`
  const hold = readHold(subscription)
  const ends = endOfHold(subscription)
  if (endsByHold(subscription) && ends !== undefined)
    return `ends on ${formatInstant(instant(ends))}: it bills the usage until then, and the target bills from there on`
  if (isKept(subscription)) return `on hold${sinceOf(hold?.since)}: it collects nothing, because the target bills`
  if (isOnHold(subscription)) return `on hold${sinceOf(hold?.since)}: a move began and is not proven yet`
  if (hasHoldMark(subscription)) return 'marked as on hold, but it collects: the pause was removed outside Crossbill'
  return `${doesOf(subscription, account)}${endingOf(subscription)}${continues}`
}

function doesOf(subscription: Stripe.Subscription, account: string): string {
  if (!hasBegun(subscription)) return 'waits for its first payment'
  if (isStoppedAfterTrial(subscription)) return 'paused: its trial ended without a payment method'
  if (subscription.pause_collection !== null) return `collection is paused (${subscription.pause_collection.behavior})`
  const failure = paymentFailure(subscription)
  if (failure === 'retrying') return 'a payment failed, and Stripe tries again'
  if (failure === 'given up') return 'its payments failed, and Stripe gave up'
  return `${account} bills it`
}

function endingOf({ cancel_at: at, cancel_at_period_end: atEnd }: Stripe.Subscription): string {
  if (at !== null) return `, ends on ${formatInstant(instant(at))}`
  return atEnd ? ', ends with its period' : ''
}

function endOf(subscription: Stripe.Subscription): string {
  const { ended_at: at, cancellation_details: details } = subscription
  const when = at === null ? 'ended' : `ended on ${formatInstant(instant(at))}`
  const comment = details?.comment ?? ''
  if (isSettled(subscription)) return `${when}: settled, continues as ${settledAs(subscription) ?? ''}`
  if (isUndone(subscription)) return `${when}: its move was undone, and the old subscription bills again`
  if (isCancelledByUs(subscription))
    return `${when}: cancelled on request (inbox ${comment.slice(cancelledComment.length)})`
  if (isLapsed(subscription)) return `${when}: its payments failed`
  return `${when}: cancelled outside Crossbill${details?.reason == null ? '' : ` (${details.reason})`}`
}

function sinceOf(since: number | undefined): string {
  return since === undefined || since === 0 ? '' : ` since ${formatInstant(instant(since))}`
}
