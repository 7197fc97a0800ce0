import { shareOf } from '../../billing/tax-share.ts'
import type { Policies } from '../../catalog/types.ts'
import { blocked } from '../reasons.ts'
import { ratesTold, type TaxRead } from './tax.ts'
import type { ChargeForecast, Classification, TaxRate, TaxSituation } from '../types.ts'

/** What the previews of a group's representative showed. */
export type TaxFinding =
  | { readonly is: 'compared'; readonly before: TaxRead; readonly after: TaxRead }
  /** The target cannot compute tax. */
  | { readonly is: 'impossible'; readonly why: string }
  /** Cannot be compared in the plan; each hand-over compares its own. */
  | { readonly is: 'later'; readonly why: string }

export interface TaxFindings {
  readonly byGroup: ReadonlyMap<string, TaxFinding>
  /** Subscribers whose address the target does not recognise. */
  readonly lost: ReadonlySet<string>
}

/** One difference as the plan shows it: a whole country on one line. */
export interface TaxChange {
  readonly source: string
  /** ISO 3166. */
  readonly country: string
  /** States, where sellers register by state. */
  readonly regions: readonly string[]
  readonly people: number
  /** Null where it could not be compared yet. */
  readonly before: readonly TaxRate[] | null
  readonly after: readonly TaxRate[] | null
  /**
   * `accepted`: they move. `blocked`: they stay. `later`: each hand-over compares, and stops where
   * the tax differs.
   */
  readonly outcome: 'accepted' | 'blocked' | 'later'
  /** Monthly tax by currency, minor units, before discounts. */
  readonly monthly: Readonly<Record<string, { readonly before: number; readonly after: number }>>
  readonly why?: string
}

type Move = Extract<Classification, { outcome: 'move' | 'settle' | 'revert' }>

/**
 * Adjusts the classification after the comparison of both sides' taxes.
 *
 * | previews         | policy `same`         | `recompute`, accepted | not accepted          |
 * |------------------|-----------------------|-----------------------|-----------------------|
 * | equal            | moves                 | moves (1)             | moves                 |
 * | differ           | blocked `tax_differs` | moves, shown          | blocked `tax_differs` |
 * | impossible       | blocked `tax_differs` | blocked               | blocked               |
 * | not compared yet | moves if equal then   | the same              | the same              |
 *
 * (1) A difference of the subscriber's own stops the hand-over.
 *
 * No tax stops a revert, which restores the earlier state: its charge is shown with the tax of each
 * side.
 */
export function judgeTaxes(
  classified: readonly Classification[],
  findings: TaxFindings,
  policies: Pick<Policies, 'tax' | 'tax_accepted'>,
): { readonly classified: readonly Classification[]; readonly tax: readonly TaxChange[] } {
  const lines = new Map<string, Line>()
  const fix = acceptFix(refusedCountries(classified, findings), policies)
  const judged = classified.map((one): Classification => {
    const { taxed } = one
    if (taxed === undefined || !('plan' in one)) return one
    if (one.outcome === 'revert') return reverted(one, findings.byGroup.get(taxed.group))
    if (findings.lost.has(one.key))
      return stopped(
        one,
        'tax_location_missing',
        `the target does not recognise the address of ${one.plan.expect.customer_new}`,
      )
    const finding = findings.byGroup.get(taxed.group) ?? { is: 'later', why: 'not compared' }
    if (finding.is === 'later') {
      add(lines, { one, taxed, finding, outcome: 'later' })
      const { plan } = one
      return { ...one, plan: { ...withoutTax(plan), expect: { ...plan.expect, tax: 'same' } } }
    }
    if (finding.is === 'impossible') {
      add(lines, { one, taxed, finding, outcome: 'blocked' })
      return stopped(one, 'tax_differs', `${placeOf(taxed)}: ${finding.why}`, impossibleFix)
    }
    const { before, after } = finding
    if (!differ(before, after)) return moved(one, finding, { tax: 'same', tax_change: null })
    const told = { before: ratesTold(before.rates), after: ratesTold(after.rates) }
    if (one.plan.expect.tax === 'same') {
      add(lines, { one, taxed, finding, outcome: 'blocked' })
      return stopped(one, 'tax_differs', `${placeOf(taxed)}: ${told.before} before, ${told.after} after`, fix)
    }
    add(lines, { one, taxed, finding, outcome: 'accepted' })
    return moved(one, finding, { tax: 'recompute', tax_change: told })
  })
  return { classified: judged, tax: [...lines.values()].map(shown).toSorted(byPlace) }
}

function refusedCountries(classified: readonly Classification[], { byGroup }: TaxFindings): ReadonlySet<string> {
  return new Set(
    classified.flatMap((one) => {
      const finding = byGroup.get(one.taxed?.group ?? '')
      const differs = one.outcome === 'move' && finding?.is === 'compared' && differ(finding.before, finding.after)
      return differs && one.taxed !== undefined && one.taxed.country !== '' ? [one.taxed.country] : []
    }),
  )
}

/** Compares the rates and the amounts on the same net amount: an equal rate may apply to less. */
function differ(before: TaxRead, after: TaxRead): boolean {
  return (
    ratesTold(before.rates) !== ratesTold(after.rates) || before.onTop !== after.onTop || before.inside !== after.inside
  )
}

function placeOf({ country, region }: TaxSituation): string {
  return region === '' ? country || 'unknown country' : `${country}-${region}`
}

const impossibleFix =
  'Set up Stripe Tax in the target (https://dashboard.stripe.com/settings/tax): crossbill doctor shows both sides.'

/**
 * One fix for every subscriber that it may help: a plan with whole countries says once what to
 * write.
 */
function acceptFix(
  countries: ReadonlySet<string>,
  { tax, tax_accepted: accepted }: Pick<Policies, 'tax' | 'tax_accepted'>,
): string {
  const list = [...new Set([...accepted, ...countries])].toSorted().join(', ')
  const key = tax === 'recompute' ? `tax_accepted: [${list}]` : `tax: recompute and tax_accepted: [${list}]`
  return `Register the target in the places where it must collect tax (crossbill doctor shows both sides); or accept the difference, country by country: ${key} under policies in catalog/project.yaml.`
}

function stopped(
  one: Move,
  code: 'tax_differs' | 'tax_location_missing',
  message: string,
  fix?: string,
): Classification {
  const { key, standing, successor, drift, monthly } = one
  const about = { key, standing, successor, drift, ...(monthly === undefined ? {} : { monthly }) }
  return { ...about, outcome: 'blocked', reasons: [blocked(code, message, fix)] }
}

/** The subscriber moves; its next charge is shown with the tax on top. */
function moved(
  one: Move,
  { before, after }: Extract<TaxFinding, { is: 'compared' }>,
  expect: Pick<Move['plan']['expect'], 'tax' | 'tax_change'>,
): Classification {
  const { charge } = one.plan
  return {
    ...one,
    plan: {
      ...one.plan,
      expect: { ...one.plan.expect, ...expect },
      charge: charge && taxedCharge(charge, before, after),
    },
  }
}

function reverted(one: Move, finding: TaxFinding | undefined): Classification {
  const { charge } = one.plan
  if (finding?.is !== 'compared' || charge === null) return { ...one, plan: withoutTax(one.plan) }
  return { ...one, plan: { ...one.plan, charge: taxedCharge(charge, finding.before, finding.after) } }
}

/** The amounts exclude tax and are marked so. */
function withoutTax(plan: Move['plan']): Move['plan'] {
  return { ...plan, charge: plan.charge && { ...plan.charge, tax_not_included: true } }
}

function taxedCharge(charge: ChargeForecast, before: TaxRead, after: TaxRead): ChargeForecast {
  // Nothing is charged, so nothing is taxed.
  if (charge.paused?.until === null) return charge
  const onTop = ({ onTop: tax, net }: TaxRead, amount: number): number => amount + shareOf(tax, net, amount)
  return {
    ...charge,
    amount: onTop(after, charge.amount),
    before: { ...charge.before, amount: onTop(before, charge.before.amount) },
  }
}

/* ---------------------------------------------------------------- lines */

interface Line {
  readonly about: Omit<TaxChange, 'regions' | 'people' | 'monthly'>
  readonly regions: Set<string>
  people: number
  readonly monthly: Record<string, { before: number; after: number }>
}

interface Member {
  readonly one: Move
  readonly taxed: TaxSituation
  readonly finding: TaxFinding
  readonly outcome: TaxChange['outcome']
}

function add(lines: Map<string, Line>, { one, taxed, finding, outcome }: Member): void {
  const { source, country, region } = taxed
  const compared = finding.is === 'compared' ? finding : undefined
  const about = {
    source,
    country,
    before: compared?.before.rates ?? null,
    after: compared?.after.rates ?? null,
    outcome,
    ...(finding.is === 'compared' ? {} : { why: finding.why }),
  }
  const id = JSON.stringify(about)
  const line: Line = lines.get(id) ?? { about, regions: new Set(), people: 0, monthly: {} }
  lines.set(id, line)
  if (region !== '') line.regions.add(region)
  line.people += 1
  if (compared === undefined || one.monthly === undefined) return
  const { amount, currency } = one.monthly
  const sum = line.monthly[currency] ?? { before: 0, after: 0 }
  const tax = ({ onTop, inside, net }: TaxRead): number => shareOf(onTop + inside, net, amount)
  line.monthly[currency] = { before: sum.before + tax(compared.before), after: sum.after + tax(compared.after) }
}

function shown({ about, regions, people, monthly }: Line): TaxChange {
  return { ...about, regions: [...regions].toSorted(), people, monthly }
}

function byPlace(a: TaxChange, b: TaxChange): number {
  const place = ({ country, source, regions, outcome }: TaxChange): string =>
    [country, source, outcome, ...regions].join(' ')
  return b.people - a.people || (place(a) < place(b) ? -1 : 1)
}
