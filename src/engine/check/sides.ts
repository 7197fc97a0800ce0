import { hasBegun, isAlive, isOver, runningTrialEnd } from '../../live/subscription.ts'
import type Stripe from 'stripe'
import type { SubscriberKey } from '../../core/address.ts'
import { subscriberKey } from '../../core/address.ts'
import type { DesiredSubscriber } from '../../catalog/types.ts'
import { markFrom, oldIdOf } from '../../live/marks.ts'
import { rivalsByOld, successorsByProject } from '../../live/projects.ts'
import { readHold } from '../../live/source.ts'
import { homesOf, isMisplaced, type Live } from '../../live/accounts.ts'

/**
 * One subscriber as both accounts show them. Only the live objects and their marks decide who
 * bills, not the store or the YAML.
 */
export interface Sides {
  readonly key: SubscriberKey
  readonly source: string
  readonly declared: DesiredSubscriber | undefined
  readonly old: Stripe.Subscription | undefined
  /**
   * Every subscription in the target with this subscriber's mark, newest first, including cancelled
   * ones.
   */
  readonly successors: readonly Stripe.Subscription[]
  readonly alive: readonly Stripe.Subscription[]
  /**
   * Another project moved this subscriber: Crossbill checks only whether both accounts may charge.
   */
  readonly movedBy?: string | undefined
}

/**
 * Every subscriber: declared, live in a source, or marked in the target. `project` is this
 * project's name; without it, every successor counts as this project's own.
 */
export function sidesOf(live: Live, declared: readonly DesiredSubscriber[], project?: string): readonly Sides[] {
  const { own: ours, others } = successorsByProject(live.target.subscriptions, project)
  const rivals = rivalsByOld(live.target.subscriptions, project)
  const marked = Map.groupBy(ours, (one) => oldIdOf(one.metadata[markFrom]))
  const wanted = new Map(declared.map((one) => [one.key, one]))
  const olds = new Map<SubscriberKey, { source: string; old: Stripe.Subscription }>()
  for (const [source, account] of live.sources)
    for (const old of account.subscriptions) olds.set(subscriberKey(source, old.id), { source, old })
  const homes = homesOf(live)
  const keys = new Set<SubscriberKey>([...wanted.keys(), ...olds.keys()])
  return [...keys].map((key) => {
    const entry = wanted.get(key)
    // A misplaced entry declares a subscriber who does not exist; the successor is another's.
    const own = entry !== undefined && isMisplaced(entry, homes) ? [] : (marked.get(oldIdOf(key)) ?? [])
    const successors = own.toSorted((a, b) => b.created - a.created)
    const old = olds.get(key)?.old
    const holder = old === undefined ? undefined : readHold(old)?.project
    const other = old === undefined || successors.length > 0 ? undefined : others.get(old.id)
    return {
      movedBy: holder === undefined || holder === project ? other : holder,
      key,
      source: entry?.source ?? olds.get(key)?.source ?? '',
      declared: entry,
      old: olds.get(key)?.old,
      successors,
      // Two projects that each moved the subscriber both bill: neither may count only its own.
      alive: [
        ...successors.filter(isAlive),
        ...(successors.some(isAlive) && old !== undefined ? (rivals.get(old.id) ?? []).filter(isAlive) : []),
      ],
    }
  })
}

/**
 * Whether it counts as a subscriber: a declared one who exists, or one who should be declared. A
 * plan counts the same subscribers, apart from those who are not declared.
 */
export function isSubscriber({ declared, old, successors, movedBy }: Sides): boolean {
  if (declared !== undefined) return old !== undefined || successors.length > 0
  return movedBy === undefined && old !== undefined && (hasBegun(old) || successors.some(isAlive))
}

/** When the next charge is due; undefined for a subscription that has ended or has no items. */
export function nextCharge(subscription: Stripe.Subscription): number | undefined {
  if (isOver(subscription)) return undefined
  const trialEnd = runningTrialEnd(subscription)
  if (trialEnd !== null) return trialEnd
  const ends = subscription.items.data.map((item) => item.current_period_end)
  return ends.length === 0 ? undefined : Math.min(...ends)
}
