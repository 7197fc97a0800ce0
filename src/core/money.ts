/**
 * Amounts are integers in the currency's smallest unit, as Stripe counts them
 * (https://docs.stripe.com/currencies).
 */
export interface Money {
  readonly amount: number
  /** Lower-case ISO 4217, as Stripe writes it. */
  readonly currency: string
}

// https://docs.stripe.com/currencies#zero-decimal and #three-decimal. isk and ugx are charged like
// two-decimal ones.
const zeroDecimal = new Set('bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf'.split(' '))
const threeDecimal = new Set('bhd jod kwd omr tnd'.split(' '))

/** Digits after the point: 0 for yen, 3 for Kuwaiti dinar, else 2. */
export function decimals(currency: string): 0 | 2 | 3 {
  if (zeroDecimal.has(currency)) return 0
  return threeDecimal.has(currency) ? 3 : 2
}

/** `49.00 usd`, `4900 jpy`, `-1.500 kwd`: exact, never rounded, the same in every locale. */
export function formatMoney({ amount, currency }: Money): string {
  const places = decimals(currency)
  const sign = amount < 0 ? '-' : ''
  const digits = String(Math.abs(amount)).padStart(places + 1, '0')
  const whole = places === 0 ? digits : digits.slice(0, -places)
  const fraction = places === 0 ? '' : `.${digits.slice(-places)}`
  return `${sign}${whole}${fraction} ${currency}`
}
