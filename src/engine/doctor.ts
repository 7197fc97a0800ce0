import { isJsonObject, type JsonObject, type StripeObject } from '../core/json.ts'
import { CommandError } from '../core/outcome.ts'
import type { Context } from './context.ts'
import { sendPatiently } from './perform.ts'
import type { Params, StripeAccount } from './ports.ts'
import { listAll } from './read-account.ts'

export interface DoctorFinding {
  /** `clock_skew`, `portal_allows_changes`, `payment_link_active` … */
  readonly check: string
  readonly status: 'ok' | 'warning' | 'failed'
  readonly account?: string
  readonly message: string
  readonly fix: string
}

export interface DoctorResult {
  /** No check failed (warnings are fine). */
  readonly ok: boolean
  readonly findings: readonly DoctorFinding[]
}

/** More than this, and "renews soon" or a signature's age would be judged wrongly by anything that trusts the local clock. */
const skewSeconds = 60

/** Checks accounts, permissions, clock, store and old doors. Read-only. `localNow` is this machine's clock in unix seconds. */
export async function doctor(context: Context, options: { readonly localNow: number }): Promise<DoctorResult> {
  const { accounts } = context
  const findings = [
    ...(
      await Promise.all(
        [accounts.target, ...accounts.sources.values()].map((one) => checkAccount(context, one, options.localNow)),
      )
    ).flat(),
    ...(await Promise.all([...accounts.sources.values()].map(checkOldDoors))).flat(),
    ...(await checkTarget(accounts.target)),
    ...(await checkStore(context)),
  ]
  return { ok: findings.every(({ status }) => status !== 'failed'), findings }
}

async function checkAccount(context: Context, account: StripeAccount, localNow: number): Promise<DoctorFinding[]> {
  const { name, id, livemode } = account
  const simulated = isSandbox(context, name)
  const findings: DoctorFinding[] = [
    {
      check: 'account',
      status: 'ok',
      account: name,
      message: `${id}, ${livemode ? 'live mode' : 'test mode'}`,
      fix: '',
    },
  ]
  const skew = account.now() - localNow
  if (!simulated && Math.abs(skew) > skewSeconds)
    findings.push({
      check: 'clock_skew',
      status: 'warning',
      account: name,
      message: `this machine's clock is ${Math.abs(skew)} s ${skew > 0 ? 'behind' : 'ahead of'} Stripe's`,
      fix: 'set the clock by NTP; signatures of webhooks older than 300 s are refused',
    })
  return [...findings, ...(await checkPermissions(context, account))]
}

function isSandbox(context: Context, name: string): boolean {
  return context.catalog.project.accounts[name]?.sandbox === true
}

/** Reads that every command needs. A restricted key lacks them silently until the list is asked for. */
const neededReads = [
  'subscriptions',
  'customers',
  'invoices',
  'invoiceitems',
  'subscription_schedules',
  'prices',
  'products',
  'coupons',
  'tax_rates',
]

async function checkPermissions(context: Context, account: StripeAccount): Promise<DoctorFinding[]> {
  const findings: DoctorFinding[] = []
  for (const resource of neededReads) {
    const outcome = await sendPatiently(context, account, {
      method: 'GET',
      path: `/v1/${resource}`,
      params: { limit: 1 },
    })
    if (outcome.ok) continue
    findings.push({
      check: 'permission',
      status: 'failed',
      account: account.name,
      message: `reading ${resource} was refused: ${outcome.failure.message}`,
      fix: `give the key read access to ${resource} (and write access to subscriptions for the cutover)`,
    })
  }
  if (findings.length === 0)
    findings.push({
      check: 'permission',
      status: 'ok',
      account: account.name,
      message: 'all lists can be read',
      fix: '',
    })
  return findings
}

/** A way by which somebody could still subscribe, change or cancel in an old account. */
interface Door {
  readonly check: string
  readonly path: string
  readonly params: Params
  readonly open: (object: StripeObject) => boolean
  readonly what: (count: number) => string
  readonly fix: string
}

const doors: readonly Door[] = [
  {
    check: 'portal_allows_changes',
    path: '/v1/billing_portal/configurations',
    params: { active: true },
    open: portalAllowsChanges,
    what: (count) => `${count} portal configuration(s) let members log in, cancel or change subscriptions`,
    fix: 'switch off the login page, cancelling and updating in the old account’s portal settings before the cutover',
  },
  {
    check: 'payment_link_active',
    path: '/v1/payment_links',
    params: { active: true },
    open: () => true,
    what: (count) => `${count} payment link(s) still sell in the old account`,
    fix: 'deactivate them, or replace them by links of the new account',
  },
  {
    check: 'checkout_session_open',
    path: '/v1/checkout/sessions',
    params: { status: 'open' },
    open: (one) => one['mode'] === 'subscription',
    what: (count) => `${count} open Checkout session(s) can still start a subscription`,
    fix: 'expire them (`POST /v1/checkout/sessions/…/expire`)',
  },
  {
    check: 'old_webhook_enabled',
    path: '/v1/webhook_endpoints',
    params: {},
    open: hearsSubscriptionsEnd,
    what: (count) => `${count} enabled webhook endpoint(s) hear customer.subscription.deleted`,
    fix: 'disable them before settling: what listens there would take away access (disable, do not leave dangling)',
  },
]

async function checkOldDoors(account: StripeAccount): Promise<DoctorFinding[]> {
  return Promise.all(
    doors.map(async ({ check, path, params, open, what, fix }): Promise<DoctorFinding> => {
      const base = { check, account: account.name }
      const list = await listOrRefusal(account, path, params)
      if (!list.ok)
        return {
          ...base,
          status: 'warning',
          message: `could not be looked at: ${list.message}`,
          fix: `give the key read access, or look at ${path} in the Dashboard`,
        }
      const count = list.objects.filter(open).length
      return count === 0
        ? { ...base, status: 'ok', message: 'closed', fix: '' }
        : { ...base, status: 'warning', message: what(count), fix }
    }),
  )
}

async function listOrRefusal(
  account: StripeAccount,
  path: string,
  params: Params,
): Promise<{ ok: true; objects: readonly StripeObject[] } | { ok: false; message: string }> {
  try {
    return { ok: true, objects: await listAll(account, path, params) }
  } catch (error) {
    if (error instanceof CommandError) return { ok: false, message: error.message }
    throw error
  }
}

function portalAllowsChanges(configuration: StripeObject): boolean {
  const features = objectOf(configuration['features'])
  const enabled = (name: string): boolean => objectOf(features[name])['enabled'] === true
  const login = objectOf(configuration['login_page'])['enabled'] === true
  return login || enabled('subscription_cancel') || enabled('subscription_update')
}

export function hearsSubscriptionsEnd(endpoint: StripeObject): boolean {
  const events = endpoint['enabled_events']
  const hears = Array.isArray(events) && events.some((one) => one === '*' || one === 'customer.subscription.deleted')
  return hears && endpoint['status'] === 'enabled'
}

function objectOf(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {}
}

/** What is set per account, is copied by nobody, and changes money. What the API does not show is in the handbook. */
async function checkTarget(account: StripeAccount): Promise<DoctorFinding[]> {
  const outcome = await account.send({ method: 'GET', path: '/v1/account' })
  if (!outcome.ok) return []
  const ready = outcome.value['charges_enabled'] === true
  return [
    ready
      ? {
          check: 'charges_enabled',
          status: 'ok',
          account: account.name,
          message: 'the target can take payments',
          fix: '',
        }
      : {
          check: 'charges_enabled',
          status: 'failed',
          account: account.name,
          message: 'the target cannot take payments yet',
          fix: 'finish the account’s activation in the Dashboard before anybody is moved',
        },
  ]
}

async function checkStore({ store, catalog, accounts }: Context): Promise<DoctorFinding[]> {
  const findings: DoctorFinding[] = []
  const open = await store.journalOpen()
  findings.push(
    open.length === 0
      ? { check: 'unfinished_work', status: 'ok', message: 'no request is left without an outcome', fix: '' }
      : {
          check: 'unfinished_work',
          status: 'warning',
          message: `${open.length} request(s) were begun and their outcome was not recorded`,
          fix: 'crossbill apply: recovery looks them up before anything else',
        },
  )
  for (const source of accounts.sources.keys()) {
    const people = catalog.subscribers.some((one) => one.source === source && one.excluded === undefined)
    if (people && !(await hasCopyMap(store, source)))
      findings.push({
        check: 'copy_map_missing',
        status: 'warning',
        account: source,
        message: `no copy map of ${source} has been imported`,
        fix: `crossbill copy-map import --source ${source} FILE`,
      })
  }
  return findings
}

async function hasCopyMap(store: Context['store'], source: string): Promise<boolean> {
  for await (const _row of store.copyMap(source)) return true
  return false
}
