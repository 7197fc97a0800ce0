import { formatInstant, instant } from '../../core/instant.ts'
import { isJsonObject, type Json, type JsonObject, objectIn, objectsIn } from '../../core/json.ts'
import { formatMoney } from '../../core/money.ts'

/**
 * What determines a subscription's charges, in words that can be compared: `price 49.00 usd every
 * month`, `20 % off until 2027-02-15T09:15:00Z`.
 */
export function termsOf(subscription: JsonObject): readonly string[] {
  const { billing_cycle_anchor: anchor, discounts, items, trial_end: trial, cancel_at: end } = subscription
  return [
    ...objectsIn(isJsonObject(items) ? items['data'] : []).map(itemTerm),
    ...objectsIn(discounts).map(discountTerm),
    ...taxTerms(subscription),
    ...(typeof anchor === 'number' ? [`billed on day ${formatInstant(instant(anchor)).slice(8, 10)}`] : []),
    ...(typeof trial === 'number' ? [`trial until ${formatInstant(instant(trial))}`] : []),
    ...(typeof end === 'number' ? [`ends ${formatInstant(instant(end))}`] : []),
  ]
}

function itemTerm({ price, quantity }: JsonObject): string {
  if (!isJsonObject(price)) return 'an item'
  const { unit_amount: amount, currency, recurring } = price
  const { interval = '', interval_count: count = 1 } = objectIn(recurring)
  const every = count === 1 ? `every ${said(interval)}` : `every ${said(count)} ${said(interval)}s`
  const money =
    typeof amount === 'number' && typeof currency === 'string'
      ? formatMoney({ amount, currency })
      : 'tiers or a decimal'
  return `price ${money} ${every}${typeof quantity === 'number' && quantity !== 1 ? ` × ${quantity}` : ''}`
}

function discountTerm({ source, end }: JsonObject): string {
  const coupon = isJsonObject(source) ? source['coupon'] : undefined
  const { percent_off: percent, amount_off: off, currency } = objectIn(coupon)
  const what =
    typeof percent === 'number'
      ? `${percent} % off`
      : typeof off === 'number' && typeof currency === 'string'
        ? `${formatMoney({ amount: off, currency })} off`
        : 'a discount'
  return typeof end === 'number' ? `${what} until ${formatInstant(instant(end))}` : what
}

function taxTerms({ automatic_tax: automatic, default_tax_rates: rates }: JsonObject): readonly string[] {
  const taxed = objectsIn(rates).map(
    ({ percentage, inclusive }) => `${said(percentage)} % tax${inclusive === true ? ' included' : ''}`,
  )
  return isJsonObject(automatic) && automatic['enabled'] === true ? [...taxed, 'automatic tax'] : taxed
}

/** A word or a number of an object; other values are left out. */
export function said(value: Json | undefined): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
}
