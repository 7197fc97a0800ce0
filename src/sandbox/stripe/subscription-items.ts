// https://docs.stripe.com/api/subscription_items: the changes of `items` in a subscription update,
// one item per request.
import type { Context } from '../kernel/context.ts'
import { missing } from '../kernel/errors.ts'
import { find } from '../kernel/kind.ts'
import { listOf, paging } from '../kernel/lists.ts'
import { route, type Module } from '../kernel/module.ts'
import { fields, flag, oneOf, required, text, time } from '../kernel/params.ts'
import { subscriptions, type ItemRow, type SubscriptionRow } from './billing/rows.ts'
import { itemShape, type ItemChange, type UpdateGiven } from './subscription-params.ts'
import { renderItem } from './subscription-view.ts'
import { subscriptionKind, update } from './subscriptions.ts'

const permission = 'subscriptions'
const how = {
  off_session: flag(),
  payment_behavior: oneOf('allow_incomplete', 'default_incomplete', 'error_if_incomplete', 'pending_if_incomplete'),
  proration_behavior: oneOf('always_invoice', 'create_prorations', 'none'),
  proration_date: time(),
}
type How = Pick<UpdateGiven, 'off_session' | 'payment_behavior' | 'proration_behavior' | 'proration_date'>

export const subscriptionItemModule: Module = {
  routes: [
    route('GET', '/v1/subscription_items', {
      permission,
      params: fields({ ...paging, subscription: required(text()) }),
      handle(context, params) {
        const row = find(context, subscriptionKind, params.subscription, 'subscription')
        const { limit = 10, starting_after } = params
        const from = starting_after === undefined ? 0 : row.items.findIndex((item) => item.id === starting_after) + 1
        const shown = row.items.slice(from, from + limit).map((item) => renderItem(context, row, item))
        return listOf(shown, { url: '/v1/subscription_items', has_more: from + limit < row.items.length })
      },
    }),
    route('POST', '/v1/subscription_items', {
      permission,
      params: fields({ ...itemShape, ...how, subscription: required(text()) }),
      handle(context, given) {
        const { subscription, ...rest } = given
        const row = find(context, subscriptionKind, subscription, 'subscription')
        const known = new Set(row.items.map((item) => item.id))
        const after = change(context, row, rest)
        return shown(context, after, (item) => !known.has(item.id))
      },
    }),
    route('GET', '/v1/subscription_items/:id', {
      permission,
      params: fields({}),
      handle: (context) => shown(context, holder(context), (item) => item.id === context.id('id')),
    }),
    route('POST', '/v1/subscription_items/:id', {
      permission,
      params: fields({ ...itemShape, ...how }),
      handle(context, given) {
        const after = change(context, holder(context), { ...given, id: context.id('id') })
        return shown(context, after, (item) => item.id === context.id('id'))
      },
    }),
    route('DELETE', '/v1/subscription_items/:id', {
      permission,
      params: fields({ clear_usage: flag(), ...how }),
      handle(context, given) {
        const { clear_usage: _usage, ...rest } = given
        change(context, holder(context), { ...rest, id: context.id('id'), deleted: true })
        return { id: context.id('id'), object: 'subscription_item', deleted: true }
      },
    }),
  ],
}

function holder(context: Context): SubscriptionRow {
  const [row] = context.table(subscriptions).by('item', context.id('id'))
  if (row === undefined) throw missing('subscription_item', context.id('id'))
  return row
}

function change(context: Context, row: SubscriptionRow, given: ItemChange & How): SubscriptionRow {
  const { off_session, payment_behavior, proration_behavior, proration_date, ...item } = given
  return update(context, row, {
    items: [item],
    ...(off_session === undefined ? {} : { off_session }),
    ...(payment_behavior === undefined ? {} : { payment_behavior }),
    ...(proration_behavior === undefined ? {} : { proration_behavior }),
    ...(proration_date === undefined ? {} : { proration_date }),
  })
}

function shown(context: Context, row: SubscriptionRow, which: (item: ItemRow) => boolean): object {
  const item = row.items.find(which)
  if (item === undefined) throw missing('subscription_item', context.path['id'] ?? '')
  return renderItem(context, row, item)
}
