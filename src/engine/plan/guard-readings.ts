import { isServiceEndpoint, serviceEndpoint } from '../../catalog/service-endpoint.ts'
import type Stripe from 'stripe'
import { idOf } from '../../core/reference.ts'
import type { Live } from '../../live/accounts.ts'
import { setupFailure } from '../../live/setup.ts'
import { readPayment } from '../../live/source.ts'
import { isAlive, isCurrent, isUndone, paymentFailure, successorMark } from '../../live/subscription.ts'
import { markFrom, oldIdOf } from '../../live/marks.ts'
import type { Context } from '../context.ts'
import { hearsSubscriptionsEnd } from '../read/old-doors.ts'
import { listAll } from '../read/lists.ts'
import type { Survey } from './survey.ts'

/** Below this many first renewals, a rate has no meaning. */
export const enoughToCompare = 10

/**
 * By how many percentage points more first renewals are declined in the target than in the sources.
 * A payment method that Stripe could not set up is a decline that is known before the renewal. The
 * two rates are read separately, because the many subscriptions without a renewal would hide the
 * declined renewals. Zero while there are too few to compare.
 */
export function declinesExcess({ live }: Pick<Survey, 'live'>): number {
  return Math.max(renewalsExcess(live), setupsExcess(live))
}

/** Undone moves count as well: they show what the next moves would meet. */
function setupsExcess(live: Live): number {
  const tried = live.target.subscriptions.filter(
    (one) => successorMark(one) !== undefined && one.collection_method === 'charge_automatically',
  )
  const latest = [...Map.groupBy(tried, (one) => oldIdOf(successorMark(one))).values()].map((theirs) =>
    theirs.reduce((newest, one) => (one.created > newest.created ? one : newest)),
  )
  const known = latest.filter((one) => isAlive(one) || isUndone(one))
  if (known.length < enoughToCompare) return 0
  const failed = known.filter((one) => {
    const customer = live.target.customers.get(idOf(one.customer))
    return setupFailure(one, readPayment(one, customer)?.id ?? null) !== undefined
  }).length
  return excessOf(failed / known.length, failingShare(live))
}

function renewalsExcess(live: Live): number {
  const renewed = live.target.subscriptions.filter(
    (one) =>
      one.metadata[markFrom] !== undefined && typeof one.latest_invoice === 'object' && one.latest_invoice !== null,
  )
  if (renewed.length < enoughToCompare) return 0
  const declined = renewed.filter((one) => isFailing(one)).length
  return excessOf(declined / renewed.length, failingShare(live))
}

/** The share of the sources' subscriptions whose payment fails. Looks at every subscription. */
export function failingShare({ sources }: Pick<Live, 'sources'>): number {
  const old = [...sources.values()].flatMap((source) =>
    source.subscriptions.filter((one) => isCurrent(one) || isFailing(one)),
  )
  return old.length === 0 ? 0 : old.filter((one) => isFailing(one)).length / old.length
}

/** By how many percentage points a rate of the target exceeds the rate of the sources. */
export function excessOf(rate: number, own: number): number {
  return Math.max(0, Math.round(100 * (rate - own)))
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
