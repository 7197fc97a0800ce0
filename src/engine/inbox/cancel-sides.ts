import { splitSubscriberKey, type SubscriberKey } from '../../core/address.ts'
import type { StripeObject } from '../../core/json.ts'
import { failed, success, type Outcome } from '../../core/outcome.ts'
import { endsByHold, hasHoldMark, isCancelledByUs, isOver } from '../../live/subscription.ts'
import type { StripeAccount } from '../ports.ts'
import { collectAllAgain, stopCarried } from '../send/collection.ts'
import { cancelSubscription, ownCancel, type CancelWork } from './cancel.ts'
import type { InboxContext } from './context.ts'
import type { ReadSides } from './live-sides.ts'
import type { Payer } from './payer.ts'
import { leaseLost, type RowWork } from './row-work.ts'

/** A subscription as the answer to its cancel shows it. */
export interface Cancelled {
  readonly account: StripeAccount
  readonly subscription: StripeObject
}

/**
 * Collects the customer's other invoices again, which a cancel stopped: a cancel of this try, or of
 * an earlier one that crashed before it restored them. A debt that was carried for the member is
 * stopped.
 */
export async function restoreAll(
  context: InboxContext,
  { id: row }: RowWork,
  { old, oldAccount, successors }: ReadSides,
  cancelled: readonly Cancelled[],
): Promise<Outcome<true>> {
  const known = new Map<string, Cancelled>()
  for (const one of successors) known.set(one.id ?? '', { account: context.accounts.target, subscription: one })
  if (old !== undefined && oldAccount !== undefined) known.set(old.id ?? '', { account: oldAccount, subscription: old })
  for (const one of cancelled) known.set(one.subscription.id ?? '', one)
  const isGone = [...known.values()].every(({ subscription }) => isOver(subscription))
  for (const [id, { account, subscription }] of known) {
    if (!isOver(subscription)) continue
    const cancel = ownCancel({ row, account, subscription: id }, subscription)
    const restored = await collectAllAgain(context, cancel)
    if (!restored.ok) return restored
    const stopped = isGone && isCancelledByUs(subscription) ? await stopCarried(context, cancel) : success(true)
    if (!stopped.ok) return stopped
  }
  return success(true)
}

/** Ends the subscription that bills the member, before anything else is read. */
export async function cancelPayer(
  context: InboxContext,
  work: RowWork,
  { account, subscription: seen }: Payer,
  subscriber: SubscriberKey,
): Promise<Outcome<true>> {
  const cancel = { row: work.id, account, subscription: seen.id ?? '', seen, when: context.policy.cancel }
  const cancelled = await cancelOne(context, work, cancel, subscriber)
  if (!cancelled.ok) return cancelled
  return (await confirmed(context, work)) ? success(true) : failed(leaseLost)
}

export async function cancelSides(
  context: InboxContext,
  work: RowWork,
  both: ReadSides,
  decision: { readonly subscriber: SubscriberKey; readonly new: readonly string[]; readonly old: boolean },
): Promise<Outcome<readonly Cancelled[]>> {
  const { subscriber } = decision
  const isHeldOld = both.old !== undefined && hasHoldMark(both.old) && both.successors.length > 0
  const isEnding = both.old !== undefined && endsByHold(both.old)
  const common = { row: work.id }
  const all: Cancelled[] = []
  const cancels: CancelWork[] = decision.new.map((subscription) => ({
    ...common,
    account: context.accounts.target,
    subscription,
    seen: both.successors.find(({ id }) => id === subscription),
    when: context.policy.cancel,
  }))
  if (decision.old && both.oldAccount !== undefined)
    cancels.push({
      ...common,
      account: both.oldAccount,
      subscription: splitSubscriberKey(subscriber).subscription,
      seen: both.old,
      // A held subscription bills nothing, so its period end has no meaning. One that our hold lets
      // end bills its usage, as every other.
      when: !isEnding && (decision.new.length > 0 || isHeldOld) ? 'now' : context.policy.cancel,
    })
  for (const cancel of cancels) {
    const cancelled = await cancelOne(context, work, cancel, subscriber)
    if (!cancelled.ok) return cancelled
    all.push({ account: cancel.account, subscription: cancelled.value })
  }
  return (await confirmed(context, work)) ? success(all) : failed(leaseLost)
}

async function cancelOne(
  context: InboxContext,
  work: RowWork,
  cancel: CancelWork,
  subscriber: SubscriberKey,
): Promise<Outcome<StripeObject>> {
  if (!(await work.note({ event: 'verified' }, { subscriber }))) return failed(leaseLost)
  const cancelled = await cancelSubscription(context, cancel)
  const { name: account } = cancel.account
  const level = cancelled.ok ? 'info' : 'warn'
  const outcome = cancelled.ok ? 'confirmed' : cancelled.failure.kind
  // By this id Stripe's log of requests finds what the line is about.
  const request = cancelled.ok ? cancelled.requestId : cancelled.failure.requestId
  context.log({ level, event: 'stripe_cancel', id: work.id, account, outcome, ...(request && { request }) })
  return cancelled
}

/**
 * Notes that nothing bills the member any more. What follows cannot charge, and may wait for
 * Kajabi. False when another worker has the row.
 */
async function confirmed(context: InboxContext, work: RowWork): Promise<boolean> {
  context.unbilled?.(work.id)
  if (work.facts['confirmed'] === true) return true
  context.log({ level: 'info', event: 'stripe_confirmed', id: work.id, source: work.signal.source })
  return work.note({ event: 'verified' }, { confirmed: true })
}
