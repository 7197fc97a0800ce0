// https://docs.stripe.com/api/tax_ids
import type Stripe from 'stripe'
import type { Context } from '../kernel/context.ts'
import { invalid, missing } from '../kernel/errors.ts'
import { listOf, listPage, paging } from '../kernel/lists.ts'
import { route, type Module } from '../kernel/module.ts'
import { fields, required, text } from '../kernel/params.ts'
import type { Row, TableDefinition } from '../kernel/tables.ts'
import type { Wire } from '../kernel/wire.ts'
import { customer } from './customer-row.ts'

export interface TaxIdRow extends Row {
  readonly country: string | null
  readonly customer: string
  readonly type: string
  readonly value: string
  readonly verified: boolean
}

export const taxIds: TableDefinition<TaxIdRow> = { name: 'tax_ids', indexes: { customer: (row) => row.customer } }

const url = '/v1/customers/:customer/tax_ids'
export const taxIdFields = {
  type: required(text({ pattern: /^[a-z]{2}_[a-z_]{2,10}$/ })),
  value: required(text({ max: 50 })),
}

export const taxIdModule: Module = {
  routes: [
    route('GET', url, {
      permission: 'customers',
      params: fields({ ...paging }),
      handle(context, params) {
        const { id } = customer(context, context.id('customer'))
        return listPage(context, params, {
          table: taxIds,
          url: `/v1/customers/${id}/tax_ids`,
          by: ['customer', id],
          render,
        })
      },
    }),
    route('POST', url, {
      permission: 'customers',
      params: fields(taxIdFields),
      handle: (context, params) =>
        render(context, createTaxId(context, customer(context, context.id('customer')).id, params)),
    }),
    route('GET', `${url}/:id`, {
      permission: 'customers',
      params: fields({}),
      handle: (context) => render(context, find(context, context.id('id'))),
    }),
    route('DELETE', `${url}/:id`, {
      permission: 'customers',
      params: fields({}),
      handle(context) {
        const row = find(context, context.id('id'))
        context.table(taxIds).delete(row.id)
        context.emit('customer.tax_id.deleted', render(context, row))
        return { id: row.id, object: 'tax_id', deleted: true }
      },
    }),
  ],
  objects: {
    txi: (context, id) => {
      const row = context.table(taxIds).get(id)
      return row === undefined ? undefined : render(context, row)
    },
  },
  includes: {
    customer: {
      tax_ids: (context, id) => {
        const rows = context.table(taxIds).by('customer', id).toReversed()
        return listOf(
          rows.map((row) => render(context, row)),
          { url: `/v1/customers/${id}/tax_ids` },
        )
      },
    },
  },
}

export function createTaxId(
  context: Context,
  owner: string,
  given: { readonly type: string; readonly value: string },
): TaxIdRow {
  const { type, value } = given
  const wellFormed = type === 'eu_vat' ? /^[A-Z]{2}[A-Z0-9]{2,12}$/.test(value) : /^[A-Z0-9 ./-]{4,}$/i.test(value)
  if (!wellFormed) throw invalid(`Invalid value for ${type}.`, { code: 'tax_id_invalid', param: 'value' })
  const same = context
    .table(taxIds)
    .by('customer', owner)
    .some((row) => row.type === type && row.value === value)
  if (same)
    throw invalid('A tax ID of this type with the same value already exists for this customer.', { param: 'value' })
  const country = type === 'eu_vat' ? value.slice(0, 2) : type.slice(0, 2).toUpperCase()
  const row = context.table(taxIds).put({
    id: context.newId('txi'),
    created: context.now,
    country,
    customer: owner,
    type,
    value,
    verified: true,
  })
  context.emit('customer.tax_id.created', render(context, row))
  return row
}

function find(context: Context, id: string): TaxIdRow {
  const row = context.table(taxIds).get(id)
  if (row === undefined || row.customer !== context.id('customer')) throw missing('tax_id', id)
  return row
}

function render(context: Context, row: TaxIdRow): Wire<Stripe.TaxId> {
  return {
    id: row.id,
    object: 'tax_id',
    country: row.country,
    created: row.created,
    customer: row.customer,
    customer_account: null,
    livemode: context.livemode,
    owner: { customer: row.customer, customer_account: null, type: 'customer' },
    type: row.type,
    value: row.value,
    verification: { status: row.verified ? 'verified' : 'unverified', verified_address: null, verified_name: null },
  }
}
