import type { DoctorFinding } from '../finding.ts'
import type { Context } from '../context.ts'
import { sendPatiently } from '../send/perform.ts'
import type { StripeAccount } from '../ports.ts'
import { checkOldDoors } from '../read/old-doors.ts'
import { checkHeardEvents } from './heard-events.ts'
import { checkTaxSettings } from './tax-settings.ts'

export interface DoctorResult {
  /** No check failed (warnings are fine). */
  readonly ok: boolean
  readonly findings: readonly DoctorFinding[]
}

/**
 * More than this, and "renews soon" or a signature's age would be judged wrongly by anything that
 * trusts the local clock.
 */
const skewSeconds = 60

/**
 * Checks accounts, permissions, clock, store and old doors. Read-only. `localNow` is this machine's
 * clock in unix seconds.
 */
export async function doctor(context: Context, options: { readonly localNow: number }): Promise<DoctorResult> {
  const { accounts } = context
  const findings = [
    ...(
      await Promise.all(
        [accounts.target, ...accounts.sources.values()].map((one) => checkAccount(context, one, options.localNow)),
      )
    ).flat(),
    ...(await Promise.all([...accounts.sources.values()].map((one) => checkOldDoors(context, one)))).flat(),
    ...(await checkTarget(accounts.target)),
    ...(await checkTaxSettings(context)),
    ...(await checkHeardEvents(context)),
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

/**
 * Reads that every command needs. A restricted key lacks them silently until the list is asked for.
 */
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

/**
 * What is set per account, is copied by nobody, and changes money. What the API does not show is in
 * the handbook.
 */
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
