import { isServiceEndpoint, serviceEndpoint } from '../../catalog/service-endpoint.ts'
import type Stripe from 'stripe'
import { isCurrent, paymentFailure } from '../../live/subscription.ts'
import { markFrom } from '../../live/marks.ts'
import type { Context } from '../context.ts'
import { hearsSubscriptionsEnd } from '../read/old-doors.ts'
import { listAll } from '../read/lists.ts'
import type { Survey } from './survey.ts'

/** Below this many first renewals, a rate has no meaning. */
const enough = 10

/**
 * By how many percentage points more first renewals are declined in the target than in the sources.
 * Zero while there are too few to compare.
 */
export function declinesExcess({ live }: Pick<Survey, 'live'>): number {
  const renewed = live.target.subscriptions.filter(
    (one) =>
      one.metadata[markFrom] !== undefined && typeof one.latest_invoice === 'object' && one.latest_invoice !== null,
  )
  if (renewed.length < enough) return 0
  const declined = renewed.filter((one) => isFailing(one)).length
  const old = [...live.sources.values()].flatMap((source) =>
    source.subscriptions.filter((one) => isCurrent(one) || isFailing(one)),
  )
  const own = old.length === 0 ? 0 : old.filter((one) => isFailing(one)).length / old.length
  return Math.max(0, Math.round(100 * (declined / renewed.length - own)))
}

function isFailing(subscription: Stripe.Subscription): boolean {
  return paymentFailure(subscription) !== undefined
}

/**
 * Enabled endpoints, by source, that receive the end of old subscriptions, other than the cancel
 * service's own. An old integration behind one would revoke access when they are settled.
 */
export async function enabledOldWebhooks({
  accounts,
  catalog,
}: Pick<Context, 'accounts' | 'catalog'>): Promise<ReadonlyMap<string, number>> {
  const counts = await Promise.all(
    [...accounts.sources.values()].map(async (account) => {
      const service = serviceEndpoint(catalog, account.name)
      const endpoints = await listAll(account, '/v1/webhook_endpoints', {})
      const old = endpoints.filter((one) => hearsSubscriptionsEnd(one) && !isServiceEndpoint(service, one))
      return [account.name, old.length] as const
    }),
  )
  return new Map(counts.filter(([, count]) => count > 0))
}
