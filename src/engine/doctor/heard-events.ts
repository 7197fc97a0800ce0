import { heardEvents, isServiceEndpoint, serviceEndpoint } from '../../catalog/service-endpoint.ts'
import type { StripeObject } from '../../core/json.ts'
import type { Context } from '../context.ts'
import type { DoctorFinding } from '../finding.ts'
import type { StripeAccount } from '../ports.ts'
import { listed } from '../send/listed.ts'

/**
 * Checks that each account sends the cancel service the events that it needs. A missing event
 * causes no error: only the daily reconciliation then finds a member who left by an old door.
 */
export async function checkHeardEvents(context: Pick<Context, 'accounts' | 'catalog'>): Promise<DoctorFinding[]> {
  const { target, sources } = context.accounts
  const found = await Promise.all([
    ...[target].map((one) => checkAccount(context, one, heardEvents.target)),
    ...[...sources.values()].map((one) => checkAccount(context, one, heardEvents.source)),
  ])
  return found.flat()
}

async function checkAccount(
  { catalog }: Pick<Context, 'catalog'>,
  account: StripeAccount,
  needed: readonly string[],
): Promise<DoctorFinding[]> {
  const address = serviceEndpoint(catalog, account.name)
  if (address === undefined) return []
  const base = { check: 'service_events', account: account.name }
  const all = await listed(account, '/v1/webhook_endpoints', {})
  if (!all.ok)
    return [
      {
        ...base,
        status: 'warning',
        message: `the webhook endpoints cannot be read: ${all.failure.message}`,
        fix: 'give the key read access to webhook endpoints',
      },
    ]
  const own = all.value.filter((one) => isServiceEndpoint(address, one))
  const enabled = own.filter((one) => one['status'] === 'enabled')
  const missing = needed.filter((event) => !enabled.some((one) => sends(one, event)))
  if (missing.length === 0)
    return [{ ...base, status: 'ok', message: `sends the cancel service ${needed.join(', ')}`, fix: '' }]
  return [
    {
      ...base,
      status: 'warning',
      message: `${whatIs(own, enabled)} ${address}, so the cancel service does not receive ${missing.join(', ')}`,
      fix: `${account.name === 'target' ? 'declare the endpoint in catalog/webhooks.yaml' : 'create or change the endpoint in the Dashboard'} with the events ${needed.join(', ')}`,
    },
  ]
}

function whatIs(own: readonly StripeObject[], enabled: readonly StripeObject[]): string {
  if (own.length === 0) return 'no webhook endpoint sends to'
  return enabled.length === 0
    ? 'only a disabled webhook endpoint sends to'
    : 'the webhook endpoint does not send every event to'
}

function sends({ enabled_events: events }: StripeObject, event: string): boolean {
  return Array.isArray(events) && events.some((one) => one === '*' || one === event)
}
