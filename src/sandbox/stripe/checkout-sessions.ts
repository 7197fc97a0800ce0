// Checkout sessions: an open session can still start a subscription, and locks the customer's
// currency. https://docs.stripe.com/api/checkout/sessions
import type Stripe from 'stripe'
import { instant, secondsPerDay, type Instant } from '../../core/instant.ts'
import type { Context } from '../kernel/context.ts'
import { invalid } from '../kernel/errors.ts'
import { find, retrieveRoute, type Kind } from '../kernel/kind.ts'
import { listPage, paging } from '../kernel/lists.ts'
import { route, type Module } from '../kernel/module.ts'
import {
  fields,
  flag,
  inRange,
  mergeMetadata,
  metadata,
  oneOf,
  range,
  required,
  text,
  time,
  type Metadata,
} from '../kernel/params.ts'
import type { Row, TableDefinition } from '../kernel/tables.ts'
import type { Wire } from '../kernel/wire.ts'
import { customer } from './customer-row.ts'
import { lineItemList, lineItems, soldItems, subtotalOf, type SoldItem } from './line-items.ts'

interface CheckoutSessionRow extends Row {
  readonly cancel_url: string | null
  readonly client_reference_id: string | null
  readonly currency: string
  readonly customer: string | null
  readonly customer_email: string | null
  readonly expires_at: Instant
  readonly items: readonly SoldItem[]
  readonly metadata: Metadata
  readonly mode: 'payment' | 'subscription'
  readonly payment_link: string | null
  readonly status: 'open' | 'complete' | 'expired'
  readonly subscription: string | null
  readonly success_url: string | null
}

const checkoutSessions: TableDefinition<CheckoutSessionRow> = {
  name: 'checkout_sessions',
  indexes: {
    customer: (row) => row.customer ?? undefined,
    open: (row) => (row.status === 'open' ? 'open' : undefined),
    subscription: (row) => row.subscription ?? undefined,
  },
}

const kind: Kind<CheckoutSessionRow> = {
  table: checkoutSessions,
  noun: 'checkout.session',
  url: '/v1/checkout/sessions',
  permission: 'checkout_sessions',
  render,
}

export const checkoutModule: Module = {
  routes: [
    route('POST', kind.url, {
      permission: 'checkout_sessions',
      params: fields({
        allow_promotion_codes: flag(),
        cancel_url: text(),
        client_reference_id: text({ max: 200 }),
        customer: text(),
        customer_email: text(),
        expires_at: time(),
        line_items: required(lineItems),
        metadata: metadata(),
        mode: required(oneOf('payment', 'subscription')),
        success_url: text(),
      }),
      handle(context, params) {
        const { items, currency, recurring } = soldItems(context, params.line_items)
        if (recurring !== (params.mode === 'subscription'))
          throw invalid(
            recurring
              ? 'You specified `payment` mode but passed a recurring price. Either switch to `subscription` mode or use only one-time prices.'
              : 'You must provide at least one recurring price in `subscription` mode when using prices.',
            { param: 'line_items[0]' },
          )
        if (params.customer !== undefined && params.customer_email !== undefined)
          throw invalid('You may only specify one of these parameters: customer, customer_email.')
        if (params.success_url === undefined)
          throw invalid('Missing required param: success_url.', { code: 'parameter_missing', param: 'success_url' })
        const { expires_at: expires = instant(context.now + secondsPerDay) } = params
        if (expires < context.now + 1_800 || expires > context.now + secondsPerDay)
          throw invalid(
            'The `expires_at` timestamp must be between 30 minutes and 24 hours from Checkout Session creation.',
            { param: 'expires_at' },
          )
        const row = context.table(checkoutSessions).put({
          id: context.newId(context.livemode ? 'cs_live' : 'cs_test'),
          created: context.now,
          cancel_url: params.cancel_url ?? null,
          client_reference_id: params.client_reference_id ?? null,
          currency,
          customer: params.customer === undefined ? null : customer(context, params.customer, 'customer').id,
          customer_email: params.customer_email ?? null,
          expires_at: expires,
          items,
          metadata: mergeMetadata({}, params.metadata),
          mode: params.mode,
          payment_link: null,
          status: 'open',
          subscription: null,
          success_url: params.success_url,
        })
        context.schedule(expires, 'checkout.session.expire', row.id)
        return render(context, row)
      },
    }),
    retrieveRoute(kind),
    route('GET', kind.url, {
      permission: 'checkout_sessions',
      params: fields({
        ...paging,
        created: range(),
        customer: text(),
        customer_details: fields({ email: required(text()) }),
        payment_link: text(),
        status: oneOf('complete', 'expired', 'open'),
        subscription: text(),
      }),
      handle: (context, params) =>
        listPage(context, params, {
          table: checkoutSessions,
          url: kind.url,
          ...(params.status === 'open' ? { by: ['open', 'open'] as const } : {}),
          keep: (row) =>
            inRange(row.created, params.created) &&
            (params.customer === undefined || row.customer === params.customer) &&
            (params.customer_details === undefined || row.customer_email === params.customer_details.email) &&
            (params.payment_link === undefined || row.payment_link === params.payment_link) &&
            (params.status === undefined || row.status === params.status) &&
            (params.subscription === undefined || row.subscription === params.subscription),
          render,
        }),
    }),
    route('POST', `${kind.url}/:id/expire`, {
      permission: 'checkout_sessions',
      params: fields({}),
      handle(context) {
        const row = find(context, kind, context.id('id'))
        if (row.status !== 'open')
          throw invalid(
            `Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of \`${row.status}\`.`,
          )
        context.unschedule('checkout.session.expire', row.id)
        return expire(context, row)
      },
    }),
    route('GET', `${kind.url}/:id/line_items`, {
      permission: 'checkout_sessions',
      params: fields({ ...paging }),
      handle: (context) => items(context, context.id('id')),
    }),
  ],
  objects: {
    cs_test: resolve,
    cs_live: resolve,
  },
  includes: { 'checkout.session': { line_items: items } },
  due: {
    'checkout.session.expire': {
      rank: 100,
      run(context, id) {
        const row = context.table(checkoutSessions).get(id)
        if (row?.status === 'open') expire(context, row)
      },
    },
  },
}

function resolve(context: Context, id: string): object | undefined {
  const row = context.table(checkoutSessions).get(id)
  return row === undefined ? undefined : render(context, row)
}

function expire(context: Context, row: CheckoutSessionRow): object {
  const expired = context.table(checkoutSessions).put({ ...row, status: 'expired' })
  context.emit('checkout.session.expired', render(context, expired))
  return render(context, expired)
}

function items(context: Context, id: string): object {
  return lineItemList(context, find(context, kind, id).items, `${kind.url}/${id}/line_items`)
}

function render(context: Context, row: CheckoutSessionRow): Wire<Omit<Stripe.Checkout.Session, 'line_items'>> {
  const amount = subtotalOf(context, row.items)
  return {
    id: row.id,
    object: 'checkout.session',
    adaptive_pricing: null,
    after_expiration: null,
    allow_promotion_codes: null,
    allowed_payment_method_types: null,
    amount_subtotal: amount,
    amount_total: amount,
    automatic_tax: { enabled: false, liability: null, provider: null, status: null },
    billing_address_collection: null,
    cancel_url: row.cancel_url,
    client_reference_id: row.client_reference_id,
    client_secret: null,
    collected_information: null,
    consent: null,
    consent_collection: null,
    created: row.created,
    currency: row.currency,
    currency_conversion: null,
    custom_fields: [],
    custom_text: { after_submit: null, shipping_address: null, submit: null, terms_of_service_acceptance: null },
    customer: row.customer,
    customer_account: null,
    customer_creation: row.mode === 'subscription' ? null : 'if_required',
    customer_details: null,
    customer_email: row.customer_email,
    discounts: [],
    expires_at: row.expires_at,
    integration_identifier: null,
    invoice: null,
    invoice_creation: null,
    livemode: context.livemode,
    locale: null,
    managed_payments: null,
    metadata: row.metadata,
    mode: row.mode,
    origin_context: null,
    payment_intent: null,
    payment_link: row.payment_link,
    payment_method_collection: row.mode === 'subscription' ? 'always' : 'if_required',
    payment_method_configuration_details: null,
    payment_method_options: null,
    payment_method_types: ['card'],
    payment_status: row.status === 'complete' ? 'paid' : 'unpaid',
    permissions: null,
    recovered_from: null,
    saved_payment_method_options: null,
    setup_intent: null,
    shipping_address_collection: null,
    shipping_cost: null,
    shipping_options: [],
    status: row.status,
    submit_type: null,
    subscription: row.subscription,
    success_url: row.success_url,
    total_details: { amount_discount: 0, amount_shipping: 0, amount_tax: 0 },
    ui_mode: 'hosted_page',
    url: row.status === 'open' ? `https://checkout.stripe.com/c/pay/${row.id}` : null,
    wallet_options: null,
  }
}
