import { greatest, least } from '../../core/lists.ts'
import { ratesTold } from '../../handover/carried/tax.ts'
import type { TaxChange } from '../../handover/carried/tax-verdicts.ts'
import type { Plan } from '../../plan/types.ts'
import { groupBy, money, plural } from './words.ts'

/** One line of the plan: a country, or taxes that are compared later. */
export interface TaxLine {
  /** `Germany: 41 subscribers` */
  readonly where: string
  /** `19 % tax before, no tax after` */
  readonly what: string
  /** What the plan does with these subscribers. */
  readonly outcome: string
}

/**
 * The taxes that differ, one line for each country, however many subscribers, states and old
 * accounts it has.
 */
export function taxLines({ money: { tax = [] } }: Plan): readonly TaxLine[] {
  const groups = groupBy(tax, ({ country, outcome, why }) => JSON.stringify([country, outcome, why ?? '']))
  return [...groups.values()].map((changes) => line(changes)).toSorted((a, b) => b.people - a.people)
}

function line(changes: readonly TaxChange[]): TaxLine & { readonly people: number } {
  const [first] = changes
  const { country = '', outcome = 'later', why } = first ?? {}
  const people = changes.reduce((sum, one) => sum + one.people, 0)
  const states = [...new Set(changes.flatMap(({ regions }) => regions))]
  const within =
    states.length === 0 ? '' : states.length <= 3 ? ` (${states.join(', ')})` : ` (${states.length} states)`
  return {
    people,
    where: `${countryName(country)}${within}: ${plural(people, 'subscriber')}`,
    what: why ?? `${rates(changes, 'before')} before, ${rates(changes, 'after')} after`,
    outcome: outcomes[outcome](changes),
  }
}

const outcomes: Readonly<Record<TaxChange['outcome'], (changes: readonly TaxChange[]) => string>> = {
  accepted: (changes) => `accepted${monthly(changes)}`,
  blocked: () => 'stays blocked (tax_differs)',
  later: () => 'each move compares the tax before it changes anything; a difference stops the move',
}

/**
 * The rates of a country, which may differ by state or product: as a list, or as the lowest and the
 * highest.
 */
function rates(changes: readonly TaxChange[], side: 'before' | 'after'): string {
  const told = [...new Set(changes.map((one) => ratesTold(one[side] ?? [])))]
  if (told.length <= 3) return told.join(' or ')
  const sums = changes.map((one) => (one[side] ?? []).reduce((sum, { percentage }) => sum + percentage, 0))
  return `${least(sums)} to ${greatest(sums)} % tax`
}

/** `, 98.00 usd of tax a month before, 0.00 usd after` */
function monthly(changes: readonly TaxChange[]): string {
  const sums = new Map<string, { before: number; after: number }>()
  for (const [currency, { before, after }] of changes.flatMap((one) => Object.entries(one.monthly))) {
    const sum = sums.get(currency) ?? { before: 0, after: 0 }
    sums.set(currency, { before: sum.before + before, after: sum.after + after })
  }
  const told = [...sums].map(
    ([currency, { before, after }]) => `${money(before, currency)} of tax a month becomes ${money(after, currency)}`,
  )
  return told.length === 0 ? '' : `; ${told.join(', ')}`
}

const names = new Intl.DisplayNames('en', { type: 'region', fallback: 'code' })

function countryName(code: string): string {
  return code === '' ? 'Country unknown' : (names.of(code) ?? code)
}
