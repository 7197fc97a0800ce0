import type Stripe from 'stripe'
import { markFrom, markProject, oldIdOf } from './marks.ts'
import { isOver } from './subscription.ts'

/** Live successors in the target that another project made, by the old subscription's id. */
export function rivalsByOld(
  subscriptions: readonly Stripe.Subscription[],
  project: string | undefined,
): ReadonlyMap<string, readonly Stripe.Subscription[]> {
  const rivals = subscriptions.filter((one) => {
    const owner = one.metadata[markProject]
    return one.metadata[markFrom] !== undefined && owner !== undefined && owner !== (project ?? owner) && !isOver(one)
  })
  return Map.groupBy(rivals, ({ metadata }) => oldIdOf(metadata[markFrom]))
}

/**
 * Successors of this project; and, by old subscription, the name of another project whose successor
 * is alive. A subscriber that another project moved belongs to that project. A mark without a
 * project comes from an earlier version and counts as this project's.
 */
export function successorsByProject(
  subscriptions: readonly Stripe.Subscription[],
  project: string | undefined,
): { readonly own: readonly Stripe.Subscription[]; readonly others: ReadonlyMap<string, string> } {
  const own: Stripe.Subscription[] = []
  const others = new Map<string, string>()
  for (const one of subscriptions) {
    const from = one.metadata[markFrom]
    if (from === undefined) continue
    const owner = one.metadata[markProject]
    if (owner === undefined || project === undefined || owner === project) own.push(one)
    else if (!isOver(one)) others.set(oldIdOf(from), owner)
  }
  return { own, others }
}
