import type Stripe from 'stripe'
import { markFrom, markProject } from './marks.ts'
import { isOver } from './subscription.ts'

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
    else if (!isOver(one)) others.set(from.slice(from.indexOf('/') + 1), owner)
  }
  return { own, others }
}
