import { isServiceEndpoint, serviceEndpoint } from '../../catalog/service-endpoint.ts'
import type { Context } from '../context.ts'
import { hearsSubscriptionsEnd } from '../read/old-doors.ts'
import { listAll } from '../read/lists.ts'

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
