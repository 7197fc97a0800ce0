// https://docs.stripe.com/api/payment_methods
import type { Context } from '../kernel/context.ts'
import { declined, invalid } from '../kernel/errors.ts'
import { listPage, paging } from '../kernel/lists.ts'
import { route, type Module } from '../kernel/module.ts'
import {
  emptyable,
  fields,
  int,
  mergeMetadata,
  metadata,
  oneOf,
  required,
  text,
  type Parsed,
} from '../kernel/params.ts'
import { addressFields } from './address.ts'
import { attach, detach, useToken } from './attaching.ts'
import { customer, ofCustomer } from './customer-row.ts'
import {
  cardOf,
  fingerprint,
  newPaymentMethod,
  noAddress,
  noBillingDetails,
  paymentMethod,
  paymentMethods,
  type BillingDetails,
  type PaymentMethodRow,
} from './payment-method-row.ts'
import { paymentMethodTypes } from './payment-method-types.ts'
import { renderPaymentMethod } from './payment-method-view.ts'
import { cardByNumber, cardByToken } from './test-cards.ts'

const billingDetails = fields({
  address: emptyable(addressFields),
  email: emptyable(text()),
  name: emptyable(text()),
  phone: emptyable(text()),
  tax_id: text(),
})
const month = int({ min: 1, max: 12 })
const year = int({ min: 1970, max: 2100 })
const redisplay = oneOf('always', 'limited', 'unspecified')
/** Bank debits: the fields of the account; the last four characters of the number are shown. */
const banks = {
  acss_debit: fields({
    account_number: required(text()),
    institution_number: required(text()),
    transit_number: required(text()),
  }),
  au_becs_debit: fields({ account_number: required(text()), bsb_number: required(text()) }),
  bacs_debit: fields({ account_number: required(text()), sort_code: required(text()) }),
  sepa_debit: fields({ iban: required(text()) }),
  us_bank_account: fields({
    account_holder_type: oneOf('company', 'individual'),
    account_number: required(text()),
    account_type: oneOf('checking', 'savings'),
    routing_number: required(text()),
  }),
}

const createFields = fields({
  ...banks,
  allow_redisplay: redisplay,
  billing_details: billingDetails,
  card: fields({ cvc: text(), exp_month: month, exp_year: year, number: text(), token: text() }),
  link: fields({}),
  metadata: metadata(),
  type: required(oneOf('acss_debit', 'au_becs_debit', 'bacs_debit', 'card', 'link', 'sepa_debit', 'us_bank_account')),
})

export const paymentMethodModule: Module = {
  routes: [
    route('POST', '/v1/payment_methods', {
      permission: 'payment_methods',
      params: createFields,
      handle: (context, params) => renderPaymentMethod(context, createPaymentMethod(context, params)),
    }),
    route('GET', '/v1/payment_methods/:id', {
      permission: 'payment_methods',
      params: fields({}),
      handle: (context) => renderPaymentMethod(context, testMethod(context, context.id('id'))),
    }),
    route('POST', '/v1/payment_methods/:id', {
      permission: 'payment_methods',
      params: fields({
        allow_redisplay: redisplay,
        billing_details: billingDetails,
        card: fields({ exp_month: month, exp_year: year }),
        metadata: metadata(),
      }),
      handle: (context, params) =>
        renderPaymentMethod(context, updatePaymentMethod(context, paymentMethod(context, context.id('id')), params)),
    }),
    route('GET', '/v1/payment_methods', {
      permission: 'payment_methods',
      params: fields({ ...paging, allow_redisplay: redisplay, customer: text(), type: oneOf(...paymentMethodTypes) }),
      handle: (context, params) =>
        listOfCustomer(context, params, { customer: params.customer, url: '/v1/payment_methods' }),
    }),
    route('POST', '/v1/payment_methods/:id/attach', {
      permission: 'payment_methods',
      params: fields({ customer: required(text()) }),
      handle(context, params) {
        const row = useToken(context, context.id('id'), new Map())
        return renderPaymentMethod(context, attach(context, row, customer(context, params.customer, 'customer').id))
      },
    }),
    route('POST', '/v1/payment_methods/:id/detach', {
      permission: 'payment_methods',
      params: fields({}),
      handle(context) {
        const row = paymentMethod(context, context.id('id'))
        if (row.customer === null)
          throw invalid('The payment method you provided is not attached to a customer so detachment is impossible.')
        return renderPaymentMethod(context, detach(context, row))
      },
    }),
    route('GET', '/v1/customers/:customer/payment_methods', {
      permission: 'payment_methods',
      params: fields({ ...paging, allow_redisplay: redisplay, type: oneOf(...paymentMethodTypes) }),
      handle(context, params) {
        const { id } = customer(context, context.id('customer'))
        return listOfCustomer(context, params, { customer: id, url: `/v1/customers/${id}/payment_methods` })
      },
    }),
    route('GET', '/v1/customers/:customer/payment_methods/:id', {
      permission: 'payment_methods',
      params: fields({}),
      handle(context) {
        const row = paymentMethod(context, context.id('id'))
        if (row.customer !== customer(context, context.id('customer')).id) return paymentMethod(context, '')
        return renderPaymentMethod(context, row)
      },
    }),
  ],
  objects: { pm: resolve, card: resolve, src: resolve, ba: resolve },
}

/**
 * A payment method by id. A test token such as `pm_card_visa` shows an unattached one under the
 * name of the token.
 */
function testMethod(context: Context, id: string): PaymentMethodRow {
  const plastic = context.table(paymentMethods).has(id) ? undefined : cardByToken(id)
  if (plastic === undefined || !id.startsWith('pm_')) return paymentMethod(context, id)
  const row = newPaymentMethod(context, { id, type: 'card', card: cardOf(context, plastic), temper: plastic.temper })
  context.table(paymentMethods).delete(id)
  return row
}

function resolve(context: Context, id: string): object | undefined {
  const row = context.table(paymentMethods).get(id)
  return row === undefined ? undefined : renderPaymentMethod(context, row)
}

type ListParams = {
  readonly limit?: number
  readonly starting_after?: string
  readonly ending_before?: string
  readonly allow_redisplay?: string
  readonly type?: string
}

function listOfCustomer(context: Context, params: ListParams, about: { customer: string | undefined; url: string }) {
  return listPage(context, params, {
    table: paymentMethods,
    url: about.url,
    ...ofCustomer(context, about.customer),
    keep: (row) =>
      row.customer !== null &&
      (params.type === undefined || row.type === params.type) &&
      (params.allow_redisplay === undefined || row.allow_redisplay === params.allow_redisplay),
    render: renderPaymentMethod,
  })
}

function createPaymentMethod(context: Context, params: Parsed<typeof createFields>): PaymentMethodRow {
  const { type, billing_details, metadata: given, allow_redisplay } = params
  const common = {
    type,
    billing_details: detailsOf(billing_details, noBillingDetails),
    metadata: mergeMetadata({}, given),
    allow_redisplay: allow_redisplay ?? ('unspecified' as const),
  }
  if (params[type] === undefined)
    throw invalid(`Missing required param: ${type}.`, { code: 'parameter_missing', param: type })
  if (type === 'card') return newPaymentMethod(context, { ...common, ...cardFrom(context, params.card ?? {}) })
  if (type === 'link') return newPaymentMethod(context, { ...common, details: { email: common.billing_details.email } })
  const told: Readonly<Record<string, string>> = params[type] ?? {}
  const { account_number, iban, ...shown } = told
  const number = iban ?? account_number ?? ''
  const row = newPaymentMethod(context, {
    ...common,
    details: {
      ...shown,
      ...(iban === undefined ? {} : { country: iban.slice(0, 2) }),
      fingerprint: fingerprint(context, number),
      last4: number.slice(-4),
    },
  })
  // Stripe's test accounts that fail after some days.
  // https://docs.stripe.com/testing#non-card-payments
  const failing = ['000111111116', '000111111113', 'DE62370400440532013001', 'AT861904300235473202'].includes(number)
  if (!failing) return row
  return context.table(paymentMethods).put({ ...row, temper: { ...row.temper, then_fails: 'insufficient_funds' } })
}

function cardFrom(
  context: Context,
  given: { readonly number?: string; readonly token?: string; readonly exp_month?: number; readonly exp_year?: number },
) {
  const plastic = given.token === undefined ? cardByNumber(given.number ?? '') : cardByToken(given.token)
  if (plastic === undefined)
    throw given.token === undefined
      ? declined(
          'Your card number is incorrect.',
          { code: 'incorrect_number', param: 'card[number]' },
          { undone: true },
        )
      : invalid(`No such token: '${given.token}'`, { code: 'resource_missing', param: 'card[token]' })
  const { exp_month, exp_year } = given
  if (given.token === undefined && (exp_month === undefined || exp_year === undefined))
    throw invalid('Missing required param: card[exp_month].', { code: 'parameter_missing', param: 'card[exp_month]' })
  const expires = exp_month === undefined || exp_year === undefined ? undefined : { month: exp_month, year: exp_year }
  return { card: cardOf(context, plastic, expires), temper: plastic.temper }
}

function updatePaymentMethod(
  context: Context,
  row: PaymentMethodRow,
  params: {
    readonly allow_redisplay?: PaymentMethodRow['allow_redisplay']
    readonly billing_details?: Parsed<typeof billingDetails>
    readonly card?: { readonly exp_month?: number; readonly exp_year?: number }
    readonly metadata?: Parsed<ReturnType<typeof metadata>>
  },
): PaymentMethodRow {
  if (row.customer === null) throw invalid('You must save this PaymentMethod to a customer before you can update it.')
  const changed = context.table(paymentMethods).put({
    ...row,
    allow_redisplay: params.allow_redisplay ?? row.allow_redisplay,
    billing_details: detailsOf(params.billing_details, row.billing_details),
    card: row.card === null ? null : { ...row.card, ...params.card },
    metadata: mergeMetadata(row.metadata, params.metadata),
  })
  context.emit('payment_method.updated', renderPaymentMethod(context, changed), renderPaymentMethod(context, row))
  return changed
}

function detailsOf(given: Parsed<typeof billingDetails> | undefined, before: BillingDetails): BillingDetails {
  if (given === undefined) return before
  const { address, ...rest } = given
  return {
    ...before,
    ...rest,
    address: address === undefined ? before.address : { ...noAddress, ...before.address, ...address },
  }
}
