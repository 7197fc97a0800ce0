import type Stripe from 'stripe'
import type { SubscriberKey } from '../../core/address.ts'
import { subscriberKey } from '../../core/address.ts'
import type { DesiredSubscriber } from '../../catalog/types.ts'
import { markFrom, settledComment, undoneComment } from '../../live/marks.ts'
import { successorsByProject } from '../../live/projects.ts'
import { isOver, readHold } from '../../live/source.ts'
import type { Live } from '../../live/accounts.ts'

/** One subscriber seen from both sides, from the live objects and their marks alone: neither the store nor the YAML is asked who bills. */
export interface Sides {
  readonly key: SubscriberKey
  readonly source: string
  readonly declared: DesiredSubscriber | undefined
  readonly old: Stripe.Subscription | undefined
  /** Everything in the target that carries this subscriber's mark, newest first, cancelled ones too. */
  readonly successors: readonly Stripe.Subscription[]
  readonly alive: readonly Stripe.Subscription[]
  /** Another project moved this subscriber: only what both may charge is ours to see. */
  readonly movedBy?: string | undefined
}

/** `project`: the own name; without it every successor counts as an own one. Everybody: declared, live in a source, or marked in the target. */
export function sidesOf(live: Live, declared: readonly DesiredSubscriber[], project?: string): readonly Sides[] {
  const { own, others } = successorsByProject(live.target.subscriptions, project)
  const marked = Map.groupBy(own, (one) => one.metadata[markFrom] ?? '')
  const wanted = new Map(declared.map((one) => [one.key, one]))
  const olds = new Map<SubscriberKey, { source: string; old: Stripe.Subscription }>()
  for (const [source, account] of live.sources)
    for (const old of account.subscriptions) olds.set(subscriberKey(source, old.id), { source, old })
  const keys = new Set<SubscriberKey>([...wanted.keys(), ...olds.keys()])
  return [...keys].map((key) => {
    const successors = (marked.get(key) ?? []).toSorted((a, b) => b.created - a.created)
    const old = olds.get(key)?.old
    const holder = old === undefined ? undefined : readHold(old)?.project
    const other = old === undefined || successors.length > 0 ? undefined : others.get(old.id)
    return {
      movedBy: holder === undefined || holder === project ? other : holder,
      key,
      source: wanted.get(key)?.source ?? olds.get(key)?.source ?? '',
      declared: wanted.get(key),
      old: olds.get(key)?.old,
      successors,
      alive: successors.filter((one) => !isOver(one)),
    }
  })
}

/** Whether this subscription will charge at its next renewal: alive, and nothing holds its collection. */
export function collects(subscription: Stripe.Subscription | undefined): boolean {
  if (subscription === undefined || isOver(subscription)) return false
  return subscription.pause_collection === null && !['paused', 'incomplete'].includes(subscription.status)
}

export function isHeld(subscription: Stripe.Subscription | undefined): boolean {
  return subscription !== undefined && !isOver(subscription) && readHold(subscription) !== null
}

/** Cancelled by a settle of ours. */
export function isSettled({ cancellation_details: details }: Stripe.Subscription): boolean {
  return details?.comment?.startsWith(settledComment) ?? false
}

/** Cancelled by an undo or revert of ours: as if it had never been. */
export function isUndone({ cancellation_details: details }: Stripe.Subscription): boolean {
  return details?.comment?.startsWith(undoneComment) ?? false
}

/** Ended by dunning, not by a person. */
export function isLapsed({ cancellation_details: details }: Stripe.Subscription): boolean {
  return details?.reason === 'payment_failed'
}

/** When the next charge is due; undefined for one that is over or has no items. */
export function nextCharge(subscription: Stripe.Subscription): number | undefined {
  if (isOver(subscription)) return undefined
  if (subscription.status === 'trialing' && subscription.trial_end !== null) return subscription.trial_end
  const ends = subscription.items.data.map((item) => item.current_period_end)
  return ends.length === 0 ? undefined : Math.min(...ends)
}
