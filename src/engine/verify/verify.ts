import { accountFacts, type AccountFacts, type Context } from '../context.ts'
import { violations } from '../../handover/violation-codes.ts'
import type { Notice } from '../../plan/types.ts'
import { noticesOf } from '../plan/notices.ts'
import { earlierVersions } from '../plan/earlier-versions.ts'
import { misplacedUsage } from './usage.ts'
import { uncreditedChanges } from './uncredited.ts'
import { externalBillers } from './external-billers.ts'
import { survey, type Survey } from '../plan/survey.ts'
import { check } from '../check/check.ts'
import { isSubscriber, sidesOf } from '../check/sides.ts'
import type { Violation } from '../check/violations.ts'

export { violationCodes, type Violation } from '../check/violations.ts'

export interface VerifyResult {
  readonly ok: boolean
  /** Subscribers checked. */
  readonly checked: number
  /** Of these, those whose subscription has ended, so that no account bills them. */
  readonly ended: number
  readonly accounts: Readonly<Record<string, AccountFacts>>
  readonly violations: readonly Violation[]
  /** Findings that break no promise today but may cost money or access later. */
  readonly notices: readonly Notice[]
}

/** Checks every rule over all accounts, read now unless given. Read-only; it reads lists only. */
export async function verify(context: Context, given?: Survey): Promise<VerifyResult> {
  const seen = given ?? (await survey(context))
  const notices = [
    ...noticesOf(context.catalog, seen),
    ...earlierVersions(context.catalog, seen.live),
    ...excludedAfterMove(seen),
  ]
  const found = [
    ...check(context, seen),
    ...accessViolations(seen),
    ...(await externalBillers(context)),
    ...(await misplacedUsage(context, seen)),
    ...(await uncreditedChanges(context, seen)),
    ...notices.flatMap(noticedViolation),
  ]
  const { subscribers, project } = context.catalog
  const checked = sidesOf(seen.live, subscribers, project.name).filter(isSubscriber).length
  return {
    ok: found.length === 0,
    checked,
    ended: seen.classified.filter(({ outcome }) => outcome === 'ended').length,
    accounts: accountFacts(context.accounts),
    violations: found,
    notices: notices.filter((one) => noticedViolation(one).length === 0),
  }
}

/** A plan lists these as blocked. Who bills them is not in doubt, so they are no violation. */
function excludedAfterMove({ classified }: Pick<Survey, 'classified'>): readonly Notice[] {
  return classified.flatMap((one) =>
    one.outcome !== 'blocked'
      ? []
      : one.reasons
          .filter(({ code }) => code === 'excluded_after_move')
          .map(({ message, fix }) => ({ code: 'excluded_after_move', subscriber: one.key, at: null, message, fix })),
  )
}

/**
 * Three notices already break a promise: a sale that no plan will move, a member who pays without
 * getting access, and a mapping that no cancel and no access can use.
 */
function noticedViolation({ code, subscriber, at, message, fix }: Notice): readonly Violation[] {
  if (code !== 'schedule_not_begun' && code !== 'payer_without_address' && code !== 'mapping_differs') return []
  return [{ code, subscriber, detail: at === null ? message : `${message} (${at})`, fix }]
}

/**
 * An offer that a plan would grant is missing now; an offer that it would revoke is too much now.
 */
function accessViolations({ access }: Pick<Survey, 'access'>): readonly Violation[] {
  return (access?.changes ?? []).map(({ action, address, expect }) => {
    const { offer, subscribers } = expect
    const [subscriber = ''] = subscribers
    if (action === 'grant')
      return {
        code: 'access_missing',
        subscriber,
        detail: `pays for ${offer} and does not hold it`,
        fix: violations.access_missing.fix,
      }
    const pays = access?.fromPayers.includes(address) === true
    return {
      code: 'access_extra',
      subscriber,
      detail: pays
        ? `holds ${offer} and still pays, but the catalog no longer gives it for the price`
        : `holds ${offer} and does not pay for it`,
      fix: pays
        ? 'Add the price under its offer in catalog/access.yaml again. If the offer should end, run `crossbill apply --allow access_revoked_from_payers`.'
        : violations.access_extra.fix,
    }
  })
}
