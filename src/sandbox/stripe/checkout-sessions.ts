// Checkout sessions: an open session can still start a subscription, and locks the customer's
// currency. https://docs.stripe.com/api/checkout/sessions
import { instant, secondsPerDay } from '../../core/instant.ts'
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
  list,
  mergeMetadata,
  metadata,
  oneOf,
  range,
  required,
  text,
  time,
  type Parsed,
} from '../kernel/params.ts'
import { customer } from './customer-row.ts'
import { checkoutSessions, renderSession, type CheckoutSessionRow } from './checkout-session-row.ts'
import { lineItemList, lineItems, soldItems } from './line-items.ts'
import { cancelSetup, newSetup } from './setup-intents.ts'

const kind: Kind<CheckoutSessionRow> = {
  table: checkoutSessions,
  noun: 'checkout.session',
  url: '/v1/checkout/sessions',
  permission: 'checkout_sessions',
  render: renderSession,
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
        currency,
        customer_email: text(),
        expires_at: time(),
        line_items: lineItems,
        metadata: metadata(),
        mode: required(oneOf('payment', 'setup', 'subscription')),
        allowed_payment_method_types: list(oneOf('card')),
        setup_intent_data: fields({ description: text(), metadata: metadata() }),
        success_url: text(),
      }),
      handle(context, params) {
        const sold = params.mode === 'setup' ? nothingSold(params) : soldIn(context, params)
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
          allowed_payment_method_types: params.allowed_payment_method_types ?? null,
          cancel_url: params.cancel_url ?? null,
          client_reference_id: params.client_reference_id ?? null,
          currency: sold.currency,
          customer: params.customer === undefined ? null : customer(context, params.customer, 'customer').id,
          customer_email: params.customer_email ?? null,
          expires_at: expires,
          items: sold.items,
          metadata: mergeMetadata({}, params.metadata),
          mode: params.mode,
          payment_link: null,
          setup_intent:
            params.mode === 'setup'
              ? newSetup(context, params.customer ?? null, mergeMetadata({}, params.setup_intent_data?.metadata))
              : null,
          status: 'open',
          subscription: null,
          success_url: params.success_url,
        })
        context.schedule(expires, 'checkout.session.expire', row.id)
        return renderSession(context, row)
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
          render: renderSession,
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
  return row === undefined ? undefined : renderSession(context, row)
}

interface Asked {
  readonly mode: CheckoutSessionRow['mode']
  readonly line_items?: Parsed<typeof lineItems>
  readonly currency?: string
  readonly allowed_payment_method_types?: readonly string[]
  readonly setup_intent_data?: object
}

function soldIn(context: Context, params: Asked): Pick<CheckoutSessionRow, 'items' | 'currency'> {
  if (params.line_items === undefined)
    throw invalid('Missing required param: line_items.', { code: 'parameter_missing', param: 'line_items' })
  if (params.setup_intent_data !== undefined)
    throw invalid('You can not pass `setup_intent_data` in `' + params.mode + '` mode.', { param: 'setup_intent_data' })
  const { items: sold, currency: sum, recurring } = soldItems(context, params.line_items)
  if (recurring !== (params.mode === 'subscription'))
    throw invalid(
      recurring
        ? 'You specified `payment` mode but passed a recurring price. Either switch to `subscription` mode or use only one-time prices.'
        : 'You must provide at least one recurring price in `subscription` mode when using prices.',
      { param: 'line_items[0]' },
    )
  return { items: sold, currency: sum }
}

/** In `setup` mode nothing is sold: the page only collects a payment method. */
function nothingSold(params: Asked): Pick<CheckoutSessionRow, 'items' | 'currency'> {
  if (params.line_items !== undefined)
    throw invalid('You can not pass `line_items` in `setup` mode.', { param: 'line_items' })
  if (params.allowed_payment_method_types === undefined && params.currency === undefined)
    throw invalid('Missing required param: currency.', { code: 'parameter_missing', param: 'currency' })
  return { items: [], currency: params.currency ?? null }
}

function expire(context: Context, row: CheckoutSessionRow): object {
  if (row.mode === 'setup' && row.setup_intent !== null) cancelSetup(context, row.setup_intent)
  const expired = context.table(checkoutSessions).put({ ...row, status: 'expired' })
  context.emit('checkout.session.expired', renderSession(context, expired))
  return renderSession(context, expired)
}

function items(context: Context, id: string): object {
  return lineItemList(context, find(context, kind, id).items, `${kind.url}/${id}/line_items`)
}
