import { assert } from '../core/assert.ts'
import { lengthInDays, monthsOf, type Recurrence } from './calendar.ts'

/**
 * The amount of the next invoice of a subscription, for the money that a plan shows. Integer
 * arithmetic throughout (minor units; decimal unit amounts with up to twelve places as scaled big
 * integers), rounded half up as Stripe does. Where a cent may fall differently (several percent
 * discounts over several lines, automatic tax), Stripe's own preview is what a hand-over compares;
 * this is the forecast that needs no request.
 */
export interface BilledItem {
  /** Stripe's `unit_amount_decimal`; null when tiered. */
  readonly unitAmount: string | null
  readonly tiers: readonly Tier[]
  readonly tiersMode: 'graduated' | 'volume' | null
  readonly transform: { readonly divideBy: number; readonly round: 'up' | 'down' } | null
  readonly quantity: number
  readonly discounts: readonly AppliedDiscount[]
  readonly taxes: readonly AppliedTax[]
  /** For discounts that apply to some products only. */
  readonly product: string
}

export interface Tier {
  /** Null for the last one. */
  readonly upTo: number | null
  readonly unitAmount: string | null
  readonly flatAmount: string | null
}

export interface AppliedDiscount {
  readonly percentOff: number | null
  readonly amountOff: number | null
  /** Products it applies to; null for all. */
  readonly products: readonly string[] | null
}

interface AppliedTax {
  readonly percentage: number
  readonly inclusive: boolean
}

export interface InvoiceForecast {
  /** Before discounts and exclusive taxes. */
  readonly subtotal: number
  readonly discount: number
  /** Exclusive and inclusive together. */
  readonly tax: number
  readonly total: number
}

// 10^12: Stripe allows twelve decimal places.
const scale = 1_000_000_000_000n
// Percentages have up to four decimals.
const percentScale = 10_000

export function forecastInvoice(items: readonly BilledItem[], discounts: readonly AppliedDiscount[]): InvoiceForecast {
  const gross = items.map(lineAmount)
  let net = gross
  // Item discounts come before the subscription's
  // (https://docs.stripe.com/billing/subscriptions/coupons#stacking).
  items.forEach((item, i) => {
    for (const discount of item.discounts) net = discounted(net, items, discount, (_, at) => at === i)
  })
  for (const discount of discounts) net = discounted(net, items, discount, () => true)
  const taxes = items.map((item, i) => taxOf(net[i] ?? 0, item.taxes))
  const subtotal = sum(gross)
  return {
    subtotal,
    discount: subtotal - sum(net),
    tax: sum(taxes.map((tax) => tax.inclusive + tax.exclusive)),
    total: sum(net) + sum(taxes.map((tax) => tax.exclusive)),
  }
}

/**
 * Monthly recurring revenue of the items, before discounts and taxes, in minor units.
 */
export function monthlyAmount(
  items: readonly { readonly item: BilledItem; readonly recurrence: Recurrence }[],
): number {
  const micros = items.reduce((total, { item, recurrence }) => {
    const amount = lineAmount(item)
    const months = monthsOf(recurrence)
    return total + (months === undefined ? (amount * 30.436875) / lengthInDays(recurrence) : amount / months)
  }, 0)
  return Math.round(micros)
}

/** One line's amount before discounts and taxes, minor units. */
export function lineAmount(item: BilledItem): number {
  const quantity = transformed(item)
  if (item.tiersMode === 'graduated') return graduated(item.tiers, quantity)
  if (item.tiersMode === 'volume') {
    const tier = item.tiers.find(({ upTo }) => upTo === null || quantity <= upTo)
    return tier === undefined ? 0 : tierAmount(tier, quantity)
  }
  return times(item.unitAmount ?? '0', quantity)
}

function transformed({ quantity, transform }: BilledItem): number {
  if (transform === null) return quantity
  const share = quantity / transform.divideBy
  return transform.round === 'up' ? Math.ceil(share) : Math.floor(share)
}

function graduated(tiers: readonly Tier[], quantity: number): number {
  let total = 0
  let from = 0
  for (const tier of tiers) {
    const to = Math.min(quantity, tier.upTo ?? quantity)
    // The first tier's flat amount is due even for nothing.
    if (to > from || (from === 0 && quantity === 0)) total += tierAmount(tier, to - from)
    from = Math.max(from, to)
    if (from >= quantity) break
  }
  return total
}

function tierAmount(tier: Tier, quantity: number): number {
  return times(tier.unitAmount ?? '0', quantity) + times(tier.flatAmount ?? '0', 1)
}

function discounted(
  net: readonly number[],
  items: readonly BilledItem[],
  { percentOff, amountOff, products }: AppliedDiscount,
  within: (item: BilledItem, index: number) => boolean,
): number[] {
  const eligible = items.map((item, i) => within(item, i) && (products === null || products.includes(item.product)))
  if (percentOff !== null)
    return net.map((amount, i) => (eligible[i] === true ? amount - percentOf(amount, percentOff) : amount))
  const base = sum(net.filter((_, i) => eligible[i] === true))
  const off = Math.min(amountOff ?? 0, base)
  return allocate(net, eligible, off)
}

/**
 * Takes `off` from the eligible lines in proportion to their amounts. The last line takes the
 * rounding difference.
 */
function allocate(net: readonly number[], eligible: readonly boolean[], off: number): number[] {
  const base = sum(net.filter((_, i) => eligible[i] === true))
  if (base <= 0 || off <= 0) return [...net]
  let left = off
  let baseLeft = base
  return net.map((amount, i) => {
    if (eligible[i] !== true || amount === 0) return amount
    const share = divideHalfUp(BigInt(left) * BigInt(amount), BigInt(baseLeft))
    left -= share
    baseLeft -= amount
    return amount - share
  })
}

function taxOf(amount: number, taxes: readonly AppliedTax[]): { inclusive: number; exclusive: number } {
  const inclusiveRate = sum(taxes.filter((tax) => tax.inclusive).map((tax) => scaledPercent(tax.percentage)))
  const whole = 100 * percentScale
  const withoutTax = divideHalfUp(BigInt(amount) * BigInt(whole), BigInt(whole + inclusiveRate))
  const exclusive = taxes.filter((tax) => !tax.inclusive).map((tax) => percentOf(withoutTax, tax.percentage))
  return { inclusive: amount - withoutTax, exclusive: sum(exclusive) }
}

function percentOf(amount: number, percent: number): number {
  return divideHalfUp(BigInt(amount) * BigInt(scaledPercent(percent)), BigInt(100 * percentScale))
}

function scaledPercent(percent: number): number {
  return Math.round(percent * percentScale)
}

/** A decimal text in minor units times a whole quantity, rounded half up. */
function times(decimal: string, quantity: number): number {
  const match = /^(-?)(\d+)(?:\.(\d{1,12}))?$/.exec(decimal)
  assert(match !== null, `not a decimal amount: ${decimal}`)
  const [, sign, whole = '0', fraction = ''] = match
  const scaled = BigInt(whole) * scale + BigInt(fraction.padEnd(12, '0'))
  return divideHalfUp((sign === '-' ? -scaled : scaled) * BigInt(quantity), scale)
}

/** Half away from zero, as Stripe rounds credits too. */
function divideHalfUp(dividend: bigint, divisor: bigint): number {
  const negative = dividend < 0n
  const positive = negative ? -dividend : dividend
  const rounded = (2n * positive + divisor) / (2n * divisor)
  return Number(negative ? -rounded : rounded)
}

function sum(amounts: readonly number[]): number {
  return amounts.reduce((total, amount) => total + amount, 0)
}
