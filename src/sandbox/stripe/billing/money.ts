/**
 * Exact arithmetic on integer minor units. Decimals (prices, percentages) are read as text, never
 * as binary fractions.
 */

interface Exact {
  readonly digits: bigint
  readonly scale: number
}

const decimalText = /^(-?)(\d+)(?:\.(\d+))?$/

function exact(value: string | number): Exact {
  const match = decimalText.exec(typeof value === 'number' ? plain(value) : value)
  if (match === null) throw new RangeError(`not a decimal: ${value}`)
  const [, sign = '', whole = '', fraction = ''] = match
  return { digits: BigInt(`${sign}${whole}${fraction}`), scale: fraction.length }
}

/** Without an exponent, because `1e-7` would not be read. */
function plain(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(12).replace(/0+$/, '').replace(/\.$/, '')
}

/** Quotient rounded to the nearest whole number, halves away from zero. */
function divide(dividend: bigint, divisor: bigint): number {
  const negative = dividend < 0n !== divisor < 0n
  const top = dividend < 0n ? -dividend : dividend
  const bottom = divisor < 0n ? -divisor : divisor
  const rounded = (2n * top + bottom) / (2n * bottom)
  return Number(negative ? -rounded : rounded)
}

const ten = (scale: number): bigint => 10n ** BigInt(scale)

/** quantity × decimal amount in minor units, rounded once. */
export function times(quantity: number, amount: string | number): number {
  const factor = exact(amount)
  return divide(BigInt(quantity) * factor.digits, ten(factor.scale))
}

/** `percent` of an amount, rounded half away from zero. */
export function percentOf(amount: number, percent: string | number): number {
  const rate = exact(percent)
  return divide(BigInt(amount) * rate.digits, 100n * ten(rate.scale))
}

/** The share of `percent` in an amount that includes `all` percent. */
export function percentWithin(amount: number, percent: string | number, all: readonly (string | number)[]): number {
  const scale = 12
  const scaled = (value: string | number): bigint => {
    const rate = exact(value)
    return rate.digits * ten(scale - rate.scale)
  }
  const sum = all.reduce<bigint>((total, value) => total + scaled(value), 0n)
  return divide(BigInt(amount) * scaled(percent), 100n * ten(scale) + sum)
}

/** amount × part / whole, rounded half away from zero: proration by the second. */
export function fraction(amount: number, part: number, whole: number): number {
  return divide(BigInt(amount) * BigInt(part), BigInt(whole))
}

/** Splits `amount` by `weights`; the parts add up exactly. */
export function split(amount: number, weights: readonly number[]): number[] {
  const whole = weights.reduce((sum, weight) => sum + weight, 0)
  if (whole === 0) return weights.map(() => 0)
  let seen = 0
  let given = 0
  return weights.map((weight) => {
    seen += weight
    const upTo = fraction(amount, seen, whole)
    const part = upTo - given
    given = upTo
    return part
  })
}

/** A decimal as Stripe prints it: no exponent, no trailing zeros. */
export function decimalString(value: string | number): string {
  const text = typeof value === 'number' ? plain(value) : value
  return text.includes('.') ? text.replace(/0+$/, '').replace(/\.$/, '') : text
}

const threeDecimals = new Set(['bhd', 'jod', 'kwd', 'omr', 'tnd'])

/**
 * Currencies that are charged and refunded in steps of ten of the smallest unit
 * (https://docs.stripe.com/currencies#three-decimal).
 */
export function hasThreeDecimals(currency: string): boolean {
  return threeDecimals.has(currency)
}

const minimumCharge: Readonly<Record<string, number>> = {
  usd: 50,
  eur: 50,
  gbp: 30,
  aud: 50,
  cad: 50,
  chf: 50,
  nzd: 50,
  sgd: 50,
  brl: 50,
  inr: 50,
  dkk: 250,
  nok: 300,
  sek: 300,
  hkd: 400,
  jpy: 50,
  mxn: 1_000,
  pln: 200,
  czk: 1_500,
  huf: 17_500,
  aed: 200,
}

/**
 * The smallest amount that a card is charged; a smaller amount is put on the customer's balance
 * (https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts).
 */
export function smallestCharge(currency: string): number {
  return minimumCharge[currency] ?? 50
}

const wholeHundreds = new Set(['isk', 'ugx'])

/**
 * The step of a charge in minor units; the rest is put on the customer's balance
 * (https://docs.stripe.com/currencies#special-cases).
 */
export function chargeStep(currency: string): number {
  return wholeHundreds.has(currency) ? 100 : 1
}
