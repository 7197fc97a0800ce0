// https://docs.stripe.com/api/subscriptions
import { present } from '../../core/assert.ts'
import type { Context } from '../kernel/context.ts'
import { invalid, missing } from '../kernel/errors.ts'
import { find, retrieveRoute, type Kind } from '../kernel/kind.ts'
import { listPage } from '../kernel/lists.ts'
import { route, type Module } from '../kernel/module.ts'
import { fields, inRange, type Parsed } from '../kernel/params.ts'
import { searchRoute } from '../kernel/search.ts'
import { detailsGiven, managed, planChange } from './billing/changing.ts'
import { create, layOut } from './billing/creating.ts'
import { noticeOnTime, wake } from './billing/cycling.ts'
import { billLeftItems, endSubscription, giveUp } from './billing/ending.ts'
import { realMint } from './billing/mint.ts'
import { pause, resume } from './billing/pausing.ts'
import { subscriptions, type SubscriptionRow } from './billing/rows.ts'
import { applyChange } from './billing/applying.ts'
import {
  cancelParams,
  createParams,
  listParams,
  migrateParams,
  pauseParams,
  resumeParams,
  updateParams,
  type CancelGiven,
  type UpdateGiven,
} from './subscription-params.ts'
import { renderItem, renderSubscription } from './subscription-view.ts'
import { clockOfCustomer, customers, ofCustomer } from './customer-row.ts'
import { discounts } from './discounts.ts'

export const subscriptionKind: Kind<SubscriptionRow> = {
  table: subscriptions,
  noun: 'subscription',
  url: '/v1/subscriptions',
  permission: 'subscriptions',
  render: renderSubscription,
}

const permission = 'subscriptions'
const one = '/v1/subscriptions/:id'

export const subscriptionModule: Module = {
  routes: [
    route('POST', '/v1/subscriptions', {
      permission,
      params: createParams,
      handle: (context, given) =>
        renderSubscription(context, create(context, given, layOut(context, given, realMint(context)))),
    }),
    retrieveRoute(subscriptionKind),
    route('GET', '/v1/subscriptions', { permission, params: listParams, handle: listSubscriptions }),
    route('POST', one, {
      permission,
      params: updateParams,
      handle: (context, given) => renderSubscription(context, update(context, named(context), given)),
    }),
    route('DELETE', one, {
      permission,
      params: cancelParams,
      handle: (context, given) => renderSubscription(context, cancel(context, context.id('id'), given)),
    }),
    route('DELETE', `${one}/discount`, {
      permission,
      params: fields({}),
      handle: (context) => deleteDiscount(context, named(context)),
    }),
    route('POST', `${one}/pause`, {
      permission,
      params: pauseParams,
      handle: (context, given) => renderSubscription(context, pause(context, named(context), given)),
    }),
    route('POST', `${one}/resume`, {
      permission,
      params: resumeParams,
      handle: (context, given) => renderSubscription(context, resume(context, named(context), given)),
    }),
    searchRoute(subscriptionKind, {
      fields: { created: (row) => row.created, status: (row) => row.status, canceled_at: (row) => row.canceled_at },
      metadata: (row) => row.metadata,
    }),
    route('POST', `${one}/migrate`, { permission, params: migrateParams, handle: migrate }),
  ],
  objects: {
    sub: (context, id) => {
      const row = context.table(subscriptions).get(id)
      return row === undefined ? undefined : renderSubscription(context, row)
    },
    si: (context, id) => {
      const [row] = context.table(subscriptions).by('item', id)
      const item = row?.items.find((candidate) => candidate.id === id)
      return row === undefined || item === undefined ? undefined : renderItem(context, row, item)
    },
  },
  includes: {
    customer: {
      subscriptions: (context, id) => ({
        object: 'list',
        data: context
          .table(subscriptions)
          .by('live', id)
          .toReversed()
          .map((row) => renderSubscription(context, row)),
        has_more: false,
        url: `/v1/customers/${id}/subscriptions`,
      }),
    },
  },
  due: {
    'subscription.wake': { rank: 100, run: wake },
    'subscription.trial_notice': { rank: 40, run: noticeOnTime },
    'subscription.give_up': { rank: 130, run: giveUp },
    'subscription.left_items': { rank: 110, run: billLeftItems },
  },
  reactions: {
    'customer.deleted': (context, id) => {
      for (const row of context.table(subscriptions).by('live', id)) endSubscription(context, row, { how: 'request' })
    },
  },
}

function named(context: Context): SubscriptionRow {
  return find(context, subscriptionKind, context.id('id'))
}

/** Changes a subscription as requested. */
export function update(context: Context, row: SubscriptionRow, given: UpdateGiven): SubscriptionRow {
  return applyChange(context, { before: row, change: planChange(context, row, given, realMint(context)), given })
}

/**
 * Cancels at once. A subscription that has ended is `resource_missing`, although it can still be
 * read (stripe-go #1887).
 */
function cancel(context: Context, id: string, given: CancelGiven): SubscriptionRow {
  const row = find(context, subscriptionKind, id)
  if (row.status === 'canceled' || row.status === 'incomplete_expired') throw missing('subscription', id)
  if (row.schedule !== null) throw managed(row.schedule)
  return endSubscription(context, row, {
    how: 'request',
    invoiceNow: given.invoice_now ?? false,
    prorate: given.prorate ?? false,
    details: detailsGiven(row, given),
  })
}

/**
 * Every subscription that is not canceled, unless `status` says otherwise
 * (https://docs.stripe.com/api/subscriptions/list).
 */
function listSubscriptions(context: Context, params: Parsed<typeof listParams>) {
  const { customer, price, status, current_period_start: starts, current_period_end: ends } = params
  return listPage(context, params, {
    table: subscriptions,
    url: '/v1/subscriptions',
    ...(customer === undefined && price !== undefined ? { by: ['price', price] } : ofCustomer(context, customer)),
    keep: (row) =>
      hasStatus(context, row, status) &&
      inRange(row.created, params.created) &&
      (price === undefined || row.items.some((item) => item.price === price)) &&
      (params.collection_method === undefined || row.collection_method === params.collection_method) &&
      (params.automatic_tax === undefined || row.automatic_tax.enabled === params.automatic_tax.enabled) &&
      // Subscriptions of a test clock are listed only with their clock or their customer.
      (customer !== undefined && params.test_clock === undefined
        ? true
        : (clockOfCustomer(context, row.customer) ?? undefined) === params.test_clock) &&
      inRange(Math.max(...row.items.map((item) => item.current_period_start)), starts) &&
      inRange(Math.min(...row.items.map((item) => item.current_period_end)), ends),
    render: renderSubscription,
  })
}

/**
 * "canceled … including those belonging to deleted customers"; no other list has those (SDK,
 * SubscriptionListParams).
 */
function hasStatus(context: Context, row: SubscriptionRow, status: Parsed<typeof listParams>['status']): boolean {
  if (status === 'canceled') return row.status === 'canceled'
  if (context.table(customers).get(row.customer)?.deleted !== false) return false
  if (status === 'all') return true
  if (status === 'ended') return row.status === 'canceled' || row.status === 'incomplete_expired'
  return status === undefined ? row.status !== 'canceled' : row.status === status
}

function deleteDiscount(context: Context, row: SubscriptionRow): object {
  const [id] = row.discounts
  if (id === undefined) throw invalid('This subscription has no discount.', { code: 'resource_missing' })
  applyChange(context, {
    before: row,
    change: { row: { ...row, discounts: row.discounts.slice(1) }, items: [], lines: [], bill: false },
    given: {},
  })
  const { coupon, promotion_code, customer, start, subscription_item } = present(context.table(discounts).get(id), id)
  return {
    id,
    object: 'discount',
    checkout_session: null,
    customer,
    customer_account: null,
    deleted: true,
    invoice: null,
    invoice_item: null,
    promotion_code,
    source: { coupon, type: 'coupon' },
    start,
    subscription: row.id,
    subscription_item,
  }
}

/**
 * Classic mode can become flexible, never the reverse
 * (https://docs.stripe.com/billing/subscriptions/billing-mode).
 */
function migrate(context: Context, given: Parsed<typeof migrateParams>): object {
  const row = named(context)
  if (row.billing_mode === 'flexible')
    throw invalid('This subscription is already using the `flexible` billing mode.', { param: 'billing_mode' })
  const after: SubscriptionRow = {
    ...row,
    billing_mode: 'flexible',
    billing_mode_updated_at: context.now,
    proration_discounts: given.billing_mode.flexible?.proration_discounts ?? 'included',
  }
  const change = { row: after, items: [], lines: [], bill: false }
  return renderSubscription(context, applyChange(context, { before: row, change, given: {} }))
}
