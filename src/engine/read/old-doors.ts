import type { Context } from '../context.ts'
import { isServiceEndpoint, serviceEndpoint } from '../../catalog/service-endpoint.ts'
import { listed } from '../send/listed.ts'
import { objectIn, type StripeObject } from '../../core/json.ts'
import type { DoctorFinding } from '../finding.ts'
import { isHandover, type Keyless } from '../../plan/change.ts'
import type { OpenDoor } from '../../plan/types.ts'
import type { Params, StripeAccount } from '../ports.ts'

export const oldDoors = [
  'portal_allows_changes',
  'payment_link_active',
  'checkout_session_open',
  'old_webhook_enabled',
] as const
type OldDoor = (typeof oldDoors)[number]

/** A way to subscribe, change or cancel in an old account. */
interface Door {
  readonly check: OldDoor
  readonly path: string
  readonly params: Params
  readonly open: (object: StripeObject) => boolean
  readonly what: (count: number) => string
  /** What is true when none is open. */
  readonly closed: string
  readonly fix: string
}

const doors: readonly Door[] = [
  {
    check: 'portal_allows_changes',
    path: '/v1/billing_portal/configurations',
    params: { active: true },
    open: portalAllowsChanges,
    what: (count) => `${count} portal configuration(s) let members log in, cancel or change subscriptions`,
    closed: 'no portal lets members log in, cancel or change a subscription',
    fix: 'switch off the login page, cancelling and updating in the old account’s portal settings before the cutover',
  },
  {
    check: 'payment_link_active',
    path: '/v1/payment_links',
    params: { active: true },
    open: () => true,
    what: (count) => `${count} payment link(s) still sell in the old account`,
    closed: 'no payment link sells in the old account',
    fix: 'deactivate them, or replace them by links of the new account',
  },
  {
    check: 'checkout_session_open',
    path: '/v1/checkout/sessions',
    params: { status: 'open' },
    open: (one) => one['mode'] === 'subscription',
    what: (count) => `${count} open Checkout session(s) can still start a subscription`,
    closed: 'no open Checkout session can start a subscription',
    fix: 'expire them (`POST /v1/checkout/sessions/…/expire`)',
  },
  {
    check: 'old_webhook_enabled',
    path: '/v1/webhook_endpoints',
    params: {},
    open: hearsSubscriptionsEnd,
    what: (count) => `${count} enabled webhook endpoint(s) receive customer.subscription.deleted`,
    closed: 'no enabled webhook endpoint receives customer.subscription.deleted',
    fix: 'disable them before settling: the integration behind them would revoke access (disable them, do not leave them failing)',
  },
]

/** Checks whether it is still possible to subscribe, change or cancel in an old account. */
export async function checkOldDoors(
  { catalog }: Pick<Context, 'catalog'>,
  account: StripeAccount,
): Promise<DoctorFinding[]> {
  const service = serviceEndpoint(catalog, account.name)
  return Promise.all(
    doors.map(async ({ check, path, params, open, what, closed, fix }): Promise<DoctorFinding> => {
      const base = { check, account: account.name }
      // A list that the key may not read is reported; the check continues.
      const list = await listed(account, path, params)
      if (!list.ok)
        return {
          ...base,
          status: 'warning',
          message: `could not be read: ${list.failure.message}`,
          fix: `give the key read access, or look at ${path} in the Dashboard`,
        }
      // The cancel service's own endpoint does not count: the service tells a settle from a
      // member's cancel.
      const count = list.value.filter((one) => open(one) && !isServiceEndpoint(service, one)).length
      return count === 0
        ? { ...base, status: 'ok', message: closed, fix: '' }
        : { ...base, status: 'warning', message: what(count), fix }
    }),
  )
}

/** The open doors of the sources from which a plan moves subscribers. */
export async function openDoors(
  context: Pick<Context, 'accounts' | 'catalog'>,
  changes: readonly Keyless[],
): Promise<readonly OpenDoor[]> {
  const leaving = changes.filter(isHandover).filter(({ action }) => action !== 'revert')
  const left = new Set(leaving.map(({ expect }) => expect.source))
  const doors = await Promise.all(
    [...context.accounts.sources.values()]
      .filter(({ name }) => left.has(name))
      .map((one) => checkOldDoors(context, one)),
  )
  return doors
    .flat()
    .filter(({ status }) => status !== 'ok')
    .map(({ account, check, message, fix }) => ({ account: account ?? '', check, message, fix }))
}

function portalAllowsChanges(configuration: StripeObject): boolean {
  const features = objectIn(configuration['features'])
  const enabled = (name: string): boolean => objectIn(features[name])['enabled'] === true
  const login = objectIn(configuration['login_page'])['enabled'] === true
  return login || enabled('subscription_cancel') || enabled('subscription_update')
}

export function hearsSubscriptionsEnd(endpoint: StripeObject): boolean {
  const events = endpoint['enabled_events']
  const hears = Array.isArray(events) && events.some((one) => one === '*' || one === 'customer.subscription.deleted')
  return hears && endpoint['status'] === 'enabled'
}
