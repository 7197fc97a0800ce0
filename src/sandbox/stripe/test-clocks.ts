// https://docs.stripe.com/api/test_clocks
import type Stripe from 'stripe'
import { secondsPerDay, type Instant } from '../../core/instant.ts'
import { testClocks, type TestClockRow } from '../kernel/clock-rows.ts'
import type { Context } from '../kernel/context.ts'
import { invalid } from '../kernel/errors.ts'
import { find, retrieveRoute, type Kind } from '../kernel/kind.ts'
import { listPage, paging } from '../kernel/lists.ts'
import { route, type Module } from '../kernel/module.ts'
import { fields, required, text, time } from '../kernel/params.ts'
import type { Wire } from '../kernel/wire.ts'
import { subscriptions } from './billing/rows.ts'
import { customers } from './customer-row.ts'
import { deleteCustomer } from './customers.ts'
import { prices } from './prices.ts'

const kind: Kind<TestClockRow> = {
  table: testClocks,
  noun: 'testclock',
  url: '/v1/test_helpers/test_clocks',
  permission: 'billing_clocks',
  render,
}

/** A clock and its customers are deleted after this time. */
const lasting = 30 * secondsPerDay

export const testClockModule: Module = {
  routes: [
    route('POST', kind.url, {
      permission: kind.permission,
      params: fields({ frozen_time: required(time()), name: text({ max: 300 }) }),
      handle(context, { frozen_time, name }) {
        if (context.livemode) throw invalid('Test clocks can only be used in test mode.')
        const id = context.newId('clock')
        const created = context.now
        const row: TestClockRow = {
          id,
          created,
          frozen_time,
          name: name ?? null,
          deletes_after: created + lasting,
        }
        context.table(testClocks).put(row)
        context.emit('test_helpers.test_clock.created', () => render(context, row))
        return render(context, row)
      },
    }),
    retrieveRoute(kind),
    route('GET', kind.url, {
      permission: kind.permission,
      params: fields(paging),
      handle: (context, params) => listPage(context, params, { table: testClocks, url: kind.url, render }),
    }),
    route('POST', `${kind.url}/:id/advance`, {
      permission: kind.permission,
      params: fields({ frozen_time: required(time()) }),
      handle(context, { frozen_time: to }) {
        const row = find(context, kind, context.id('id'))
        checkStep(context, row, to)
        context.world.playClock(context.account, row.id, to)
        const advanced = find(context, kind, row.id)
        context.emit('test_helpers.test_clock.ready', () => render(context, advanced))
        // As in Stripe, the answer says that the clock is on its way; the next read says `ready`.
        const status_details = { advancing: { target_frozen_time: to } }
        return { ...render(context, advanced), status: 'advancing', status_details }
      },
    }),
    route('DELETE', `${kind.url}/:id`, {
      permission: kind.permission,
      params: fields({}),
      handle(context) {
        const row = find(context, kind, context.id('id'))
        for (const customer of context.table(customers).by('test_clock', row.id)) deleteCustomer(context, customer)
        context.table(testClocks).delete(row.id)
        context.world.forgetClock(row.id)
        return { id: row.id, object: 'test_helpers.test_clock', deleted: true }
      },
    }),
  ],
}

/**
 * Time goes forward only, and at most two intervals of the shortest subscription at once
 * (https://docs.stripe.com/billing/testing/test-clocks).
 */
function checkStep(context: Context, row: TestClockRow, to: Instant): void {
  if (to <= row.frozen_time)
    throw invalid('The frozen time must be after the current frozen time of the test clock.', { param: 'frozen_time' })
  const lived = context
    .table(customers)
    .by('test_clock', row.id)
    .flatMap(({ id }) => context.table(subscriptions).by('live', id))
  const lengths = lived.flatMap(({ items }) => items.map(({ price }) => daysOf(context, price)))
  if (to - row.frozen_time > 2 * Math.min(...lengths) * secondsPerDay)
    throw invalid(
      'Cannot advance more than two intervals from the current frozen time, based on the shortest subscription interval among all subscriptions linked to the test clock.',
      { param: 'frozen_time' },
    )
}

/** The longest that an interval of this price can be, in days. */
function daysOf(context: Context, price: string): number {
  const recurring = context.table(prices).get(price)?.recurring
  if (recurring == null) return Number.POSITIVE_INFINITY
  return { day: 1, week: 7, month: 31, year: 366 }[recurring.interval] * recurring.interval_count
}

function render(context: Context, row: TestClockRow): Wire<Stripe.TestHelpers.TestClock> {
  return {
    id: row.id,
    object: 'test_helpers.test_clock',
    created: row.created,
    deletes_after: row.deletes_after,
    frozen_time: row.frozen_time,
    livemode: context.livemode,
    name: row.name,
    status: 'ready',
    status_details: {},
  }
}
