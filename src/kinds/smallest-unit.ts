import { isJsonObject, type Json, type JsonObject, objectIn } from '../core/json.ts'
import { decimals } from '../core/money.ts'

/** An amount that no account can charge, and its path in the price. */
export interface Unchargeable {
  readonly currency: string
  readonly amount: string
  readonly path: readonly (string | number)[]
}

/**
 * Amounts of a price that Stripe refuses to charge: three-decimal currencies need multiples of ten
 * of the smallest unit (https://docs.stripe.com/currencies#three-decimal). Tiers are not checked,
 * because an invoice adds them up and rounds.
 */
export function unchargeableAmounts(price: JsonObject): readonly Unchargeable[] {
  const options = objectIn(price['currency_options'])
  return [
    ...amountsOf(price['currency'], price, []),
    ...Object.entries(options).flatMap(([currency, option]) =>
      isJsonObject(option) ? amountsOf(currency, option, ['currency_options', currency]) : [],
    ),
  ]
}

function amountsOf(
  currency: Json | undefined,
  holder: JsonObject,
  path: Unchargeable['path'],
): readonly Unchargeable[] {
  const amount = holder['unit_amount']
  if (typeof currency !== 'string' || decimals(currency) !== 3 || typeof amount !== 'number') return []
  return amount % 10 === 0 ? [] : [{ currency, amount: String(amount), path: [...path, 'unit_amount'] }]
}
