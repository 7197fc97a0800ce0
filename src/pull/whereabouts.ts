import type Stripe from 'stripe'
import type { Stage } from '../catalog/types.ts'
import { subscriberKey, type SubscriberKey } from '../core/address.ts'
import type { LiveAccount } from '../live/accounts.ts'
import { markFrom, markHold, oldIdOf } from '../live/marks.ts'
import { successorsByProject } from '../live/projects.ts'
import { observeNew, observeOld, standingOf } from '../live/observations.ts'
import { readHold } from '../live/source.ts'
import { isOver, isSettled } from '../live/subscription.ts'

/** Where a subscriber is who is not billed by the source alone. */
export type Whereabouts =
  | { readonly stage: Exclude<Stage, 'source'> }
  /** Another project moved this subscriber. */
  | { readonly project: string }

/** Whether a project has ever written to this subscription. */
export function isTouched(subscription: Stripe.Subscription): boolean {
  return subscription.metadata[markHold] !== undefined || isSettled(subscription)
}

/**
 * The stage of each moved subscriber, by the live objects and their marks. Other subscribers are
 * not in the map.
 */
export function whereaboutsOf(
  project: string,
  target: LiveAccount,
  sources: readonly LiveAccount[],
): ReadonlyMap<SubscriberKey, Whereabouts> {
  const { own, others } = successorsByProject(target.subscriptions, project)
  const successors = Map.groupBy(own, (one) => oldIdOf(one.metadata[markFrom]))
  return new Map(
    sources.flatMap(({ name, subscriptions }) =>
      subscriptions.flatMap((old) => {
        const key = subscriberKey(name, old.id)
        const found = whereIs(old, { successors: successors.get(old.id) ?? [], project, others })
        return found === undefined ? [] : [[key, found] as const]
      }),
    ),
  )
}

interface Around {
  readonly successors: readonly Stripe.Subscription[]
  readonly project: string
  readonly others: ReadonlyMap<string, string>
}

function whereIs(old: Stripe.Subscription, { successors, project, others }: Around): Whereabouts | undefined {
  const holder = readHold(old)?.project
  const other = holder === undefined || holder === project ? others.get(old.id) : holder
  if (other !== undefined && successors.length === 0) return isOver(old) ? undefined : { project: other }
  const observation = observeOld(old)
  const there = observeNew(successors, old)
  if (observation === 'unreadable' || there === 'unreadable') return undefined
  const standing = standingOf(observation, there)
  if (standing === 'settled') return { stage: 'settled' }
  // Also during a hand-over, a live new subscription means the stage target.
  return there === 'live' || there === 'several' || standing === 'ended_in_target' ? { stage: 'target' } : undefined
}
