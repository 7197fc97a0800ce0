import type { Cadence } from '../stripe/billing/calendar.ts'

/**
 * The products of the school and their prices. Amounts are in the smallest unit of the currency.
 */
export const oldAccounts = ['us', 'intl'] as const
export type OldAccount = (typeof oldAccounts)[number]
export type Currency = 'usd' | 'cad' | 'gbp' | 'eur' | 'aud' | 'jpy' | 'kwd'
export type ProductKey = 'membership' | 'diploma' | 'cohort' | 'haircare' | 'library'
export type CadenceKey = 'week' | 'fortnight' | 'month' | 'quarter' | 'half' | 'year' | 'two_years' | 'three_years'

export const currenciesOf: Readonly<Record<OldAccount, readonly Currency[]>> = {
  us: ['usd', 'cad'],
  intl: ['gbp', 'eur', 'aud', 'jpy', 'kwd'],
}

export const products: Readonly<Record<ProductKey, string>> = {
  membership: 'Formulation Membership',
  diploma: 'Diploma in Organic Skincare Formulation',
  cohort: 'Cohort Course: Stability & Preservation',
  haircare: 'Diploma in Organic Haircare',
  library: 'Ingredient Library',
}

export const cadences: Readonly<Record<CadenceKey, Cadence>> = {
  week: { interval: 'week', count: 1 },
  fortnight: { interval: 'week', count: 2 },
  month: { interval: 'month', count: 1 },
  quarter: { interval: 'month', count: 3 },
  half: { interval: 'month', count: 6 },
  year: { interval: 'year', count: 1 },
  two_years: { interval: 'year', count: 2 },
  three_years: { interval: 'year', count: 3 },
}

/** US cents a month. */
const monthly: Readonly<Record<ProductKey, number>> = {
  membership: 4_900,
  diploma: 19_700,
  cohort: 14_900,
  haircare: 17_700,
  library: 1_200,
}

/** How many monthly amounts one period costs. */
const lengths: Readonly<Record<CadenceKey, number>> = {
  week: 0.28,
  fortnight: 0.5,
  month: 1,
  quarter: 2.8,
  half: 5.4,
  year: 10,
  two_years: 18,
  three_years: 25,
}

/**
 * Smallest units per US cent, and the step to which amounts are rounded (three-decimal amounts must
 * end in 0).
 */
const rates: Readonly<Record<Currency, readonly [number, number]>> = {
  usd: [1, 1],
  cad: [1.35, 50],
  gbp: [0.8, 10],
  eur: [0.95, 10],
  aud: [1.5, 50],
  jpy: [1.5, 10],
  kwd: [3.1, 10],
}

export function amountOf(product: ProductKey, cadence: CadenceKey, currency: Currency): number {
  const [rate, step] = rates[currency]
  return Math.max(step, Math.round((monthly[product] * lengths[cadence] * rate) / step) * step)
}
