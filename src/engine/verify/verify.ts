import { isHeld } from '../../live/subscription.ts'
import type { Catalog } from '../../catalog/types.ts'
import { leftOutBlocked } from '../../plan/left-out.ts'
import { accountFacts, type AccountFacts, type Context } from '../context.ts'
import { violations } from '../../handover/violation-codes.ts'
import { externalBillers } from './external-billers.ts'
import { sidesOf, type Sides } from './sides.ts'
import type { Notice } from '../../plan/types.ts'
import { noticesOf } from '../plan/notices.ts'
import { survey, type Survey } from '../plan/survey.ts'
import { productKeys, samePersonTwice } from './same-person.ts'
import { oldDrafts, subscriberRules, violationCodes, type Sight, type Violation } from './violations.ts'

export { violationCodes, type Violation } from './violations.ts'

export interface VerifyResult {
  readonly ok: boolean
  /** Subscribers looked at. */
  readonly checked: number
  readonly accounts: Readonly<Record<string, AccountFacts>>
  readonly violations: readonly Violation[]
  /** What breaks no promise today and may cost money or access later. */
  readonly notices: readonly Notice[]
}

/** The standing check over all accounts. Read-only, lists only. */
export async function verify(context: Context): Promise<VerifyResult> {
  const seen = await survey(context)
  const notices = noticesOf(context.catalog, seen.live)
  const found = [
    ...check(context, seen),
    ...accessViolations(seen),
    ...(await externalBillers(context)),
    ...notices.flatMap(noticedViolation),
  ]
  const checked = sidesOf(seen.live, context.catalog.subscribers, context.catalog.project.name).length
  return {
    ok: found.length === 0,
    checked,
    accounts: accountFacts(context.accounts),
    violations: found,
    notices: notices.filter((one) => noticedViolation(one).length === 0),
  }
}

/** Two notices break a promise already: a sale that no plan will move, and a member who pays and gets nothing. */
function noticedViolation({ code, subscriber, at, message, fix }: Notice): readonly Violation[] {
  if (code !== 'schedule_not_begun' && code !== 'payer_without_address') return []
  return [{ code, subscriber, detail: at === null ? message : `${message} (${at})`, fix }]
}

/** Every rule over everybody, in the order of the codes. Pure. */
export function check(
  { catalog }: Pick<Context, 'catalog'>,
  { live, classified, input, known }: Pick<Survey, 'live' | 'classified' | 'input' | 'known'>,
): readonly Violation[] {
  const drift = new Map(classified.map((one) => [one.key, one.drift]))
  const copied = new Set(
    [...input.copyMaps.values()].flatMap(({ payments }) => [...payments.values()].map(({ id }) => id)),
  )
  const sight: Sight = { live, catalog, now: input.now, drift, copyMaps: input.copyMaps, copied }
  const all = sidesOf(live, catalog.subscribers, catalog.project.name)
  // Who was moved and then excluded still has two accounts that could charge them.
  const found = all.filter(isWatched).flatMap((sides) =>
    violationCodes.flatMap((code) => {
      const violation = subscriberRules[code]?.(sides, sight)
      return violation === undefined ? [] : [{ code, subscriber: sides.key, ...violation }]
    }),
  )
  const included = all.filter(({ declared }) => declared?.excluded === undefined)
  const everything = [
    ...found,
    ...invalidEntries(catalog),
    ...oldDrafts(live, sight.now),
    ...samePersonTwice(live, included, productKeys(catalog, known)),
  ]
  const order = (one: Violation): number => violationCodes.indexOf(one.code)
  return everything.toSorted((a, b) => order(a) - order(b))
}

/** What could not be checked because nobody knows what is meant. */
function invalidEntries(catalog: Pick<Catalog, 'leftOut'>): readonly Violation[] {
  return leftOutBlocked(catalog).map(({ address, code, message, fix }) => ({
    code,
    subscriber: address.replace(/^subscriber\./, ''),
    detail: message,
    fix,
  }))
}

function isWatched({ declared, alive, old, movedBy }: Sides): boolean {
  if (movedBy !== undefined) return false
  return declared?.excluded === undefined || alive.length > 0 || isHeld(old)
}

/** What a plan would grant or revoke is missing or too much now. */
function accessViolations({ access }: Pick<Survey, 'access'>): readonly Violation[] {
  return (access?.changes ?? []).map(({ action, expect }) => {
    const [subscriber = ''] = Array.isArray(expect?.['subscribers']) ? expect['subscribers'].map(String) : []
    const offer = typeof expect?.['offer'] === 'string' ? expect['offer'] : ''
    return action === 'grant'
      ? {
          code: 'access_missing',
          subscriber,
          detail: `pays for ${offer} and does not hold it`,
          fix: violations.access_missing.fix,
        }
      : {
          code: 'access_extra',
          subscriber,
          detail: `holds ${offer} and does not pay for it`,
          fix: violations.access_extra.fix,
        }
  })
}
