import { accountFacts, type AccountFacts, type Context } from './context.ts'
import { externalBillers } from './external-billers.ts'
import { sidesOf } from './sides.ts'
import { survey, type Survey } from './survey.ts'
import { productKeys, samePersonTwice } from './same-person.ts'
import { oldDrafts, subscriberRules, violationCodes, type Sight, type Violation } from './violations.ts'

export { violationCodes, type Violation, type ViolationCode } from './violations.ts'

export interface VerifyResult {
  readonly ok: boolean
  /** Subscribers looked at. */
  readonly checked: number
  readonly accounts: Readonly<Record<string, AccountFacts>>
  readonly violations: readonly Violation[]
}

/** The standing check over all accounts. Read-only, lists only. */
export async function verify(context: Context): Promise<VerifyResult> {
  const seen = await survey(context)
  const violations = [...check(context, seen), ...(await externalBillers(context))]
  const checked = sidesOf(seen.live, context.catalog.subscribers).length
  return { ok: violations.length === 0, checked, accounts: accountFacts(context.accounts), violations }
}

/** Every rule over everybody, in the order of the codes. Pure. */
export function check(
  { catalog }: Pick<Context, 'catalog'>,
  { live, classified, input, known }: Pick<Survey, 'live' | 'classified' | 'input' | 'known'>,
): readonly Violation[] {
  const sight: Sight = { live, now: input.now, drift: new Map(classified.map(({ key, drift }) => [key, drift])) }
  const everybody = sidesOf(live, catalog.subscribers).filter(({ declared }) => declared?.excluded === undefined)
  const found = everybody.flatMap((sides) =>
    violationCodes.flatMap((code) => {
      const violation = subscriberRules[code]?.(sides, sight)
      return violation === undefined ? [] : [{ code, subscriber: sides.key, ...violation }]
    }),
  )
  const all = [
    ...found,
    ...oldDrafts(live, sight.now),
    ...samePersonTwice(live, everybody, productKeys(catalog, known)),
  ]
  const order = (one: Violation): number => violationCodes.indexOf(one.code)
  return all.toSorted((a, b) => order(a) - order(b))
}
