import type Stripe from 'stripe'
import { markFrom, markProject } from './marks.ts'
import { isOver } from './subscription.ts'

/**
 * Successors of this project, and by old subscription the name of the other project whose successor lives: a subscriber
 * whom another project moved is that project's. A mark without a project is one of an earlier version, and ours.
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
