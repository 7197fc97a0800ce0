// The older payment objects of a customer: cards, bank accounts and sources.
// https://docs.stripe.com/api/cards
import type { Context } from '../kernel/context.ts'
import { declined, invalid, missing } from '../kernel/errors.ts'
import { listOf, listPage, paging } from '../kernel/lists.ts'
import { route, type Module } from '../kernel/module.ts'
import { emptyable, fields, flag, int, mergeMetadata, metadata, required, text } from '../kernel/params.ts'
import { detach } from './attaching.ts'
import { changeCustomer, customer } from './customer-row.ts'
import {
  cardOf,
  newPaymentMethod,
  noBillingDetails,
  paymentMethods,
  type PaymentMethodRow,
} from './payment-method-row.ts'
import { renderSource } from './payment-method-view.ts'
import { cardByToken, declineMessage } from './test-cards.ts'

const url = '/v1/customers/:customer/sources'
const line = () => emptyable(text())

export const sourceModule: Module = {
  routes: [
    route('GET', url, {
      permission: 'customers',
      params: fields({ ...paging, object: text() }),
      handle(context, params) {
        const { id } = customer(context, context.id('customer'))
        return listPage(context, params, {
          table: paymentMethods,
          url: `/v1/customers/${id}/sources`,
          by: ['customer', id],
          keep: (row) => row.form !== 'payment_method' && (params.object === undefined || row.form === params.object),
          render: renderSource,
        })
      },
    }),
    route('POST', url, {
      permission: 'customers',
      params: fields({ metadata: metadata(), source: required(text()), validate: flag() }),
      handle(context, params) {
        const owner = customer(context, context.id('customer'))
        const made = createSource(context, owner.id, params.source)
        const row = context.table(paymentMethods).put({ ...made, metadata: mergeMetadata({}, params.metadata) })
        if (owner.default_source === null) changeCustomer(context, owner, { default_source: row.id })
        return renderSource(context, row)
      },
    }),
    route('GET', `${url}/:id`, {
      permission: 'customers',
      params: fields({}),
      handle: (context) => renderSource(context, source(context)),
    }),
    route('POST', `${url}/:id`, {
      permission: 'customers',
      params: fields({
        address_city: line(),
        address_country: line(),
        address_line1: line(),
        address_line2: line(),
        address_state: line(),
        address_zip: line(),
        exp_month: int({ min: 1, max: 12 }),
        exp_year: int({ min: 1970, max: 2100 }),
        metadata: metadata(),
        name: line(),
      }),
      handle(context, params) {
        const row = source(context)
        const { address_zip, exp_month, exp_year, name } = params
        const { address } = row.billing_details
        const lines = (['city', 'country', 'line1', 'line2', 'state'] as const).flatMap((key) => {
          const value = params[`address_${key}`]
          return value === undefined ? [] : [[key, value] as const]
        })
        const changed = context.table(paymentMethods).put({
          ...row,
          billing_details: {
            ...row.billing_details,
            ...(name === undefined ? {} : { name }),
            address: {
              ...address,
              ...Object.fromEntries(lines),
              ...(address_zip === undefined ? {} : { postal_code: address_zip }),
            },
          },
          card:
            row.card === null
              ? null
              : { ...row.card, exp_month: exp_month ?? row.card.exp_month, exp_year: exp_year ?? row.card.exp_year },
          metadata: mergeMetadata(row.metadata, params.metadata),
        })
        context.emit('customer.source.updated', renderSource(context, changed), renderSource(context, row))
        return renderSource(context, changed)
      },
    }),
    route('DELETE', `${url}/:id`, {
      permission: 'customers',
      params: fields({}),
      handle(context) {
        const row = source(context)
        detach(context, row)
        context.emit('customer.source.deleted', renderSource(context, row))
        return row.form === 'source'
          ? { ...renderSource(context, { ...row, customer: null }), status: 'consumed' }
          : { id: row.id, object: row.form, deleted: true }
      },
    }),
  ],
  // The same object is a source where a request names a source, and a payment method elsewhere.
  fields: {
    default_source: (context, id) => {
      const row = context.table(paymentMethods).get(id)
      return row === undefined ? undefined : renderSource(context, row)
    },
  },
  includes: {
    customer: {
      sources: (context, id) => {
        const rows = context
          .table(paymentMethods)
          .by('customer', id)
          .filter((row) => row.form !== 'payment_method')
        return listOf(
          rows.toReversed().map((row) => renderSource(context, row)),
          { url: `/v1/customers/${id}/sources` },
        )
      },
    },
  },
}

/** Creates a `card_` from a token (`tok_visa`) for a customer. */
export function createSource(context: Context, owner: string, token: string): PaymentMethodRow {
  const plastic = cardByToken(token)
  if (plastic === undefined) throw invalid(`No such token: '${token}'`, { code: 'resource_missing', param: 'source' })
  const { declines } = plastic.temper
  if (plastic.refusesAttach === true && declines !== null)
    throw declined(
      declineMessage(declines.decline_code ?? declines.code),
      { code: declines.code, ...(declines.decline_code === null ? {} : { decline_code: declines.decline_code }) },
      { undone: true },
    )
  const row = newPaymentMethod(context, {
    form: 'card',
    type: 'card',
    card: cardOf(context, plastic),
    billing_details: noBillingDetails,
    customer: owner,
    temper: plastic.temper,
  })
  context.emit('customer.source.created', renderSource(context, row))
  return row
}

function source(context: Context): PaymentMethodRow {
  const id = context.id('id')
  const row = context.table(paymentMethods).get(id)
  if (
    row === undefined ||
    row.form === 'payment_method' ||
    row.customer !== customer(context, context.id('customer')).id
  )
    throw missing('source', id)
  return row
}
