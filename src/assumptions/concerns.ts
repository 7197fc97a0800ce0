// Whose bills depend on the answer to a question, by what the YAML declares.
import type { Catalog, DesiredSubscriber } from '../catalog/types.ts'
import { isJsonObject } from '../core/json.ts'
import { decimals } from '../core/money.ts'

interface Interval {
  readonly unit: string
  readonly count: number
}

interface Known {
  /** The interval of a price of the catalog. */
  intervalOf(price: string): Interval | undefined
}

interface Group {
  /** `14 subscribers …` */
  readonly are: string
  readonly holds: (one: DesiredSubscriber, known: Known) => boolean
}

const intervalsOf = (one: DesiredSubscriber, known: Known): readonly Interval[] =>
  one.items.flatMap(({ price }) => known.intervalOf(price) ?? [])
const isDiscounted = (one: DesiredSubscriber): boolean =>
  one.discounts.length > 0 || one.items.some(({ discounts = [] }) => discounts.length > 0)
const isInTrial = (one: DesiredSubscriber): boolean => one.trial_end !== undefined

const groups = {
  nobody: { are: '', holds: () => false },
  everybody: { are: 'are in the migration', holds: () => true },
  to_move: { are: 'are to be moved', holds: ({ stage }) => stage === 'source' },
  to_settle: { are: 'are to be settled', holds: ({ stage }) => stage !== 'settled' },
  discounted: { are: 'have discounts', holds: isDiscounted },
  in_trial: { are: 'are in a trial', holds: isInTrial },
  trial_discounted: {
    are: 'are in a trial and have a discount',
    holds: (one) => isInTrial(one) && isDiscounted(one),
  },
  many_items: { are: 'have more than ten items', holds: ({ items }) => items.length > 10 },
  automatic_tax: { are: 'have automatic tax', holds: (one) => one.automatic_tax },
  three_decimals: {
    are: 'pay in a currency with three decimals',
    holds: ({ currency = '' }) => currency !== '' && decimals(currency) === 3,
  },
  several_years: {
    are: 'have a price of several years',
    holds: (one, known) => intervalsOf(one, known).some(({ unit, count }) => unit === 'year' && count > 1),
  },
  odd_months: {
    are: 'have a price whose months do not divide a year',
    holds: (one, known) => intervalsOf(one, known).some(({ unit, count }) => unit === 'month' && 12 % count !== 0),
  },
} as const satisfies Readonly<Record<string, Group>>

export type Concern = keyof typeof groups

/** How many subscribers of the project a question concerns, and in which words. */
export function concerned(concern: Concern, catalog: Catalog): { readonly count: number; readonly text: string } {
  const known = knownOf(catalog)
  const { are, holds }: Group = groups[concern]
  const staying = catalog.subscribers.filter((one) => one.excluded === undefined)
  const count = staying.filter((one) => holds(one, known)).length
  return { count, text: count === 1 ? `1 subscriber ${ofOne(are)}` : `${count} subscribers ${are}` }
}

/** `are in a trial and have a discount` → `is in a trial and has a discount` */
function ofOne(are: string): string {
  return are
    .replaceAll(/\bare\b/g, 'is')
    .replaceAll(/\bhave\b/g, 'has')
    .replaceAll(/\bpay\b/g, 'pays')
}

function knownOf({ resources }: Catalog): Known {
  const prices = new Map(resources.flatMap((one) => (one.address === `price.${one.key}` ? [[one.key, one.value]] : [])))
  return {
    intervalOf(price) {
      const recurring = prices.get(price)?.['recurring']
      if (!isJsonObject(recurring)) return undefined
      const { interval, interval_count: count } = recurring
      return { unit: String(interval as string), count: typeof count === 'number' ? count : 1 }
    },
  }
}
