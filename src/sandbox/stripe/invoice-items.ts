// https://docs.stripe.com/api/invoiceitems
import type Stripe from 'stripe'
import type { Context } from '../kernel/context.ts'
import { invalid } from '../kernel/errors.ts'
import { find, retrieveRoute, type Kind } from '../kernel/kind.ts'
import { listPage, paging } from '../kernel/lists.ts'
import { route, type Module } from '../kernel/module.ts'
import {
  currency,
  decimal,
  emptyable,
  fields,
  flag,
  inRange,
  int,
  list,
  mergeMetadata,
  metadata,
  oneOf,
  range,
  required,
  text,
  time,
  type Parsed,
} from '../kernel/params.ts'
import type { Wire } from '../kernel/wire.ts'
import { clockOfCustomer, ofCustomer } from './customer-row.ts'
import { heldCurrency, checkCurrency } from './billing/currency-lock.ts'
import { chooseDiscounts, running, takeUp } from './billing/discounts.ts'
import { onceCosts } from './billing/extras.ts'
import { checkedRates } from './billing/items.ts'
import { liveCustomer, settleCurrency } from './billing/lookups.ts'
import { realMint } from './billing/mint.ts'
import { times } from './billing/money.ts'
import { recompose } from './billing/recomposing.ts'
import { invoiceItems, invoices, subscriptions, type InvoiceItemRow, type InvoiceRow } from './billing/rows.ts'
import { discountsGiven, oncePriceData } from './subscription-params.ts'
import { ratesShown } from './subscription-view.ts'

const invoiceItemKind: Kind<InvoiceItemRow> = {
  table: invoiceItems,
  noun: 'invoiceitem',
  url: '/v1/invoiceitems',
  permission: 'invoices',
  render: renderInvoiceItem,
}

const permission = 'invoices'

const common = {
  amount: int(),
  description: text(),
  discountable: flag(),
  discounts: discountsGiven,
  metadata: metadata(),
  period: fields({ end: required(time()), start: required(time()) }),
  price_data: oncePriceData,
  pricing: fields({ price: text() }),
  quantity: int({ min: 0 }),
  tax_behavior: oneOf('exclusive', 'inclusive', 'unspecified'),
  tax_code: emptyable(text()),
  tax_rates: emptyable(list(text(), { max: 10 })),
  unit_amount_decimal: decimal(),
}
const createParams = fields({ ...common, currency, customer: required(text()), invoice: text(), subscription: text() })
const updateParams = fields(common)

export const invoiceItemModule: Module = {
  routes: [
    route('POST', '/v1/invoiceitems', {
      permission,
      params: createParams,
      handle: (context, given) => renderInvoiceItem(context, create(context, given)),
    }),
    retrieveRoute(invoiceItemKind),
    route('GET', '/v1/invoiceitems', {
      permission,
      params: fields({ ...paging, created: range(), customer: text(), invoice: text(), pending: flag() }),
      handle: (context, params) =>
        listPage(context, params, {
          table: invoiceItems,
          url: '/v1/invoiceitems',
          ...ofCustomer(context, params.customer),
          keep: (row) =>
            inRange(row.created, params.created) &&
            (params.invoice === undefined || row.invoice === params.invoice) &&
            (params.pending === undefined || params.pending === (row.invoice === null)),
          render: renderInvoiceItem,
        }),
    }),
    route('POST', '/v1/invoiceitems/:id', {
      permission,
      params: updateParams,
      handle: (context, given) => renderInvoiceItem(context, update(context, editable(context), given)),
    }),
    route('DELETE', '/v1/invoiceitems/:id', {
      permission,
      params: fields({}),
      handle(context) {
        const row = editable(context)
        context.table(invoiceItems).delete(row.id)
        if (row.invoice !== null) recompose(context, row.invoice)
        context.emit('invoiceitem.deleted', () => renderInvoiceItem(context, row))
        return { id: row.id, object: 'invoiceitem', deleted: true }
      },
    }),
  ],
  objects: {
    ii: (context, id) => {
      const row = context.table(invoiceItems).get(id)
      return row === undefined ? undefined : renderInvoiceItem(context, row)
    },
  },
}

/** An item on a finalized invoice cannot be changed. */
function editable(context: Context): InvoiceItemRow {
  const row = find(context, invoiceItemKind, context.id('id'))
  const invoice = row.invoice === null ? undefined : context.table(invoices).get(row.invoice)
  if (invoice !== undefined && invoice.status !== 'draft')
    throw invalid('The invoice item cannot be changed: it is attached to an invoice that is no longer editable.', {
      code: 'invoice_not_editable',
    })
  return row
}

function create(context: Context, given: Parsed<typeof createParams>): InvoiceItemRow {
  const customer = liveCustomer(context, given.customer, 'customer').id
  const invoice = draftNamed(context, given.invoice, customer)
  const subscription =
    given.subscription === undefined ? undefined : context.table(subscriptions).get(given.subscription)
  if (given.subscription !== undefined && subscription?.customer !== customer)
    throw invalid(`No such subscription: '${given.subscription}'`, { code: 'resource_missing', param: 'subscription' })
  const inCurrency =
    given.currency ??
    given.price_data?.currency ??
    subscription?.currency ??
    invoice?.currency ??
    heldCurrency(context, customer) ??
    context.account.settings.default_currency
  checkCurrency(context, customer, inCurrency)
  const behavior = given.tax_behavior ?? given.price_data?.tax_behavior
  // "Incompatible invoice items (… tax_behavior=unspecified) cannot be added to automatic tax
  // invoices" (SDK, automatic_tax).
  if (
    invoice?.automatic_tax.enabled === true &&
    given.pricing === undefined &&
    (behavior ?? 'unspecified') === 'unspecified'
  )
    throw invalid('The tax behavior of an item on an invoice with automatic tax must be exclusive or inclusive.', {
      param: 'tax_behavior',
    })
  const costs = costsOf(context, given, inCurrency)
  const mint = realMint(context)
  const id = context.newId('ii')
  const chosen =
    given.discounts === undefined || given.discounts === null
      ? []
      : chooseDiscounts(context, given.discounts, { customer, mint, at: 'discounts' })
  const row = context.table(invoiceItems).put({
    id,
    created: context.now,
    customer,
    subscription: given.subscription ?? null,
    subscription_item: null,
    invoice: given.invoice ?? null,
    amount: costs.amount,
    currency: inCurrency,
    description: given.description ?? costs.name,
    discountable: given.discountable ?? costs.amount >= 0,
    discounts: takeUp(context, chosen, { customer, invoice_item: id, start: context.now }, mint),
    metadata: mergeMetadata({}, given.metadata),
    period: given.period ?? { start: context.now, end: context.now },
    price: costs.price,
    product: costs.product,
    unit_amount_decimal: costs.unit,
    proration: false,
    quantity: given.quantity ?? 1,
    ...(behavior === undefined ? {} : { tax_behavior: behavior }),
    tax_rates: checkedRates(context, given.tax_rates, 'tax_rates'),
  })
  settleCurrency(context, customer, inCurrency)
  if (row.invoice !== null) recompose(context, row.invoice)
  context.emit('invoiceitem.created', () => renderInvoiceItem(context, row))
  return row
}

function draftNamed(context: Context, id: string | undefined, customer: string): InvoiceRow | undefined {
  if (id === undefined) return undefined
  const row = context.table(invoices).get(id)
  if (row?.customer !== customer)
    throw invalid(`No such invoice: '${id}'`, { code: 'resource_missing', param: 'invoice' })
  if (row.status !== 'draft')
    throw invalid('The invoice is no longer editable.', { code: 'invoice_not_editable', param: 'invoice' })
  return row
}

function costsOf(
  context: Context,
  given: Parsed<typeof updateParams>,
  inCurrency: string,
): ReturnType<typeof onceCosts> {
  const { amount, pricing, price_data, unit_amount_decimal: unit } = given
  const ways = [amount, pricing?.price, price_data, unit].filter((way) => way !== undefined)
  if (ways.length === 0)
    throw invalid('One of `amount`, `pricing[price]`, `price_data` or `unit_amount_decimal` is required.', {
      code: 'parameter_missing',
      param: 'amount',
    })
  if (ways.length > 1)
    throw invalid(
      'You may only specify one of these parameters: amount, pricing[price], price_data, unit_amount_decimal.',
      {
        param: 'amount',
      },
    )
  if (amount !== undefined) return { price: null, product: null, unit: String(amount), amount, name: null }
  if (unit !== undefined)
    return { price: null, product: null, unit, amount: times(given.quantity ?? 1, unit), name: null }
  return onceCosts(
    context,
    {
      ...(pricing?.price === undefined ? {} : { price: pricing.price }),
      ...(price_data === undefined ? {} : { price_data }),
      ...(given.quantity === undefined ? {} : { quantity: given.quantity }),
    },
    { currency: inCurrency, at: 'pricing' },
  )
}

function update(context: Context, row: InvoiceItemRow, given: Parsed<typeof updateParams>): InvoiceItemRow {
  const { amount, pricing, price_data, unit_amount_decimal: unit } = given
  const costly = [amount, pricing, price_data, unit].some((way) => way !== undefined)
  if (row.proration && costly) throw invalid('You cannot update the amount of a proration.', { param: 'amount' })
  const costs = costly ? costsOf(context, given, row.currency) : null
  const quantity = given.quantity ?? row.quantity
  const chosen =
    given.discounts === undefined
      ? null
      : chooseDiscounts(context, given.discounts ?? [], {
          customer: row.customer,
          mint: realMint(context),
          at: 'discounts',
        })
  const changed = context.table(invoiceItems).put({
    ...row,
    amount: costs?.amount ?? (given.quantity === undefined ? row.amount : times(quantity, row.unit_amount_decimal)),
    quantity,
    ...(costs === null ? {} : { price: costs.price, product: costs.product, unit_amount_decimal: costs.unit }),
    description: given.description ?? row.description,
    discountable: given.discountable ?? row.discountable,
    discounts:
      chosen === null
        ? row.discounts
        : takeUp(
            context,
            chosen,
            { customer: row.customer, invoice_item: row.id, start: context.now },
            realMint(context),
          ),
    metadata: mergeMetadata(row.metadata, given.metadata),
    period: given.period ?? row.period,
    tax_rates: given.tax_rates === undefined ? row.tax_rates : checkedRates(context, given.tax_rates, 'tax_rates'),
  })
  if (row.invoice !== null) recompose(context, row.invoice)
  return changed
}

function renderInvoiceItem(context: Context, row: InvoiceItemRow): Wire<Stripe.InvoiceItem> {
  return {
    id: row.id,
    object: 'invoiceitem',
    amount: row.amount,
    currency: row.currency,
    customer: row.customer,
    customer_account: null,
    date: row.created,
    description: row.description,
    discountable: row.discountable,
    discounts: running(context, row.discounts, row.created).map((discount) => discount.id),
    invoice: row.invoice,
    livemode: context.livemode,
    metadata: row.metadata,
    net_amount: row.amount,
    parent:
      row.subscription === null
        ? null
        : {
            subscription_details: {
              subscription: row.subscription,
              ...(row.subscription_item === null ? {} : { subscription_item: row.subscription_item }),
            },
            type: 'subscription_details',
          },
    period: row.period,
    pricing: {
      ...(row.price === null || row.product === null
        ? {}
        : { price_details: { price: row.price, product: row.product } }),
      type: 'price_details',
      unit_amount_decimal: row.unit_amount_decimal,
    },
    proration: row.proration,
    quantity: row.quantity,
    quantity_decimal: String(row.quantity),
    tax_rates: ratesShown(context, row.tax_rates),
    test_clock: clockOfCustomer(context, row.customer),
  }
}
