// The items that payment links and Checkout sessions sell.
// https://docs.stripe.com/api/checkout/sessions/line_items
import type Stripe from 'stripe'
import type { Context } from '../kernel/context.ts'
import { invalid } from '../kernel/errors.ts'
import { listOf, type Page } from '../kernel/lists.ts'
import { fields, flag, int, list, required, text, type Parsed } from '../kernel/params.ts'
import type { Wire } from '../kernel/wire.ts'
import { prices, renderPrice, usablePrice } from './prices.ts'

export interface SoldItem {
  readonly id: string
  readonly price: string
  readonly quantity: number
  readonly adjustable_quantity: {
    readonly enabled: boolean
    readonly maximum: number | null
    readonly minimum: number | null
  } | null
}

export const lineItems = list(
  fields({
    adjustable_quantity: fields({ enabled: required(flag()), maximum: int({ min: 1 }), minimum: int({ min: 0 }) }),
    price: required(text()),
    quantity: int({ min: 0 }),
  }),
  { min: 1, max: 20 },
)

/** The items of a request; all prices must be active and have one currency. */
export function soldItems(
  context: Context,
  given: Parsed<typeof lineItems>,
): { items: SoldItem[]; currency: string; recurring: boolean } {
  const rows = given.map(({ price }, index) => usablePrice(context, price, `line_items[${index}][price]`))
  const [first] = rows
  if (first === undefined)
    throw invalid('Missing required param: line_items.', { code: 'parameter_missing', param: 'line_items' })
  if (rows.some((row) => row.currency !== first.currency))
    throw invalid('All prices must have the same currency.', { param: 'line_items' })
  const items = given.map(({ adjustable_quantity: adjustable, price, quantity }) => ({
    id: context.newId('li'),
    price,
    quantity: quantity ?? 1,
    adjustable_quantity:
      adjustable === undefined
        ? null
        : { enabled: adjustable.enabled, maximum: adjustable.maximum ?? null, minimum: adjustable.minimum ?? null },
  }))
  return { items, currency: first.currency, recurring: rows.some((row) => row.recurring !== null) }
}

export function lineItemList(context: Context, items: readonly SoldItem[], url: string): Page {
  return listOf(
    items.map((item) => render(context, item)),
    { url },
  )
}

/** Minor units before discounts and taxes; tiered prices count as zero until they are billed. */
export function subtotalOf(context: Context, items: readonly SoldItem[]): number {
  return items.reduce((sum, item) => sum + amountOf(context, item), 0)
}

function amountOf(context: Context, item: SoldItem): number {
  return (context.table(prices).get(item.price)?.unit_amount ?? 0) * item.quantity
}

function render(context: Context, item: SoldItem): Wire<Stripe.LineItem> {
  const price = context.table(prices).get(item.price)
  const amount = amountOf(context, item)
  return {
    id: item.id,
    object: 'item',
    adjustable_quantity: item.adjustable_quantity,
    amount_discount: 0,
    amount_subtotal: amount,
    amount_tax: 0,
    amount_total: amount,
    currency: price?.currency ?? 'usd',
    description: price?.nickname ?? null,
    metadata: {},
    price: price === undefined ? null : renderPrice(context, price),
    quantity: item.quantity,
  }
}
