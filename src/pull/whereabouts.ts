import type Stripe from 'stripe'
import type { Stage } from '../catalog/types.ts'
import { subscriberKey, type SubscriberKey } from '../core/address.ts'
import type { LiveAccount } from '../live/accounts.ts'
import { markFrom, markHold, settledComment } from '../live/marks.ts'
import { successorsByProject } from '../live/projects.ts'
import { sightNew, sightOld, standingOf } from '../live/sights.ts'
import { readHold } from '../live/source.ts'
import { isOver } from '../live/subscription.ts'

/** Where a subscriber of a source is who is no longer billed there alone. */
export type Whereabouts =
  | { readonly stage: Exclude<Stage, 'source'> }
  /** Another project has moved this subscriber. */
  | { readonly project: string }

/** Whether a project has ever had its hands on this subscription. */
export function isTouched({ metadata, cancellation_details: details }: Stripe.Subscription): boolean {
  return metadata[markHold] !== undefined || details?.comment?.startsWith(settledComment) === true
}

/** The stage in which everybody is who was moved, by the live objects and their marks; nobody else is in the map. */
export function whereaboutsOf(
  project: string,
  target: LiveAccount,
  sources: readonly LiveAccount[],
): ReadonlyMap<SubscriberKey, Whereabouts> {
  const { own, others } = successorsByProject(target.subscriptions, project)
  const successors = Map.groupBy(own, (one) => one.metadata[markFrom] ?? '')
  return new Map(
    sources.flatMap(({ name, subscriptions }) =>
      subscriptions.flatMap((old) => {
        const key = subscriberKey(name, old.id)
        const found = whereIs(old, { successors: successors.get(key) ?? [], project, others })
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
  const sight = sightOld(old)
  const there = sightNew(successors)
  if (sight === 'unreadable' || there === 'unreadable') return undefined
  const standing = standingOf(sight, there)
  if (standing === 'settled') return { stage: 'settled' }
  // Half-way, too, the new one is meant when it lives.
  return there === 'live' || there === 'several' || standing === 'ended_in_target' ? { stage: 'target' } : undefined
}
