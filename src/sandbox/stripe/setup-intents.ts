// The authentication of a payment method for later payments. Stripe creates a SetupIntent for every
// subscription without an initial payment, and shows it on the subscription until it succeeds.
// https://docs.stripe.com/billing/subscriptions/setup-intents
import type Stripe from 'stripe'
import type { Context } from '../kernel/context.ts'
import { invalid } from '../kernel/errors.ts'
import { find, retrieveRoute, type Kind } from '../kernel/kind.ts'
import { listPage, paging } from '../kernel/lists.ts'
import { route, type Module } from '../kernel/module.ts'
import { fields, inRange, range, text, type Metadata } from '../kernel/params.ts'
import type { Row, TableDefinition } from '../kernel/tables.ts'
import type { Wire } from '../kernel/wire.ts'
import { ofCustomer } from './customer-row.ts'
import { paymentMethods, type PaymentMethodRow } from './payment-method-row.ts'
import { renderPaymentMethod } from './payment-method-view.ts'
import { declineMessage, failsOnlyCharges } from './test-cards.ts'

type Status = 'canceled' | 'requires_action' | 'requires_confirmation' | 'requires_payment_method' | 'succeeded'

interface SetupIntentRow extends Row {
  readonly customer: string | null
  readonly metadata: Metadata
  readonly payment_method: string | null
  readonly status: Status
  readonly error: { readonly code: string; readonly decline_code: string | null } | null
}

const setupIntents: TableDefinition<SetupIntentRow> = {
  name: 'setup_intents',
  indexes: { customer: (row) => row.customer ?? undefined },
}

const setupIntentKind: Kind<SetupIntentRow> = {
  table: setupIntents,
  noun: 'setupintent',
  url: '/v1/setup_intents',
  permission: 'setup_intents',
  render,
}

export const setupIntentModule: Module = {
  routes: [
    retrieveRoute(setupIntentKind),
    route('GET', '/v1/setup_intents', {
      permission: 'setup_intents',
      params: fields({ ...paging, created: range(), customer: text(), payment_method: text() }),
      handle: (context, params) =>
        listPage(context, params, {
          table: setupIntents,
          url: '/v1/setup_intents',
          ...ofCustomer(context, params.customer),
          keep: (row) =>
            inRange(row.created, params.created) &&
            (params.payment_method === undefined || row.payment_method === params.payment_method),
          render,
        }),
    }),
    route('POST', '/v1/setup_intents/:id/cancel', {
      permission: 'setup_intents',
      params: fields({}),
      handle(context) {
        const row = find(context, setupIntentKind, context.id('id'))
        if (row.status === 'canceled' || row.status === 'succeeded')
          throw invalid(`You cannot cancel this SetupIntent because it has a status of ${row.status}.`, {
            code: 'setup_intent_unexpected_state',
          })
        const canceled = context.table(setupIntents).put({ ...row, status: 'canceled' })
        context.emit('setup_intent.canceled', render(context, canceled))
        return render(context, canceled)
      },
    }),
  ],
  objects: {
    seti: (context, id) => {
      const row = context.table(setupIntents).get(id)
      return row === undefined ? undefined : render(context, row)
    },
  },
}

/**
 * Sets a payment method up for the renewals of a subscription that has nothing to pay now. Returns
 * the id of a SetupIntent that still waits, or null.
 */
export function setUp(
  context: Context,
  about: { readonly customer: string; readonly method: string | null; readonly confirm: boolean },
): string | null {
  const method = about.method === null ? undefined : context.table(paymentMethods).get(about.method)
  const { status, error } = about.confirm || method === undefined ? outcomeOf(context, method) : waits
  // A SetupIntent that succeeds is not shown on the subscription, and a rehearsal of many months
  // does not need it.
  if (status === 'succeeded' && !context.world.keepEvents) return null
  const row = context.table(setupIntents).put({
    id: context.newId('seti'),
    created: context.now,
    customer: about.customer,
    metadata: {},
    payment_method: method?.id ?? null,
    status,
    error,
  })
  context.emit('setup_intent.created', () => render(context, row))
  if (status === 'succeeded') context.emit('setup_intent.succeeded', () => render(context, row))
  if (status === 'requires_action') context.emit('setup_intent.requires_action', () => render(context, row))
  if (error !== null) context.emit('setup_intent.setup_failed', () => render(context, row))
  return status === 'succeeded' ? null : row.id
}

/** The SetupIntent of a Checkout session in `setup` mode, which waits for its cardholder. */
export function newSetup(context: Context, owner: string | null, metadata: Metadata): string {
  const row = context.table(setupIntents).put({
    id: context.newId('seti'),
    created: context.now,
    customer: owner,
    metadata,
    payment_method: null,
    status: 'requires_payment_method',
    error: null,
  })
  context.emit('setup_intent.created', () => render(context, row))
  return row.id
}

/** The cardholder has entered a method on Stripe's page, and the bank accepted it. */
export function completeSetup(context: Context, id: string, method: PaymentMethodRow): void {
  const before = find(context, setupIntentKind, id)
  const row = context
    .table(setupIntents)
    .put({ ...before, payment_method: method.id, status: 'succeeded', error: null })
  context.emit('setup_intent.succeeded', () => render(context, row))
}

export function cancelSetup(context: Context, id: string): void {
  const row = context.table(setupIntents).put({ ...find(context, setupIntentKind, id), status: 'canceled' })
  context.emit('setup_intent.canceled', () => render(context, row))
}

const waits = { status: 'requires_confirmation', error: null } as const

/**
 * https://docs.stripe.com/testing: 0341 is set up and declines every charge; 3184 requires the
 * cardholder at every payment.
 */
function outcomeOf(context: Context, method: PaymentMethodRow | undefined): Pick<SetupIntentRow, 'status' | 'error'> {
  if (method === undefined) return { status: 'requires_payment_method', error: null }
  const { declines } = method.temper
  const now = declines !== null && (declines.from === null || declines.from <= context.now) && declines.times !== 0
  if (!now || failsOnlyCharges(method.card?.last4)) return { status: 'succeeded', error: null }
  if (declines.code === 'authentication_required') return { status: 'requires_action', error: null }
  return {
    status: 'requires_payment_method',
    error: { code: declines.code, decline_code: declines.decline_code },
  }
}

/** The SetupIntent that a subscription shows; one that succeeded or was cancelled is not shown. */
export function pendingSetup(context: Context, id: string | null | undefined): string | null {
  const row = id === null || id === undefined ? undefined : context.table(setupIntents).get(id)
  return row === undefined || row.status === 'succeeded' || row.status === 'canceled' ? null : row.id
}

function render(context: Context, row: SetupIntentRow): Wire<Stripe.SetupIntent> {
  const method = row.payment_method === null ? undefined : context.table(paymentMethods).get(row.payment_method)
  return {
    id: row.id,
    object: 'setup_intent',
    allowed_payment_method_types: null,
    application: null,
    automatic_payment_methods: null,
    cancellation_reason: null,
    client_secret: `${row.id}_secret_sandbox`,
    created: row.created,
    customer: row.customer,
    customer_account: null,
    description: null,
    excluded_payment_method_types: null,
    flow_directions: null,
    last_setup_error:
      row.error === null
        ? null
        : {
            type: 'card_error',
            code: row.error.code as Stripe.SetupIntent.LastSetupError.Code,
            ...(row.error.decline_code === null ? {} : { decline_code: row.error.decline_code }),
            message: declineMessage(row.error.decline_code ?? row.error.code),
            ...(method === undefined ? {} : { payment_method: renderPaymentMethod(context, method) }),
          },
    latest_attempt: null,
    livemode: context.livemode,
    mandate: null,
    metadata: row.metadata,
    next_action: row.status === 'requires_action' ? { type: 'use_stripe_sdk', use_stripe_sdk: {} } : null,
    on_behalf_of: null,
    payment_method: row.status === 'requires_payment_method' ? null : row.payment_method,
    payment_method_configuration_details: null,
    payment_method_options: null,
    payment_method_types: [method?.type ?? 'card'],
    single_use_mandate: null,
    status: row.status,
    usage: 'off_session',
  }
}
