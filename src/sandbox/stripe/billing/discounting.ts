import { addMonths } from './calendar.ts'
import { percentOf, split } from './money.ts'

/** What a coupon takes off. Amounts are minor units of `currency`. */
export interface Reduction {
  readonly discount: string
  readonly percentOff: number | null
  readonly amountOff: number | null
  readonly currency: string | null
  /** The amount off in other currencies. */
  readonly options?: Readonly<Record<string, number>>
  /** The products that it is limited to; null for all. */
  readonly products: readonly string[] | null
  /**
   * Its end: a line that begins later gets no reduction. It matters on invoices of a backdated
   * start, whose lines begin at different times.
   */
  readonly until?: number | null
}

export interface DiscountableLine {
  readonly amount: number
  readonly product: string | null
  readonly discountable: boolean
  readonly period?: { readonly start: number }
  /**
   * The line's own discounts, applied before those of the whole invoice
   * (https://docs.stripe.com/billing/subscriptions/coupons).
   */
  readonly own: readonly Reduction[]
}

export interface TakenOff {
  readonly discount: string
  readonly amount: number
}

/**
 * The instant at which a discount ends, in calendar months from its start; null when it has no end
 * date.
 */
export function discountEnd(duration: string, months: number | null, start: number): number | null {
  return duration === 'repeating' ? addMonths(start, months ?? 0) : null
}

/** Whether a discount with this end applies to an invoice made at `at`. */
export function discountRuns(end: number | null, at: number): boolean {
  return end === null || at < end
}

/**
 * For each line the amount of each discount, in order: first the discounts of the line, then those
 * of the invoice. An amount off in another currency is ignored; an amount off is split over the
 * lines in proportion to what is left of them; no amount falls below zero.
 */
export function takeOff(
  lines: readonly DiscountableLine[],
  shared: readonly Reduction[],
  currency: string,
): TakenOff[][] {
  const left = lines.map((line) => line.amount)
  const taken: TakenOff[][] = lines.map(() => [])
  lines.forEach((line, index) => {
    for (const reduction of line.own) apply(reduction, [index], { lines, left, taken, currency })
  })
  for (const reduction of shared) {
    const all = lines.map((_, index) => index)
    apply(reduction, all, { lines, left, taken, currency })
  }
  return taken
}

interface Working {
  readonly lines: readonly DiscountableLine[]
  readonly left: number[]
  readonly taken: TakenOff[][]
  readonly currency: string
}

function apply(reduction: Reduction, candidates: readonly number[], work: Working): void {
  const hit = candidates.filter((index) => {
    const line = work.lines[index]
    if (line === undefined || !line.discountable || (work.left[index] ?? 0) <= 0) return false
    if (line.period !== undefined && !discountRuns(reduction.until ?? null, line.period.start)) return false
    return reduction.products === null || (line.product !== null && reduction.products.includes(line.product))
  })
  const amounts = hit.map((index) => work.left[index] ?? 0)
  const off = reductions(reduction, amounts, work.currency)
  hit.forEach((index, position) => {
    const amount = off[position] ?? 0
    work.left[index] = (work.left[index] ?? 0) - amount
    work.taken[index]?.push({ discount: reduction.discount, amount })
  })
}

function reductions(reduction: Reduction, amounts: readonly number[], currency: string): number[] {
  if (reduction.percentOff !== null) {
    const percent = reduction.percentOff
    return amounts.map((amount) => percentOf(amount, percent))
  }
  const off = reduction.currency === currency ? reduction.amountOff : reduction.options?.[currency]
  if (off === null || off === undefined) return amounts.map(() => 0)
  const whole = amounts.reduce((sum, amount) => sum + amount, 0)
  return split(Math.min(off, whole), amounts)
}
