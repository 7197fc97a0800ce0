// https://docs.stripe.com/api/shipping_rates
import type Stripe from 'stripe'
import type { Context } from '../kernel/context.ts'
import { invalid } from '../kernel/errors.ts'
import { find, retrieveRoute, type Kind } from '../kernel/kind.ts'
import { listPage, paging } from '../kernel/lists.ts'
import { route, type Module } from '../kernel/module.ts'
import {
  currency,
  fields,
  flag,
  inRange,
  int,
  mergeMetadata,
  metadata,
  oneOf,
  range,
  record,
  required,
  text,
  type Metadata,
  type Parsed,
} from '../kernel/params.ts'
import type { Row, TableDefinition } from '../kernel/tables.ts'
import type { Wire } from '../kernel/wire.ts'
import { taxBehavior } from './pricing.ts'

type Behavior = Parsed<typeof taxBehavior>
interface Option {
  readonly amount: number
  readonly tax_behavior: Behavior
}

interface ShippingRateRow extends Row {
  readonly active: boolean
  readonly amount: number
  readonly currency: string
  readonly currency_options: Readonly<Record<string, Option>>
  readonly delivery_estimate: Wire<Stripe.ShippingRate.DeliveryEstimate> | null
  readonly display_name: string
  readonly metadata: Metadata
  readonly tax_behavior: Behavior
  readonly tax_code: string | null
}

export const shippingRates: TableDefinition<ShippingRateRow> = { name: 'shipping_rates' }
const kind: Kind<ShippingRateRow> = {
  table: shippingRates,
  noun: 'shipping rate',
  url: '/v1/shipping_rates',
  permission: 'shipping_rates',
  render,
}

const amount = int({ min: 0 })
const bound = fields({
  unit: required(oneOf('business_day', 'day', 'hour', 'month', 'week')),
  value: required(int({ min: 1 })),
})

export const shippingRateModule: Module = {
  routes: [
    route('POST', kind.url, {
      permission: 'shipping_rates',
      params: fields({
        delivery_estimate: fields({ maximum: bound, minimum: bound }),
        display_name: required(text({ max: 100 })),
        fixed_amount: fields({
          amount: required(amount),
          currency: required(currency),
          currency_options: record(fields({ amount: required(amount), tax_behavior: taxBehavior })),
        }),
        metadata: metadata(),
        tax_behavior: taxBehavior,
        tax_code: text(),
        type: oneOf('fixed_amount'),
      }),
      handle(context, params) {
        const { fixed_amount: fixed, delivery_estimate: estimate } = params
        if (fixed === undefined)
          throw invalid('Missing required param: fixed_amount.', { code: 'parameter_missing', param: 'fixed_amount' })
        const row = context.table(shippingRates).put({
          id: context.newId('shr'),
          created: context.now,
          active: true,
          amount: fixed.amount,
          currency: fixed.currency,
          currency_options: withBehavior(fixed.currency_options ?? {}),
          delivery_estimate:
            estimate === undefined ? null : { maximum: estimate.maximum ?? null, minimum: estimate.minimum ?? null },
          display_name: params.display_name,
          metadata: mergeMetadata({}, params.metadata),
          tax_behavior: params.tax_behavior ?? 'unspecified',
          tax_code: params.tax_code ?? null,
        })
        return render(context, row)
      },
    }),
    retrieveRoute(kind),
    route('POST', `${kind.url}/:id`, {
      permission: 'shipping_rates',
      params: fields({
        active: flag(),
        fixed_amount: fields({ currency_options: record(fields({ amount, tax_behavior: taxBehavior })) }),
        metadata: metadata(),
        tax_behavior: taxBehavior,
      }),
      handle(context, params) {
        const row = find(context, kind, context.id('id'))
        if (
          params.tax_behavior !== undefined &&
          row.tax_behavior !== 'unspecified' &&
          params.tax_behavior !== row.tax_behavior
        )
          throw invalid("You cannot update a shipping rate's `tax_behavior` once it is set.", { param: 'tax_behavior' })
        const changed = context.table(shippingRates).put({
          ...row,
          active: params.active ?? row.active,
          currency_options: {
            ...row.currency_options,
            ...withBehavior(params.fixed_amount?.currency_options ?? {}, row.currency_options),
          },
          metadata: mergeMetadata(row.metadata, params.metadata),
          tax_behavior: params.tax_behavior ?? row.tax_behavior,
        })
        return render(context, changed)
      },
    }),
    route('GET', kind.url, {
      permission: 'shipping_rates',
      params: fields({ ...paging, active: flag(), created: range(), currency }),
      handle: (context, params) =>
        listPage(context, params, {
          table: shippingRates,
          url: kind.url,
          keep: (row) =>
            (params.active === undefined || row.active === params.active) &&
            (params.currency === undefined || row.currency === params.currency) &&
            inRange(row.created, params.created),
          render,
        }),
    }),
  ],
  objects: {
    shr: (context, id) => {
      const row = context.table(shippingRates).get(id)
      return row === undefined ? undefined : render(context, row)
    },
  },
  includable: { shipping_rate: ['fixed_amount.currency_options'] },
}

function withBehavior(
  given: Readonly<Record<string, { readonly amount?: number; readonly tax_behavior?: Behavior }>>,
  before: Readonly<Record<string, Option>> = {},
): Readonly<Record<string, Option>> {
  return Object.fromEntries(
    Object.entries(given).map(([name, option]) => [
      name,
      {
        amount: option.amount ?? before[name]?.amount ?? 0,
        tax_behavior: option.tax_behavior ?? before[name]?.tax_behavior ?? 'unspecified',
      },
    ]),
  )
}

function render(context: Context, row: ShippingRateRow): Wire<Stripe.ShippingRate> {
  const { amount: own, currency: name, tax_behavior } = row
  return {
    id: row.id,
    object: 'shipping_rate',
    active: row.active,
    created: row.created,
    delivery_estimate: row.delivery_estimate,
    display_name: row.display_name,
    fixed_amount: {
      amount: own,
      currency: name,
      currency_options: { [name]: { amount: own, tax_behavior }, ...row.currency_options },
    },
    livemode: context.livemode,
    metadata: row.metadata,
    tax_behavior,
    tax_code: row.tax_code,
    type: 'fixed_amount',
  }
}
