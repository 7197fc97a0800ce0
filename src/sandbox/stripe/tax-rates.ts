// https://docs.stripe.com/api/tax_rates
import type Stripe from 'stripe'
import type { Context } from '../kernel/context.ts'
import { invalid } from '../kernel/errors.ts'
import { find, retrieveRoute, type Kind } from '../kernel/kind.ts'
import { listPage, paging } from '../kernel/lists.ts'
import { route, type Module } from '../kernel/module.ts'
import {
  decimal,
  fields,
  flag,
  inRange,
  mergeMetadata,
  metadata,
  oneOf,
  range,
  required,
  text,
  type Metadata,
  type Schema,
} from '../kernel/params.ts'
import type { Row, TableDefinition } from '../kernel/tables.ts'
import type { Wire } from '../kernel/wire.ts'

export interface TaxRateRow extends Row {
  readonly active: boolean
  readonly country: string | null
  readonly description: string | null
  readonly display_name: string
  readonly inclusive: boolean
  readonly jurisdiction: string | null
  readonly metadata: Metadata
  readonly percentage: number
  readonly state: string | null
  readonly tax_type: string | null
}

const taxRates: TableDefinition<TaxRateRow> = { name: 'tax_rates' }

export const taxRateKind: Kind<TaxRateRow> = {
  table: taxRates,
  noun: 'tax rate',
  url: '/v1/tax_rates',
  permission: 'tax_rates',
  render: renderTaxRate,
}

const percentage: Schema<number> = {
  parse: (raw, at) => Number(decimal({ min: 0, max: 100, places: 4 }).parse(raw, at)),
}
const taxType = oneOf(
  ...(['admissions_tax', 'amusement_tax', 'attendance_tax', 'communications_tax', 'digital_excise_tax'] as const),
  ...(['entertainment_tax', 'get_fund', 'gross_receipts_tax', 'gst', 'hospitality_tax', 'hst', 'igst', 'jct'] as const),
  ...([
    'lease_tax',
    'luxury_tax',
    'mass_transit_parking_tax',
    'nhil',
    'parking_tax',
    'pst',
    'qst',
    'resort_tax',
  ] as const),
  ...(['retail_delivery_fee', 'rst', 'sales_tax', 'service_tax', 'tourism_tax', 'utility_users_tax', 'vat'] as const),
)
const mutable = {
  active: flag(),
  country: text({ pattern: /^[A-Z]{2}$/ }),
  description: text(),
  jurisdiction: text({ max: 50 }),
  metadata: metadata(),
  state: text({ max: 3 }),
  tax_type: taxType,
}

export const taxRateModule: Module = {
  routes: [
    route('POST', '/v1/tax_rates', {
      permission: 'tax_rates',
      params: fields({
        ...mutable,
        display_name: required(text({ max: 50 })),
        inclusive: required(flag()),
        percentage: required(percentage),
      }),
      handle(context, params) {
        const row = context.table(taxRates).put({
          id: context.newId('txr'),
          created: context.now,
          active: params.active ?? true,
          country: params.country ?? null,
          description: params.description ?? null,
          display_name: params.display_name,
          inclusive: params.inclusive,
          jurisdiction: params.jurisdiction ?? null,
          metadata: mergeMetadata({}, params.metadata),
          percentage: params.percentage,
          state: params.state ?? null,
          tax_type: params.tax_type ?? null,
        })
        context.emit('tax_rate.created', renderTaxRate(context, row))
        return renderTaxRate(context, row)
      },
    }),
    retrieveRoute(taxRateKind),
    route('POST', '/v1/tax_rates/:id', {
      permission: 'tax_rates',
      params: fields({ ...mutable, display_name: text({ max: 50 }) }),
      handle(context, params) {
        const row = find(context, taxRateKind, context.id('id'))
        const { metadata: given, ...rest } = params
        const changed = context.table(taxRates).put({ ...row, ...rest, metadata: mergeMetadata(row.metadata, given) })
        context.emit('tax_rate.updated', renderTaxRate(context, changed), renderTaxRate(context, row))
        return renderTaxRate(context, changed)
      },
    }),
    route('GET', '/v1/tax_rates', {
      permission: 'tax_rates',
      params: fields({ ...paging, active: flag(), created: range(), inclusive: flag() }),
      handle: (context, params) =>
        listPage(context, params, {
          table: taxRates,
          url: '/v1/tax_rates',
          keep: (row) =>
            (params.active === undefined || row.active === params.active) &&
            (params.inclusive === undefined || row.inclusive === params.inclusive) &&
            inRange(row.created, params.created),
          render: renderTaxRate,
        }),
    }),
  ],
  objects: {
    txr: (context, id) => {
      const row = context.table(taxRates).get(id)
      return row === undefined ? undefined : renderTaxRate(context, row)
    },
  },
}

/**
 * The active tax rate that a parameter names. An archived rate continues to apply where it is
 * already set.
 */
export function usableTaxRate(context: Context, id: string, param: string): TaxRateRow {
  const row = find(context, taxRateKind, id, param)
  if (!row.active) throw invalid(`The tax rate \`${id}\` is archived and cannot be used for new objects.`, { param })
  return row
}

export function renderTaxRate(context: Context, row: TaxRateRow): Wire<Stripe.TaxRate> {
  return {
    id: row.id,
    object: 'tax_rate',
    active: row.active,
    country: row.country,
    created: row.created,
    description: row.description,
    display_name: row.display_name,
    effective_percentage: null,
    flat_amount: null,
    inclusive: row.inclusive,
    jurisdiction: row.jurisdiction,
    jurisdiction_level: null,
    livemode: context.livemode,
    metadata: row.metadata,
    percentage: row.percentage,
    rate_type: 'percentage',
    state: row.state,
    tax_type: row.tax_type,
  }
}
