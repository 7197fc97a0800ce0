import { times } from './money.ts'

/** The amounts of a price in one currency. */
export interface Amounts {
  readonly unit: string | null
  readonly tiers: readonly Tier[] | null
}

interface Tier {
  readonly upTo: number | null
  readonly unit: string | null
  readonly flat: string | null
}

export interface PricingTerms {
  readonly scheme: 'per_unit' | 'tiered'
  readonly tiersMode: 'graduated' | 'volume' | null
  readonly transform: { readonly divideBy: number; readonly round: 'up' | 'down' } | null
}

/** The cost of `quantity` of a price for one period, in minor units. */
export function amountFor(amounts: Amounts, terms: PricingTerms, quantity: number): number {
  if (terms.scheme === 'tiered')
    return terms.tiersMode === 'volume'
      ? volume(amounts.tiers ?? [], quantity)
      : graduated(amounts.tiers ?? [], quantity)
  const units =
    terms.transform === null
      ? quantity
      : Math[terms.transform.round === 'up' ? 'ceil' : 'floor'](quantity / terms.transform.divideBy)
  return times(units, amounts.unit ?? '0')
}

function volume(tiers: readonly Tier[], quantity: number): number {
  const tier = tiers.find((candidate) => candidate.upTo === null || quantity <= candidate.upTo)
  return tier === undefined ? 0 : times(quantity, tier.unit ?? '0') + times(1, tier.flat ?? '0')
}

function graduated(tiers: readonly Tier[], quantity: number): number {
  let from = 0
  let total = 0
  for (const tier of tiers) {
    if (quantity <= from && !(quantity === 0 && from === 0)) break
    const upTo = Math.min(tier.upTo ?? quantity, quantity)
    total += times(upTo - from, tier.unit ?? '0') + times(1, tier.flat ?? '0')
    if (quantity === 0) break
    from = upTo
  }
  return total
}
