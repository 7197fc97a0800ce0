import type { Diagnostic } from '../../core/diagnostic.ts'
import { isJsonObject, type Json } from '../../core/json.ts'
import { unchargeableAmounts } from '../../kinds/smallest-unit.ts'
import { type Draft, type DraftResource, placeIn } from '../draft.ts'
import { error, warning } from '../rule-names.ts'

const prices = (draft: Draft): readonly DraftResource[] => draft.resources.filter(({ kind }) => kind === 'price')

/** A price gives its amount in exactly one way. */
export function priceAmount(draft: Draft): readonly Diagnostic[] {
  const ways = ['unit_amount', 'unit_amount_decimal', 'tiers', 'custom_unit_amount']
  return prices(draft).flatMap((price) => {
    const said = ways.filter((way) => price.value[way] !== undefined)
    if (said.length === 1) return []
    const message = said.length === 0 ? `${price.address} has no amount` : `${price.address} has ${said.join(' and ')}`
    return [error('price-amount', message, `write one of ${ways.join(', ')}`, placeIn(price, said.slice(1, 2), 'key'))]
  })
}

/** Tiers need their scheme and mode, and rise; the last tier is open-ended. */
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
  const fix = 'make each up_to larger than the previous one, and the last one inf'
  return [error('price-tiers', `the tiers of ${price.address} are not in order`, fix, placeIn(price, ['tiers', bad]))]
}

// https://docs.stripe.com/api/prices/create#create_price-recurring-interval_count
const mostIntervals: Readonly<Record<string, number>> = { year: 3, month: 36, week: 156, day: 1_095 }

/** A period is at most three years; a price has a meter if and only if its usage is metered. */
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
          `${price.address} has a billing period of more than three years`,
          `set interval_count to ${most} or less`,
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
 * Amounts in three-decimal currencies must be multiples of ten of the smallest unit. Old accounts
 * hold prices from before that rule, so this is a warning: the plan blocks only the price and its
 * subscribers.
 */
export function priceSmallestUnit(draft: Draft): readonly Diagnostic[] {
  return prices(draft).flatMap((price) =>
    unchargeableAmounts(price.value).map(({ currency, path }) =>
      warning(
        'price-smallest-unit',
        `an amount in ${currency} must end in 0; no subscriber can be moved to ${price.address}`,
        'Stripe charges three-decimal currencies in multiples of 10: map its subscribers to another price, or exclude them',
        placeIn(price, path),
      ),
    ),
  )
}

/** A product's default price belongs to that product and is active. */
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
          'name a price of this product',
          at,
        ),
        // The price may be the end that is wrong, and would be replaced for another product.
        error(
          'default-price',
          `${price.address} is the default price of ${product.address}, but belongs to another product`,
          'correct its product, or give that product another default price',
          placeIn(price, ['product']),
        ),
      ]
    if (price.value['active'] === false)
      return [error('default-price', `${price.address} is archived`, 'name an active price', at)]
    return []
  })
}
