import type { Diagnostic } from '../../core/diagnostic.ts'
import { isJsonObject, type Json } from '../../core/json.ts'
import { unchargeableAmounts } from '../../kinds/smallest-unit.ts'
import { type Draft, type DraftResource, placeIn } from '../draft.ts'
import { error, warning } from '../rule-names.ts'

const prices = (draft: Draft): readonly DraftResource[] => draft.resources.filter(({ kind }) => kind === 'price')

/** A price says its amount in exactly one way. */
export function priceAmount(draft: Draft): readonly Diagnostic[] {
  const ways = ['unit_amount', 'unit_amount_decimal', 'tiers', 'custom_unit_amount']
  return prices(draft).flatMap((price) => {
    const said = ways.filter((way) => price.value[way] !== undefined)
    if (said.length === 1) return []
    const message = said.length === 0 ? `${price.address} has no amount` : `${price.address} has ${said.join(' and ')}`
    return [error('price-amount', message, `write one of ${ways.join(', ')}`, placeIn(price, said.slice(1, 2), 'key'))]
  })
}

/** Tiers come with their scheme and mode, in rising order, and the last one has no end. */
export function priceTiers(draft: Draft): readonly Diagnostic[] {
  return prices(draft).flatMap((price) => {
    const { tiers, tiers_mode: mode, billing_scheme: scheme } = price.value
    const tiered = scheme === 'tiered'
    if (tiers === undefined && !tiered && mode === undefined) return []
    const wrong = (message: string, fix: string, name: string): Diagnostic =>
      error('price-tiers', `${price.address} ${message}`, fix, placeIn(price, [name], 'key'))
    if (tiers === undefined)
      return [wrong('is tiered but has no tiers', 'add tiers', tiered ? 'billing_scheme' : 'tiers_mode')]
    const found: Diagnostic[] = []
    if (!tiered) found.push(wrong('has tiers but is not tiered', 'add billing_scheme: tiered', 'tiers'))
    if (mode === undefined) found.push(wrong('has tiers but no mode', 'add tiers_mode: graduated or volume', 'tiers'))
    return [...found, ...tierOrder(price, tiers as readonly Json[])]
  })
}

function tierOrder(price: DraftResource, tiers: readonly Json[]): readonly Diagnostic[] {
  const ends = tiers.map((tier) => (isJsonObject(tier) ? tier['up_to'] : undefined))
  const bad = ends.findIndex((end, index) => {
    const last = index === ends.length - 1
    const before = index === 0 ? 0 : Number(ends[index - 1])
    return last ? end !== 'inf' : end === 'inf' || !(Number(end) > before)
  })
  if (bad === -1) return []
  const fix = 'each up_to is above the one before, and the last is inf'
  return [error('price-tiers', `the tiers of ${price.address} are not in order`, fix, placeIn(price, ['tiers', bad]))]
}

// https://docs.stripe.com/api/prices/create#create_price-recurring-interval_count
const mostIntervals: Readonly<Record<string, number>> = { year: 3, month: 36, week: 156, day: 1_095 }

/** A period is three years at most; a meter goes with metered use and only with it. */
export function priceRecurring(draft: Draft): readonly Diagnostic[] {
  return prices(draft).flatMap((price) => {
    const { recurring } = price.value
    if (!isJsonObject(recurring)) return []
    const found: Diagnostic[] = []
    const at = (name: string) => placeIn(price, ['recurring', name], 'key')
    const most = mostIntervals[String(recurring['interval'] as string)] ?? 1
    if (Number(recurring['interval_count'] ?? 1) > most)
      found.push(
        error(
          'price-interval',
          `${price.address} is billed more rarely than every three years`,
          `interval_count is ${most} at most`,
          at('interval_count'),
        ),
      )
    const metered = recurring['usage_type'] === 'metered'
    if (metered !== (recurring['meter'] !== undefined))
      found.push(
        error(
          'price-meter',
          `${price.address} has ${metered ? 'no meter' : 'a meter but is not metered'}`,
          'write usage_type: metered and meter together, or neither',
          at(metered ? 'usage_type' : 'meter'),
        ),
      )
    return found
  })
}

/**
 * Three-decimal currencies are charged in tens of the smallest unit. Old accounts hold prices from before that rule, so
 * that such an amount is a warning: the plan blocks the price and its people, and nobody else.
 */
export function priceSmallestUnit(draft: Draft): readonly Diagnostic[] {
  return prices(draft).flatMap((price) =>
    unchargeableAmounts(price.value).map(({ currency, path }) =>
      warning(
        'price-smallest-unit',
        `an amount in ${currency} must end in 0; nobody can be moved onto ${price.address}`,
        'Stripe takes three-decimal currencies in tens: map its people to another price, or exclude them',
        placeIn(price, path),
      ),
    ),
  )
}

/** A product's default price is a price of that product, and one that can be bought. */
export function defaultPrice(draft: Draft): readonly Diagnostic[] {
  const byKey = new Map(prices(draft).map((price) => [price.key, price]))
  return draft.resources.flatMap((product) => {
    const key = product.kind === 'product' ? product.value['default_price'] : undefined
    const price = typeof key === 'string' ? byKey.get(key) : undefined
    if (price === undefined) return []
    const at = placeIn(product, ['default_price'])
    if (price.value['product'] !== product.key)
      return [
        error(
          'default-price',
          `${price.address} is not a price of ${product.address}`,
          'name one of its own prices',
          at,
        ),
      ]
    if (price.value['active'] === false)
      return [error('default-price', `${price.address} is archived`, 'a default price must be active', at)]
    return []
  })
}
