import { percentOf, percentWithin } from './money.ts'

/** One rate on a line. `percentage` in Stripe's form (19, 8.875). */
export interface Rate {
  readonly id: string
  readonly percentage: number
  readonly inclusive: boolean
  readonly reason: TaxabilityReason
}

export type TaxabilityReason = 'standard_rated' | 'reverse_charge' | 'customer_exempt' | 'not_collecting'

export interface TaxedAmount {
  readonly rate: Rate
  readonly amount: number
  readonly taxable: number
}

/**
 * The taxes of one line on its amount after discounts. Inclusive taxes are contained in that
 * amount, exclusive taxes are added to it.
 */
export function taxesOf(net: number, rates: readonly Rate[]): TaxedAmount[] {
  const inclusive = rates.filter((rate) => rate.inclusive).map((rate) => rate.percentage)
  const contained = rates
    .filter((rate) => rate.inclusive)
    .reduce((sum, rate) => sum + percentWithin(net, rate.percentage, inclusive), 0)
  const taxable = net - contained
  return rates.map((rate) => ({
    rate,
    taxable,
    amount: rate.inclusive ? percentWithin(net, rate.percentage, inclusive) : percentOf(taxable, rate.percentage),
  }))
}

/** A location, as far as tax depends on it. */
export interface Place {
  readonly country: string
  readonly state: string | null
}

/**
 * Standard rates in percent, by country. The table is simple, but shows a change of the seller's
 * country.
 */
const standard: Readonly<Record<string, number>> = {
  AT: 20,
  BE: 21,
  BG: 20,
  CY: 19,
  CZ: 21,
  DE: 19,
  DK: 25,
  EE: 24,
  ES: 21,
  FI: 25.5,
  FR: 20,
  GR: 24,
  HR: 25,
  HU: 27,
  IE: 23,
  IT: 22,
  LT: 21,
  LU: 17,
  LV: 21,
  MT: 18,
  NL: 21,
  PL: 23,
  PT: 23,
  RO: 21,
  SE: 25,
  SI: 22,
  SK: 23,
  GB: 20,
  CH: 8.1,
  NO: 25,
  IS: 24,
  AU: 10,
  NZ: 15,
  SG: 9,
  JP: 10,
  IN: 18,
  ZA: 15,
  CA: 5,
  AE: 5,
}
const salesTax: Readonly<Record<string, number>> = { NY: 8.875, TX: 8.25, WA: 10.1, PA: 6, IL: 10.25, CA: 9.5, FL: 7 }
const union = new Set([
  'AT',
  'BE',
  'BG',
  'CY',
  'CZ',
  'DE',
  'DK',
  'EE',
  'ES',
  'FI',
  'FR',
  'GR',
  'HR',
  'HU',
  'IE',
  'IT',
  'LT',
  'LU',
  'LV',
  'MT',
  'NL',
  'PL',
  'PT',
  'RO',
  'SE',
  'SI',
  'SK',
])

export interface TaxSituation {
  readonly customer: Place
  readonly exempt: 'none' | 'exempt' | 'reverse'
  /** The customer has a business tax id. */
  readonly business: boolean
  /** Where the seller is registered: `DE`, `US-NY`, or `US` for every state. */
  readonly registrations: readonly string[]
}

export interface AutomaticRate {
  readonly percentage: number
  readonly country: string
  readonly state: string | null
  readonly type: 'vat' | 'gst' | 'sales_tax'
  readonly reason: TaxabilityReason
}

/**
 * The rate of automatic tax. A seller with a registration in one country of the European Union
 * collects in all of them (one-stop shop).
 */
export function automaticRate(situation: TaxSituation): AutomaticRate {
  const { country, state } = situation.customer
  const registered =
    country === 'US'
      ? situation.registrations.includes('US') || (state !== null && situation.registrations.includes(`US-${state}`))
      : situation.registrations.includes(country) ||
        (union.has(country) && situation.registrations.some((place) => union.has(place)))
  const type = country === 'US' ? 'sales_tax' : ['AU', 'NZ', 'SG', 'IN', 'CA'].includes(country) ? 'gst' : 'vat'
  const base = { country, state: country === 'US' ? state : null, type } as const
  if (!registered) return { ...base, percentage: 0, reason: 'not_collecting' }
  if (situation.exempt === 'exempt') return { ...base, percentage: 0, reason: 'customer_exempt' }
  const abroad = !situation.registrations.includes(country)
  const reversed = situation.exempt === 'reverse' || (situation.business && abroad && country !== 'US')
  if (reversed) return { ...base, percentage: 0, reason: 'reverse_charge' }
  const percentage = country === 'US' ? (salesTax[state ?? ''] ?? 0) : (standard[country] ?? 0)
  return { ...base, percentage, reason: 'standard_rated' }
}
