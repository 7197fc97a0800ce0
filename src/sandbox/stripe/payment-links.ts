// Payment links: doors through which a visitor can still subscribe.
// https://docs.stripe.com/api/payment-link
import type Stripe from 'stripe'
import type { Context } from '../kernel/context.ts'
import { invalid } from '../kernel/errors.ts'
import { find, retrieveRoute, type Kind } from '../kernel/kind.ts'
import { listPage, paging } from '../kernel/lists.ts'
import { route, type Module } from '../kernel/module.ts'
import { currency, fields, flag, int, list, mergeMetadata, required, text, type Metadata } from '../kernel/params.ts'
import type { Row, TableDefinition } from '../kernel/tables.ts'
import type { Wire } from '../kernel/wire.ts'
import { lineItemList, lineItems, soldItems, type SoldItem } from './line-items.ts'
import { linkTerms, mergedTerms, shownTerms, type LinkTerms } from './payment-link-terms.ts'

export interface PaymentLinkRow extends Row {
  readonly active: boolean
  readonly currency: string
  readonly items: readonly SoldItem[]
  readonly metadata: Metadata
  readonly recurring: boolean
  readonly terms: LinkTerms
}

export const paymentLinks: TableDefinition<PaymentLinkRow> = { name: 'payment_links' }
const kind: Kind<PaymentLinkRow> = {
  table: paymentLinks,
  noun: 'payment_link',
  url: '/v1/payment_links',
  permission: 'payment_links',
  render,
}

/** Only the quantity of an item can change. */
const changedItems = list(
  fields({
    adjustable_quantity: fields({ enabled: required(flag()), maximum: int({ min: 1 }), minimum: int({ min: 0 }) }),
    id: required(text()),
    quantity: int({ min: 0 }),
  }),
)

export const paymentLinkModule: Module = {
  routes: [
    route('POST', kind.url, {
      permission: 'payment_links',
      params: fields({ ...linkTerms, currency, line_items: required(lineItems) }),
      handle(context, params) {
        const { line_items: sold, currency: named, metadata, ...terms } = params
        const { items, currency: own, recurring } = soldItems(context, sold)
        if (terms.subscription_data !== undefined && !recurring)
          throw invalid('`subscription_data` needs at least one recurring price.', { param: 'subscription_data' })
        const row = context.table(paymentLinks).put({
          id: context.newId('plink'),
          created: context.now,
          active: true,
          currency: named ?? own,
          items,
          metadata: mergeMetadata({}, metadata),
          recurring,
          terms: mergedTerms({}, terms),
        })
        context.emit('payment_link.created', render(context, row))
        return render(context, row)
      },
    }),
    retrieveRoute(kind),
    route('POST', `${kind.url}/:id`, {
      permission: 'payment_links',
      params: fields({ ...linkTerms, active: flag(), line_items: changedItems }),
      handle(context, params) {
        const row = find(context, kind, context.id('id'))
        const { active, line_items: items, metadata, ...terms } = params
        if (terms.subscription_data?.description !== undefined)
          throw invalid('Received unknown parameter: subscription_data[description]', {
            code: 'parameter_unknown',
            param: 'subscription_data[description]',
          })
        const changed = context.table(paymentLinks).put({
          ...row,
          active: active ?? row.active,
          items: items === undefined ? row.items : row.items.map((item) => itemAfter(item, items)),
          metadata: mergeMetadata(row.metadata, metadata),
          terms: mergedTerms(row.terms, terms),
        })
        context.emit('payment_link.updated', render(context, changed), render(context, row))
        return render(context, changed)
      },
    }),
    route('GET', kind.url, {
      permission: 'payment_links',
      params: fields({ ...paging, active: flag() }),
      handle: (context, params) =>
        listPage(context, params, {
          table: paymentLinks,
          url: kind.url,
          keep: (row) => params.active === undefined || row.active === params.active,
          render,
        }),
    }),
    route('GET', `${kind.url}/:id/line_items`, {
      permission: 'payment_links',
      params: fields({ ...paging }),
      handle: (context) => items(context, context.id('id')),
    }),
  ],
  objects: {
    plink: (context, id) => {
      const row = context.table(paymentLinks).get(id)
      return row === undefined ? undefined : render(context, row)
    },
  },
  includes: { payment_link: { line_items: items } },
}

function itemAfter(item: SoldItem, given: ReturnType<(typeof changedItems)['parse']>): SoldItem {
  const change = given.find(({ id }) => id === item.id)
  if (change === undefined) return item
  const { adjustable_quantity: adjustable, quantity } = change
  return {
    ...item,
    quantity: quantity ?? item.quantity,
    adjustable_quantity:
      adjustable === undefined
        ? item.adjustable_quantity
        : { enabled: adjustable.enabled, maximum: adjustable.maximum ?? null, minimum: adjustable.minimum ?? null },
  }
}

function items(context: Context, id: string): object {
  return lineItemList(context, find(context, kind, id).items, `${kind.url}/${id}/line_items`)
}

function render(context: Context, row: PaymentLinkRow): Wire<Omit<Stripe.PaymentLink, 'line_items'>> {
  return {
    id: row.id,
    object: 'payment_link',
    active: row.active,
    application: null,
    application_fee_amount: null,
    application_fee_percent: null,
    currency: row.currency,
    livemode: context.livemode,
    managed_payments: null,
    metadata: row.metadata,
    on_behalf_of: null,
    payment_method_options: null,
    transfer_data: null,
    url: `https://buy.stripe.com/${context.livemode ? '' : 'test_'}${row.id.slice('plink_'.length)}`,
    ...shownTerms(context, row.terms, row.recurring),
  }
}
