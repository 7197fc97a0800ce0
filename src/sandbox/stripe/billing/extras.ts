// One-off items: `add_invoice_items` of a subscription request, and the amounts of an invoice item.
import type { Context } from '../../kernel/context.ts'
import { invalid } from '../../kernel/errors.ts'
import { mergeMetadata } from '../../kernel/params.ts'
import type { AddedItem } from '../subscription-params.ts'
import { chooseDiscounts, takeUp } from './discounts.ts'
import { checkedRates } from './items.ts'
import { productNamed, usablePriceFacts } from './lookups.ts'
import type { Mint } from './mint.ts'
import { times } from './money.ts'
import { amountFor } from './pricing.ts'
import type { InvoiceItemRow, SubscriptionRow } from './rows.ts'

interface Costs {
  readonly price: string | null
  readonly product: string | null
  readonly unit: string
  readonly amount: number
  readonly name: string | null
}

/** The amount of a one-off price, inline or not. */
export function onceCosts(
  context: Context,
  given: Pick<AddedItem, 'price' | 'price_data' | 'quantity'>,
  about: { currency: string; at: string },
): Costs {
  const quantity = given.quantity ?? 1
  const inline = given.price_data
  if (inline !== undefined) {
    if (inline.currency !== about.currency)
      throw invalid(`The currency of the price (${inline.currency}) does not match ${about.currency}.`, {
        param: `${about.at}[price_data][currency]`,
      })
    const unit = inline.unit_amount_decimal ?? String(inline.unit_amount ?? 0)
    const product = productNamed(context, inline.product, `${about.at}[price_data][product]`)
    return { price: null, product: product.id, unit, amount: times(quantity, unit), name: product.name }
  }
  const price = usablePriceFacts(context, given.price ?? '', `${about.at}[price]`)
  if (price.cadence !== null)
    throw invalid(
      'The price specified is set to `type=recurring` but this field only accepts prices with `type=one_time`.',
      { param: `${about.at}[price]` },
    )
  const amounts = price.amountsIn(about.currency)
  return {
    price: price.id,
    product: price.product,
    unit: amounts.unit ?? '0',
    amount: amountFor(amounts, price.terms, quantity),
    name: price.productName,
  }
}

/** The pending invoice items for `add_invoice_items`; not yet written. */
export function addedItems(
  context: Context,
  given: readonly AddedItem[] | undefined,
  about: { subscription: SubscriptionRow; mint: Mint },
): InvoiceItemRow[] {
  const { subscription, mint } = about
  return (given ?? []).map((one, index): InvoiceItemRow => {
    const at = `add_invoice_items[${index}]`
    const costs = onceCosts(context, one, { currency: subscription.currency, at })
    const id = mint.id('ii')
    const chosen =
      one.discounts === undefined
        ? []
        : chooseDiscounts(context, one.discounts, { customer: subscription.customer, mint, at: `${at}[discounts]` })
    return {
      id,
      created: context.now,
      customer: subscription.customer,
      subscription: subscription.id,
      subscription_item: null,
      invoice: null,
      amount: costs.amount,
      currency: subscription.currency,
      description: costs.name,
      discountable: one.discountable ?? true,
      discounts: takeUp(
        context,
        chosen,
        { customer: subscription.customer, invoice_item: id, start: context.now },
        mint,
      ),
      metadata: mergeMetadata({}, one.metadata),
      period: {
        start: one.period?.start.timestamp ?? context.now,
        end: one.period?.end.timestamp ?? context.now,
      },
      price: costs.price,
      product: costs.product,
      unit_amount_decimal: costs.unit,
      proration: false,
      quantity: one.quantity ?? 1,
      tax_rates: checkedRates(context, one.tax_rates, `${at}[tax_rates]`),
    }
  })
}
