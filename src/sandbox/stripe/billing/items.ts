// The items of a request: finds their prices, checks them against each other and makes rows of
// them.
import type { Context } from '../../kernel/context.ts'
import { invalid } from '../../kernel/errors.ts'
import { mergeMetadata } from '../../kernel/params.ts'
import type { ItemGiven } from '../subscription-params.ts'
import { usableTaxRate } from '../tax-rates.ts'
import { approximateSeconds, type Cadence } from './calendar.ts'
import { chooseDiscounts, takeUp, type Asker, type Chosen } from './discounts.ts'
import { inlinePrice, usablePriceFacts, type PriceFacts } from './lookups.ts'
import type { Mint } from './mint.ts'
import type { ItemRow } from './rows.ts'

export interface AskedItem {
  readonly price: PriceFacts
  readonly quantity: number | null
  readonly metadata: Readonly<Record<string, string>>
  readonly tax_rates: readonly string[]
  readonly chosen: readonly Chosen[]
  readonly billing_thresholds: ItemRow['billing_thresholds']
}

type PriceNamed = Pick<ItemGiven, 'price' | 'plan' | 'price_data'>

/** The price of an item, by id or inline. */
export function askedPrice(context: Context, given: PriceNamed, asker: Asker): PriceFacts | null {
  const { at } = asker
  const named = [given.price, given.plan, given.price_data].filter((value) => value !== undefined)
  if (named.length > 1)
    throw invalid('You may only specify one of these parameters: price, price_data, plan.', { param: at })
  if (given.price_data !== undefined) return inlinePrice(context, given.price_data, `${at}[price_data]`)
  const id = given.price ?? given.plan
  return id === undefined ? null : usablePriceFacts(context, id, `${at}[price]`)
}

export function askedItem(context: Context, given: ItemGiven, asker: Asker): AskedItem {
  const { at } = asker
  const price = askedPrice(context, given, asker)
  if (price === null)
    throw invalid(`Missing required param: ${at}[price].`, { code: 'parameter_missing', param: `${at}[price]` })
  if (price.cadence === null)
    throw invalid(
      `The price specified is set to \`type=one_time\` but this field only accepts prices with \`type=recurring\`.`,
      { param: `${at}[price]` },
    )
  if (price.metered && given.quantity !== undefined)
    throw invalid(`The quantity parameter is not supported for metered prices.`, { param: `${at}[quantity]` })
  return {
    price,
    quantity: price.metered ? null : (given.quantity ?? 1),
    metadata: mergeMetadata({}, given.metadata),
    tax_rates: checkedRates(context, given.tax_rates, `${at}[tax_rates]`),
    chosen:
      given.discounts === undefined || given.discounts === null
        ? []
        : chooseDiscounts(context, given.discounts, { ...asker, at: `${at}[discounts]` }),
    billing_thresholds: given.billing_thresholds ?? null,
  }
}

/** The tax rates that a request names: they must exist and be active. */
export function checkedRates(
  context: Context,
  ids: readonly string[] | null | undefined,
  at: string,
): readonly string[] {
  return (ids ?? []).map((id, index) => usableTaxRate(context, id, `${at}[${index}]`).id)
}

export function cadenceOf(price: PriceFacts): Cadence {
  return price.cadence ?? { interval: 'month', count: 1 }
}

/** The shortest period of the prices: the latest anchor is that far ahead. */
export function shortest(all: readonly PriceFacts[]): Cadence {
  const [first, ...rest] = all.map(cadenceOf)
  return rest.reduce(
    (least, one) => (approximateSeconds(one) < approximateSeconds(least) ? one : least),
    first ?? { interval: 'month', count: 1 },
  )
}

/**
 * Each price only once; one interval for all, except in flexible mode
 * (https://docs.stripe.com/billing/subscriptions/mixed-interval).
 */
export function checkTogether(all: readonly PriceFacts[], mode: 'classic' | 'flexible'): void {
  const seen = new Set<string>()
  for (const price of all) {
    if (seen.has(price.id))
      throw invalid(
        `Cannot add multiple subscription items with the same plan: ${price.id}. Use quantities or separate subscriptions instead.`,
        { param: 'items' },
      )
    seen.add(price.id)
  }
  const [first] = all.map(cadenceOf)
  if (
    mode === 'classic' &&
    all.map(cadenceOf).some((one) => one.interval !== first?.interval || one.count !== first.count)
  )
    throw invalid(
      'Currency and interval fields must match across all plans on this subscription. Found mismatch in interval field.',
      { param: 'items' },
    )
}

/**
 * The currency of a subscription: the requested one, or that of its first price. Every price must
 * have it.
 */
export function commonCurrency(all: readonly PriceFacts[], asked: string | undefined): string {
  const currency = asked ?? all[0]?.currency ?? 'usd'
  all.forEach((price, index) => {
    if (price.currency === currency || price.currencies.includes(currency)) return
    throw invalid(
      asked === undefined
        ? 'Currency and interval fields must match across all plans on this subscription. Found mismatch in currency field.'
        : `The price specified only supports \`${[price.currency, ...price.currencies].join('`, `')}\`. This doesn't match the expected currency: \`${currency}\`.`,
      { param: `items[${index}][price]` },
    )
  })
  return currency
}

/** The row of an item, with its discounts written. */
export function itemRow(
  context: Context,
  asked: AskedItem,
  about: {
    mint: Mint
    customer: string
    subscription: string
    created: number
    discountStart: number
    start: number
    end: number
  },
): ItemRow {
  const id = about.mint.id('si')
  return {
    id,
    created: about.created,
    price: asked.price.id,
    quantity: asked.quantity,
    metadata: asked.metadata,
    tax_rates: asked.tax_rates,
    discounts: takeUp(
      context,
      asked.chosen,
      { customer: about.customer, subscription: about.subscription, subscription_item: id, start: about.discountStart },
      about.mint,
    ),
    billing_thresholds: asked.billing_thresholds,
    current_period_start: about.start,
    current_period_end: about.end,
  }
}
