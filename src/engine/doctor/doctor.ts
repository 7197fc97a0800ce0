import type { DoctorFinding } from '../finding.ts'
import type { Context } from '../context.ts'
import type { StripeAccount } from '../ports.ts'
import { checkOldDoors } from '../read/old-doors.ts'
import { uncopiedSources } from '../uncopied.ts'
import { checkConfirmed } from './confirmed.ts'
import { checkHeardEvents } from './heard-events.ts'
import { checkPermissions } from './permissions.ts'
import { checkPortals } from './portals.ts'
import { checkTaxSettings } from './tax-settings.ts'

export interface DoctorResult {
  /** No check failed; warnings are allowed. */
  readonly ok: boolean
  readonly findings: readonly DoctorFinding[]
}

/**
 * With a larger difference, checks that use the local clock go wrong: "renews soon", or a
 * signature's age.
 */
const skewSeconds = 60

/**
 * Checks accounts, permissions, the clock, the store and old doors. Read-only. `localNow` is this
 * machine's clock in unix seconds.
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
    ...(await checkPortals(context)),
    ...(await checkStore(context)),
    ...checkConfirmed(context),
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
 * Settings of an account that no copy transfers and that change money. The handbook covers what the
 * API does not show.
 */
async function checkTarget(account: StripeAccount): Promise<DoctorFinding[]> {
  const outcome = await account.look('/v1/account')
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
          fix: 'finish the account’s activation in the Dashboard before you move any subscriber',
        },
  ]
}

async function checkStore(context: Context): Promise<DoctorFinding[]> {
  const findings: DoctorFinding[] = []
  const open = await context.store.journalOpen()
  findings.push(
    open.length === 0
      ? { check: 'unfinished_work', status: 'ok', message: 'every request has a recorded outcome', fix: '' }
      : {
          check: 'unfinished_work',
          status: 'warning',
          message: `${open.length} request(s) were started and have no recorded outcome`,
          fix: 'crossbill apply: it first looks up what became of them',
        },
  )
  for (const source of await uncopiedSources(context))
    findings.push({
      check: 'copy_map_missing',
      status: 'warning',
      account: source,
      message: `no copy map of ${source} has been imported`,
      fix: `once Stripe has copied its customers and cards: crossbill copy-map import --source ${source} FILE`,
    })
  return findings
}
