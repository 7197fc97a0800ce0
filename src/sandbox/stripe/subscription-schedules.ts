// https://docs.stripe.com/api/subscription_schedules
import type Stripe from 'stripe'
import type { Context } from '../kernel/context.ts'
import { invalid } from '../kernel/errors.ts'
import { find, retrieveRoute, type Kind } from '../kernel/kind.ts'
import { listPage } from '../kernel/lists.ts'
import { route, type Module } from '../kernel/module.ts'
import { fields, flag, inRange, mergeMetadata, type Range } from '../kernel/params.ts'
import type { Wire } from '../kernel/wire.ts'
import { clockOfCustomer, ofCustomer } from './customer-row.ts'
import { endSubscription } from './billing/ending.ts'
import { liveCustomer } from './billing/lookups.ts'
import { enter, keepSchedule, phaseAt, phaseOnTime, phasesOf, releaseSchedule } from './billing/phases.ts'
import { subscriptions, type SubscriptionRow } from './billing/rows.ts'
import { schedules, type PhaseRow, type ScheduleRow } from './billing/schedule-rows.ts'
import {
  createScheduleParams,
  listScheduleParams,
  updateScheduleParams,
  type CreateScheduleGiven,
  type DefaultsGiven,
  type UpdateScheduleGiven,
} from './schedule-params.ts'
import { ratesShown } from './subscription-view.ts'

const scheduleKind: Kind<ScheduleRow> = {
  table: schedules,
  noun: 'subscription_schedule',
  url: '/v1/subscription_schedules',
  permission: 'subscriptions',
  render: renderSchedule,
}

const permission = 'subscriptions'
const one = '/v1/subscription_schedules/:id'

export const scheduleModule: Module = {
  routes: [
    route('POST', '/v1/subscription_schedules', {
      permission,
      params: createScheduleParams,
      handle(context, given) {
        const row = createSchedule(context, given)
        context.emit('subscription_schedule.created', () => renderSchedule(context, row))
        return renderSchedule(context, row)
      },
    }),
    retrieveRoute(scheduleKind),
    route('GET', '/v1/subscription_schedules', {
      permission,
      params: listScheduleParams,
      handle: (context, params) =>
        listPage(context, params, {
          table: schedules,
          url: '/v1/subscription_schedules',
          ...ofCustomer(context, params.customer),
          keep: (row) =>
            inRange(row.created, params.created) &&
            within(row.canceled_at, params.canceled_at) &&
            within(row.completed_at, params.completed_at) &&
            within(row.released_at, params.released_at) &&
            (params.scheduled !== true || row.status === 'not_started'),
          render: renderSchedule,
        }),
    }),
    route('POST', one, {
      permission,
      params: updateScheduleParams,
      handle: (context, given) => renderSchedule(context, updateSchedule(context, running(context, 'update'), given)),
    }),
    route('POST', `${one}/cancel`, {
      permission,
      params: fields({ invoice_now: flag(), prorate: flag() }),
      handle: (context, given) => renderSchedule(context, cancelSchedule(context, running(context, 'cancel'), given)),
    }),
    route('POST', `${one}/release`, {
      permission,
      params: fields({ preserve_cancel_date: flag() }),
      handle(context, given) {
        const row = running(context, 'release')
        const subscription = row.subscription === null ? undefined : context.table(subscriptions).get(row.subscription)
        const released = releaseSchedule(context, row)
        if (subscription !== undefined && given.preserve_cancel_date === true && row.end_behavior === 'cancel')
          context
            .table(subscriptions)
            .put({ ...subscription, schedule: null, cancel_at: row.phases.at(-1)?.end_date ?? null })
        context.emit('subscription_schedule.released', () => renderSchedule(context, released))
        return renderSchedule(context, released)
      },
    }),
  ],
  objects: {
    sub_sched: (context, id) => {
      const row = context.table(schedules).get(id)
      return row === undefined ? undefined : renderSchedule(context, row)
    },
  },
  due: { 'schedule.phase': { rank: 50, run: phaseOnTime } },
}

function within(at: number | null, range: Range | undefined): boolean {
  return range === undefined || (at !== null && inRange(at, range))
}

function running(context: Context, doing: string): ScheduleRow {
  const row = find(context, scheduleKind, context.id('id'))
  if (row.status === 'active' || row.status === 'not_started') return row
  throw invalid(`You cannot ${doing} a subscription schedule that is currently in the \`${row.status}\` status.`)
}

function createSchedule(context: Context, given: CreateScheduleGiven): ScheduleRow {
  const { from_subscription: from, ...others } = given
  if (from !== undefined) {
    const [other] = Object.keys(others).filter((key) => key !== 'metadata')
    if (other !== undefined)
      throw invalid('You cannot set any other parameter when `from_subscription` is set.', { param: other })
    return adoptSubscription(context, from, given)
  }
  if (given.customer === undefined)
    throw invalid('Missing required param: customer.', { code: 'parameter_missing', param: 'customer' })
  if (given.phases === undefined)
    throw invalid('Missing required param: phases.', { code: 'parameter_missing', param: 'phases' })
  const customer = liveCustomer(context, given.customer, 'customer').id
  const asked = given.start_date ?? 'now'
  const start = asked === 'now' ? context.now : asked
  const row: ScheduleRow = {
    ...fresh(context, customer),
    billing_mode: given.billing_mode?.type ?? 'flexible',
    end_behavior: given.end_behavior ?? 'release',
    metadata: mergeMetadata({}, given.metadata),
    default_settings: defaultsOf(given.default_settings),
    phases: phasesOf(context, given.phases, start),
  }
  if (start > context.now) return keepSchedule(context, row)
  const phase = phaseAt(row, context.now)
  if (phase === undefined) throw invalid('All phases of the schedule lie in the past.', { param: 'phases' })
  return enter(context, row, phase)
}

function fresh(context: Context, customer: string): ScheduleRow {
  return {
    id: context.newId('sub_sched'),
    created: context.now,
    customer,
    status: 'not_started',
    subscription: null,
    released_subscription: null,
    canceled_at: null,
    completed_at: null,
    released_at: null,
    end_behavior: 'release',
    billing_mode: 'flexible',
    metadata: {},
    phases: [],
    default_settings: defaultsOf(undefined),
  }
}

function defaultsOf(given: DefaultsGiven | undefined): ScheduleRow['default_settings'] {
  return {
    billing_cycle_anchor: given?.billing_cycle_anchor ?? 'automatic',
    collection_method: given?.collection_method ?? null,
    default_payment_method: given?.default_payment_method ?? null,
    description: given?.description ?? null,
    days_until_due: given?.invoice_settings?.days_until_due ?? null,
    automatic_tax: given?.automatic_tax?.enabled ?? false,
  }
}

/** A schedule for an existing subscription: one phase, its current period. */
function adoptSubscription(context: Context, id: string, given: CreateScheduleGiven): ScheduleRow {
  const subscription = context.table(subscriptions).get(id)
  if (subscription === undefined)
    throw invalid(`No such subscription: '${id}'`, { code: 'resource_missing', param: 'from_subscription' })
  if (subscription.schedule !== null)
    throw invalid(`The subscription ${id} is already attached to the schedule ${subscription.schedule}.`, {
      param: 'from_subscription',
    })
  const row = keepSchedule(context, {
    ...fresh(context, subscription.customer),
    status: 'active',
    subscription: id,
    billing_mode: subscription.billing_mode,
    metadata: mergeMetadata({}, given.metadata),
    phases: [phaseOf(subscription)],
  })
  context.table(subscriptions).put({ ...subscription, schedule: row.id })
  return row
}

function phaseOf(subscription: SubscriptionRow): PhaseRow {
  return {
    start_date: Math.max(...subscription.items.map((item) => item.current_period_start)),
    end_date: Math.min(...subscription.items.map((item) => item.current_period_end)),
    currency: subscription.currency,
    given: {
      items: subscription.items.map((item) => ({
        price: item.price,
        quantity: item.quantity,
        metadata: item.metadata,
        tax_rates: item.tax_rates,
        discounts: item.discounts.map((discount) => ({ discount })),
      })),
      discounts: subscription.discounts.map((discount) => ({ discount })),
      proration_behavior: 'create_prorations',
      billing_cycle_anchor: null,
      collection_method: null,
      days_until_due: null,
      default_payment_method: subscription.default_payment_method,
      default_tax_rates: subscription.default_tax_rates,
      automatic_tax: subscription.automatic_tax.enabled,
      description: null,
      metadata: {},
      trial_end: subscription.status === 'trialing' ? subscription.trial_end : null,
    },
  }
}

/** New phases replace the existing ones; a change of the current phase takes effect at once. */
function updateSchedule(context: Context, row: ScheduleRow, given: UpdateScheduleGiven): ScheduleRow {
  const asked = given.phases?.[0]?.start_date
  const start = asked === undefined || asked === 'now' ? (row.phases[0]?.start_date ?? context.now) : asked
  const phases = given.phases === undefined ? row.phases : phasesOf(context, given.phases, start)
  const changed: ScheduleRow = {
    ...row,
    end_behavior: given.end_behavior ?? row.end_behavior,
    metadata: mergeMetadata(row.metadata, given.metadata),
    default_settings: given.default_settings === undefined ? row.default_settings : defaultsOf(given.default_settings),
    phases,
  }
  const [was, is] = [phaseAt(row, context.now), phaseAt(changed, context.now)]
  const same = was !== undefined && is !== undefined && JSON.stringify(was.given) === JSON.stringify(is.given)
  const after = is === undefined || same ? keepSchedule(context, changed) : enter(context, changed, is)
  context.emit('subscription_schedule.updated', () => renderSchedule(context, after))
  return after
}

/** `invoice_now` and `prorate` default to true here, unlike in `subscriptions.cancel` (SDK). */
function cancelSchedule(
  context: Context,
  row: ScheduleRow,
  given: { readonly invoice_now?: boolean; readonly prorate?: boolean },
): ScheduleRow {
  const canceled = keepSchedule(context, { ...row, status: 'canceled', canceled_at: context.now })
  const subscription = row.subscription === null ? undefined : context.table(subscriptions).get(row.subscription)
  if (subscription !== undefined)
    endSubscription(
      context,
      { ...subscription, schedule: null },
      { how: 'request', invoiceNow: given.invoice_now ?? true, prorate: given.prorate ?? true },
    )
  context.emit('subscription_schedule.canceled', () => renderSchedule(context, canceled))
  return canceled
}

function renderSchedule(context: Context, row: ScheduleRow): Wire<Stripe.SubscriptionSchedule> {
  const { default_settings: common } = row
  const current = row.status === 'active' ? phaseAt(row, context.now) : undefined
  return {
    id: row.id,
    object: 'subscription_schedule',
    application: null,
    billing_mode: {
      flexible: row.billing_mode === 'flexible' ? { proration_discounts: 'included' } : null,
      type: row.billing_mode,
    },
    canceled_at: row.canceled_at,
    completed_at: row.completed_at,
    created: row.created,
    current_phase: current === undefined ? null : { end_date: current.end_date, start_date: current.start_date },
    customer: row.customer,
    customer_account: null,
    default_settings: {
      application_fee_percent: null,
      automatic_tax: { disabled_reason: null, enabled: common.automatic_tax, liability: null },
      billing_cycle_anchor: common.billing_cycle_anchor,
      billing_thresholds: null,
      collection_method: common.collection_method ?? 'charge_automatically',
      default_payment_method: common.default_payment_method,
      description: common.description,
      invoice_settings: {
        account_tax_ids: null,
        custom_fields: null,
        days_until_due: common.days_until_due,
        description: null,
        footer: null,
        issuer: { type: 'self' },
      },
      on_behalf_of: null,
      transfer_data: null,
    },
    end_behavior: row.end_behavior,
    livemode: context.livemode,
    metadata: row.metadata,
    pause_schedules: [],
    phases: row.phases.map((phase) => renderPhase(context, phase)),
    released_at: row.released_at,
    released_subscription: row.released_subscription,
    status: row.status,
    subscription: row.subscription,
    test_clock: clockOfCustomer(context, row.customer),
  }
}

const named = (one: { readonly coupon?: string; readonly discount?: string; readonly promotion_code?: string }) => ({
  coupon: one.coupon ?? null,
  discount: one.discount ?? null,
  promotion_code: one.promotion_code ?? null,
})

function renderPhase(context: Context, phase: PhaseRow): Wire<Stripe.SubscriptionSchedule.Phase> {
  const { given } = phase
  return {
    add_invoice_items: [],
    application_fee_percent: null,
    ...(given.automatic_tax === null
      ? {}
      : { automatic_tax: { disabled_reason: null, enabled: given.automatic_tax, liability: null } }),
    billing_cycle_anchor: given.billing_cycle_anchor,
    billing_thresholds: null,
    collection_method: given.collection_method,
    currency: phase.currency,
    default_payment_method: given.default_payment_method,
    default_tax_rates: ratesShown(context, given.default_tax_rates),
    description: given.description,
    discounts: (given.discounts ?? []).map(named),
    end_date: phase.end_date,
    invoice_settings: null,
    items: given.items.map((item) => ({
      billing_thresholds: null,
      discounts: item.discounts.map(named),
      metadata: item.metadata,
      plan: item.price,
      price: item.price,
      ...(item.quantity === null ? {} : { quantity: item.quantity }),
      tax_rates: ratesShown(context, item.tax_rates),
    })),
    metadata: given.metadata,
    on_behalf_of: null,
    proration_behavior: given.proration_behavior,
    start_date: phase.start_date,
    transfer_data: null,
    trial_end: given.trial_end,
  }
}
