/**
 * Taxes as previews show them: amounts on amounts, without the percentage behind them (an invoice
 * line names its rate by id alone). Integer arithmetic, so that one member's preview can be applied
 * to others in the same situation.
 */
export interface TaxShare {
  /** On top of the price, and contained in it; minor units. */
  readonly onTop: number
  readonly inside: number
  /** What they are taken of: the lines after discounts. */
  readonly net: number
}

/** That share of another amount, rounded half away from zero. */
export function shareOf(part: number, net: number, amount: number): number {
  if (net === 0) return 0
  const product = BigInt(part) * BigInt(amount)
  const [dividend, divisor] = net < 0 ? [-product, BigInt(-net)] : [product, BigInt(net)]
  const size = dividend < 0n ? -dividend : dividend
  const rounded = Number((2n * size + divisor) / (2n * divisor))
  return dividend < 0n ? 0 - rounded : rounded
}

/** Decimal places that a rate may have. */
const placesMax = 4

/**
 * The plainest percentage that makes this tax of this amount: 931 of 4900 is 19, 4349 of 49000 is
 * 8.875 (rates end in 5 where they have many places). When several rates give a small amount, the
 * plainest rate is shown.
 */
export function percentageOf(tax: number, taxable: number): number {
  if (taxable === 0) return 0
  const exact = (100 * tax) / taxable
  for (let places = 0; places <= placesMax; places++) {
    const unit = 10 ** places
    for (const step of places === 0 ? [1] : [5, 1]) {
      const candidate = (Math.round((exact * unit) / step) * step) / unit
      if (shareOf(Math.round(candidate * 10 ** placesMax), 100 * 10 ** placesMax, taxable) === tax) return candidate
    }
  }
  return Math.round(exact * 10 ** placesMax) / 10 ** placesMax
}
