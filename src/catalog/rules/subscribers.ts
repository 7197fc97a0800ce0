import type { Diagnostic } from '../../core/diagnostic.ts'
import { isJsonObject, type JsonObject, textIn } from '../../core/json.ts'
import { type Draft, placeOfSubscriber } from '../draft.ts'
import { eitherOverride, overrideCodes } from '../override-codes.ts'
import { error } from '../rule-names.ts'
import type { DesiredSubscriber } from '../types.ts'

/** A subscriber that is not excluded has a customer, items and an anchor. */
export function subscriberTerms(draft: Draft): readonly Diagnostic[] {
  return draft.subscribers
    .filter((one) => one.excluded === undefined)
    .flatMap((one) => {
      const missing = [
        ...(one.customer === '' ? ['customer'] : []),
        ...(one.items.length === 0 ? ['items'] : []),
        ...(one.anchor === 0 ? ['anchor'] : []),
      ]
      if (missing.length === 0) return []
      const fix =
        'run crossbill pull, which writes them; or write excluded: with a reason if the subscriber stays in the source'
      return [error('missing-key', `${one.key} has no ${missing.join(', no ')}`, fix, one.at)]
    })
}

/** An excluded subscriber is not moved. */
export function excludedStage(draft: Draft): readonly Diagnostic[] {
  return draft.subscribers
    .filter((one) => one.excluded !== undefined && one.stage !== 'source')
    .map((one) => {
      const fix =
        'delete excluded: to move the subscriber or leave them where they are; to leave them in the old account, write stage: source (one who was moved is reverted first, without excluded:)'
      return error(
        'excluded-stage',
        `${one.key} is excluded but has stage ${one.stage}`,
        fix,
        placeOfSubscriber(draft, one, ['excluded']),
      )
    })
}

/** `override` gives one answer to one question. */
export function overrideTwice(draft: Draft): readonly Diagnostic[] {
  return draft.subscribers.flatMap((one) =>
    eitherOverride
      .filter((codes) => codes.every((code) => one.override?.includes(code) === true))
      .map(([first, second]) =>
        error(
          'override-twice',
          `${one.key} names ${first} and ${second} under override`,
          `keep the one that you mean: ${first}: ${overrideCodes[first]} · ${second}: ${overrideCodes[second]}`,
          placeOfSubscriber(draft, one, ['override']),
        ),
      ),
  )
}

/**
 * A subscription has recurring prices in one currency, and all its prices and amount-off coupons
 * support that currency.
 */
export function* subscriberCurrency(draft: Draft): Iterable<Diagnostic> {
  const prices = valuesOf(draft, 'price')
  const coupons = valuesOf(draft, 'coupon')
  for (const one of draft.subscribers) yield* ofSubscriber(draft, one, prices, coupons)
}

function ofSubscriber(
  draft: Draft,
  one: DesiredSubscriber,
  prices: ReadonlyMap<string, JsonObject>,
  coupons: ReadonlyMap<string, JsonObject>,
): readonly Diagnostic[] {
  const found: Diagnostic[] = []
  const first = prices.get(one.items[0]?.price ?? '')?.['currency']
  const currency = one.currency ?? textIn(first)
  for (const [index, item] of one.items.entries()) {
    const price = prices.get(item.price)
    if (price === undefined) continue
    const at = (name: string) => placeOfSubscriber(draft, one, ['items', index, name])
    if (price['recurring'] === undefined)
      found.push(
        error(
          'price-not-recurring',
          `price.${item.price} is a one-time price`,
          'a subscription needs a recurring price',
          at('price'),
        ),
      )
    if (!has(price, currency)) {
      const fix = 'map it to a price in that currency, or add the currency to its currency_options'
      found.push(
        error(
          'currency-mismatch',
          `${one.key} is billed in ${currency}, but price.${item.price} is not`,
          fix,
          at('price'),
        ),
      )
    }
  }
  for (const [index, { coupon: key }] of one.discounts.entries()) {
    const coupon = coupons.get(key)
    if (coupon === undefined || coupon['amount_off'] === undefined || has(coupon, currency)) continue
    const message = `coupon.${key} has an amount off, but not in ${currency}`
    const fix = 'add the currency to its currency_options, or use another coupon'
    found.push(error('currency-mismatch', message, fix, placeOfSubscriber(draft, one, ['discounts', index, 'coupon'])))
  }
  return found
}

function has(value: JsonObject, currency: string): boolean {
  const options = value['currency_options']
  return value['currency'] === currency || (isJsonObject(options) && currency in options)
}

function valuesOf(draft: Draft, kind: string): ReadonlyMap<string, JsonObject> {
  return new Map(draft.resources.filter((one) => one.kind === kind).map((one) => [one.key, one.value]))
}
