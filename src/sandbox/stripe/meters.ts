// https://docs.stripe.com/api/billing/meter
import type Stripe from 'stripe'
import { secondsPerDay, type Instant } from '../../core/instant.ts'
import type { Context } from '../kernel/context.ts'
import { invalid } from '../kernel/errors.ts'
import { find, retrieveRoute, type Kind } from '../kernel/kind.ts'
import { listOf, listPage, paging } from '../kernel/lists.ts'
import { route, type Module } from '../kernel/module.ts'
import { fields, oneOf, record, required, text, time } from '../kernel/params.ts'
import type { Row, TableDefinition } from '../kernel/tables.ts'
import type { Wire } from '../kernel/wire.ts'

interface MeterRow extends Row {
  readonly customer_key: string
  readonly deactivated_at: Instant | null
  readonly display_name: string
  readonly event_name: string
  readonly event_time_window: 'day' | 'hour' | null
  readonly formula: 'count' | 'last' | 'sum'
  readonly updated: Instant
  readonly value_key: string
}

interface UsageRow extends Row {
  readonly customer: string
  readonly meter: string
  readonly timestamp: Instant
  readonly value: number
}

const meters: TableDefinition<MeterRow> = { name: 'meters', indexes: { event_name: (row) => row.event_name } }
const usage: TableDefinition<UsageRow> = {
  name: 'meter_events',
  indexes: { of: (row) => `${row.meter}/${row.customer}` },
}

const kind: Kind<MeterRow> = {
  table: meters,
  noun: 'meter',
  url: '/v1/billing/meters',
  permission: 'billing_meters',
  render,
}

/** Usage is accepted from 35 days ago until 5 minutes ahead. */
const oldest = 35 * secondsPerDay
const ahead = 300

export const meterModule: Module = {
  routes: [
    route('POST', kind.url, {
      permission: 'billing_meters',
      params: fields({
        customer_mapping: fields({ event_payload_key: required(text({ max: 100 })), type: required(oneOf('by_id')) }),
        default_aggregation: required(fields({ formula: required(oneOf('count', 'last', 'sum')) })),
        display_name: required(text({ max: 250 })),
        event_name: required(text({ max: 100 })),
        event_time_window: oneOf('day', 'hour'),
        value_settings: fields({ event_payload_key: required(text({ max: 100 })) }),
      }),
      handle(context, params) {
        if (
          context
            .table(meters)
            .by('event_name', params.event_name)
            .some((row) => row.deactivated_at === null)
        )
          throw invalid(`An active meter with the event name \`${params.event_name}\` already exists.`, {
            param: 'event_name',
          })
        const row = context.table(meters).put({
          id: context.newId('mtr'),
          created: context.now,
          updated: context.now,
          customer_key: params.customer_mapping?.event_payload_key ?? 'stripe_customer_id',
          deactivated_at: null,
          display_name: params.display_name,
          event_name: params.event_name,
          event_time_window: params.event_time_window ?? null,
          formula: params.default_aggregation.formula,
          value_key: params.value_settings?.event_payload_key ?? 'value',
        })
        context.emit('billing.meter.created', render(context, row))
        return render(context, row)
      },
    }),
    retrieveRoute(kind),
    route('POST', `${kind.url}/:id`, {
      permission: 'billing_meters',
      params: fields({ display_name: text({ max: 250 }) }),
      handle: (context, params) =>
        change(
          context,
          { display_name: params.display_name ?? find(context, kind, context.id('id')).display_name },
          'updated',
        ),
    }),
    route('POST', `${kind.url}/:id/deactivate`, {
      permission: 'billing_meters',
      params: fields({}),
      handle(context) {
        if (find(context, kind, context.id('id')).deactivated_at !== null)
          throw invalid('This meter is already inactive.')
        return change(context, { deactivated_at: context.now }, 'deactivated')
      },
    }),
    route('POST', `${kind.url}/:id/reactivate`, {
      permission: 'billing_meters',
      params: fields({}),
      handle(context) {
        if (find(context, kind, context.id('id')).deactivated_at === null)
          throw invalid('This meter is already active.')
        return change(context, { deactivated_at: null }, 'reactivated')
      },
    }),
    route('GET', kind.url, {
      permission: 'billing_meters',
      params: fields({ ...paging, status: oneOf('active', 'inactive') }),
      handle: (context, params) =>
        listPage(context, params, {
          table: meters,
          url: kind.url,
          keep: (row) => params.status === undefined || (params.status === 'active') === (row.deactivated_at === null),
          render,
        }),
    }),
    route('GET', `${kind.url}/:id/event_summaries`, {
      permission: 'billing_meters',
      params: fields({
        ...paging,
        customer: required(text()),
        end_time: required(time()),
        start_time: required(time()),
      }),
      handle(context, params) {
        const row = find(context, kind, context.id('id'))
        const { customer, start_time: from, end_time: to } = params
        const summary = {
          id: `mtrusg_${row.id.slice(4)}${from}`,
          object: 'billing.meter_event_summary',
          aggregated_value: usageOf(context, { meter: row.id, customer, from, to }),
          end_time: to,
          livemode: context.livemode,
          meter: row.id,
          start_time: from,
        }
        return listOf([summary], { url: `${kind.url}/${row.id}/event_summaries` })
      },
    }),
    route('POST', '/v1/billing/meter_events', {
      permission: 'billing_meters',
      params: fields({
        event_name: required(text({ max: 100 })),
        identifier: text({ max: 100 }),
        payload: required(record(text({ max: 100 }), /^.{1,40}$/)),
        timestamp: time(),
      }),
      handle: (context, params) => recordUsage(context, params),
    }),
  ],
}

/** The meter of a price that was read from an account, of which the price shows the id alone. */
export function ensureMeter(context: Context, id: string): void {
  if (context.table(meters).has(id)) return
  context.table(meters).put({
    id,
    created: context.now,
    updated: context.now,
    customer_key: 'stripe_customer_id',
    deactivated_at: null,
    display_name: id,
    event_name: id,
    event_time_window: null,
    formula: 'sum',
    value_key: 'value',
  })
}

function change(context: Context, to: Partial<MeterRow>, event: string): object {
  const row = find(context, kind, context.id('id'))
  const changed = context.table(meters).put({ ...row, ...to, updated: context.now })
  context.emit(`billing.meter.${event}`, render(context, changed), render(context, row))
  return render(context, changed)
}

function recordUsage(
  context: Context,
  given: {
    readonly event_name: string
    readonly identifier?: string
    readonly payload: Readonly<Record<string, string>>
    readonly timestamp?: Instant
  },
): object {
  const meter = context
    .table(meters)
    .by('event_name', given.event_name)
    .find((row) => row.deactivated_at === null)
  if (meter === undefined)
    throw invalid(`No active meter found for event name ${given.event_name}`, {
      code: 'resource_missing',
      param: 'event_name',
    })
  const timestamp = given.timestamp ?? context.now
  if (timestamp < context.now - oldest || timestamp > context.now + ahead)
    throw invalid('The timestamp must be within the past 35 calendar days and not more than 5 minutes in the future.', {
      code: 'timestamp_invalid',
      param: 'timestamp',
    })
  const customer = given.payload[meter.customer_key]
  if (customer === undefined)
    throw invalid(`The event payload must have the key ${meter.customer_key}.`, {
      param: `payload[${meter.customer_key}]`,
    })
  const value = meter.formula === 'count' ? 1 : Number(given.payload[meter.value_key])
  if (!Number.isFinite(value))
    throw invalid('The value of the event payload must be a number.', { param: `payload[${meter.value_key}]` })
  const identifier = given.identifier ?? context.newId('mtrevt')
  if (context.table(usage).has(identifier))
    throw invalid(`An event already exists with identifier ${identifier}.`, {
      code: 'resource_already_exists',
      param: 'identifier',
    })
  context.table(usage).put({ id: identifier, created: context.now, customer, meter: meter.id, timestamp, value })
  return {
    object: 'billing.meter_event',
    created: context.now,
    event_name: given.event_name,
    identifier,
    livemode: context.livemode,
    payload: given.payload,
    timestamp,
  }
}

/** A customer's usage within [from, to), by the formula of the meter. */
export function usageOf(
  context: Context,
  of: { readonly meter: string; readonly customer: string; readonly from: number; readonly to: number },
): number {
  const meter = context.table(kind.table).get(of.meter)
  if (meter === undefined) return 0
  const rows = context
    .table(usage)
    .by('of', `${of.meter}/${of.customer}`)
    .filter((row) => row.timestamp >= of.from && row.timestamp < of.to)
    .toSorted((a, b) => a.timestamp - b.timestamp)
  return meter.formula === 'last' ? (rows.at(-1)?.value ?? 0) : rows.reduce((sum, row) => sum + row.value, 0)
}

function render(context: Context, row: MeterRow): Wire<Stripe.Billing.Meter> {
  return {
    id: row.id,
    object: 'billing.meter',
    created: row.created,
    customer_mapping: { event_payload_key: row.customer_key, type: 'by_id' },
    default_aggregation: { formula: row.formula },
    display_name: row.display_name,
    event_name: row.event_name,
    event_time_window: row.event_time_window,
    livemode: context.livemode,
    status: row.deactivated_at === null ? 'active' : 'inactive',
    status_transitions: { deactivated_at: row.deactivated_at },
    updated: row.updated,
    value_settings: { event_payload_key: row.value_key },
  }
}
