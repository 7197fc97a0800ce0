// What members do in the customer portal of an account (old or new), and what banks and cards do
// without them. `POST /_sandbox/act {"act": "cancel", "account": "us", "subscription": "sub_…"}`.
import { formatInstant, parseInstant } from '../core/instant.ts'
import type { JsonObject } from '../core/json.ts'
import type { Context } from './kernel/context.ts'
import { ControlRefusal, textOf } from './kernel/control.ts'
import { StripeError } from './kernel/errors.ts'
import type { ControlInput, Module } from './kernel/module.ts'
import { Maker, type Params, idOf } from './population/maker.ts'
import { endSubscription } from './stripe/billing/ending.ts'
import { payingMethod } from './stripe/billing/paying.ts'
import { charges, invoices, type SubscriptionRow, subscriptions } from './stripe/billing/rows.ts'
import { renderPaymentMethod } from './stripe/payment-method-view.ts'
import { type PaymentMethodRow, paymentMethods } from './stripe/payment-method-row.ts'
import { blockedByRadar, type Temper } from './stripe/test-cards.ts'

type Act = (context: Context, input: ControlInput) => object

const acts: Readonly<Record<string, Act>> = {
  /** `when`: `period_end` (the portal's usual way) or `now`. */
  cancel(context, input) {
    const row = subscriptionOf(context, input)
    if (input['when'] === 'now') return send(context, 'DELETE', `/v1/subscriptions/${row.id}`)
    // In flexible mode the portal sets `cancel_at` and leaves `cancel_at_period_end` false
    // (docs.stripe.com/billing/subscriptions/billing-mode).
    const how: Params =
      row.billing_mode === 'flexible' ? { cancel_at: 'min_period_end' } : { cancel_at_period_end: true }
    return send(context, 'POST', `/v1/subscriptions/${row.id}`, how)
  },
  /** The member withdraws the cancellation. */
  keep(context, input) {
    const row = subscriptionOf(context, input)
    const how: Params = row.cancel_at_period_end ? { cancel_at_period_end: false } : { cancel_at: null }
    return send(context, 'POST', `/v1/subscriptions/${row.id}`, { ...how, proration_behavior: 'none' })
  },
  /**
   * A new card (`card`: a test token) replaces the payment method that pays now, in the same place.
   */
  change_card(context, input) {
    const row = subscriptionOf(context, input)
    const token = typeof input['card'] === 'string' ? input['card'] : 'pm_card_mastercard'
    const method = idOf(send(context, 'POST', `/v1/payment_methods/${token}/attach`, { customer: row.customer }))
    if (row.default_payment_method !== null || row.default_source !== null)
      send(context, 'POST', `/v1/subscriptions/${row.id}`, { default_payment_method: method })
    else
      send(context, 'POST', `/v1/customers/${row.customer}`, { invoice_settings: { default_payment_method: method } })
    return { payment_method: method }
  },
  /**
   * Replaces the price of the first item with `price`. `proration_behavior` as the portal is
   * configured (default `none`).
   */
  change_plan(context, input) {
    const row = subscriptionOf(context, input)
    return changeItem(context, row, { price: textOf(input, 'price') }, input)
  },
  change_quantity(context, input) {
    const row = subscriptionOf(context, input)
    const { quantity } = input
    if (typeof quantity !== 'number') throw new ControlRefusal('"quantity" must be a number')
    return changeItem(context, row, { quantity }, input)
  },
  /**
   * The member disputes a payment: the newest one, or `charge`. Accounts with `dispute_cancels`
   * cancel its subscription.
   */
  dispute(context, input) {
    const row = subscriptionOf(context, input)
    const paid = context
      .table(charges)
      .by('customer', row.customer)
      .filter((one) => one.subscription === row.id && one.status === 'succeeded' && !one.disputed)
    const charge = paid.findLast((one) => input['charge'] === undefined || one.id === input['charge'])
    if (charge === undefined) throw new ControlRefusal('there is no payment that could be disputed')
    context.table(charges).put({ ...charge, disputed: true })
    const cancels = context.account.settings.dispute_cancels === true && row.ended_at === null
    if (cancels) endSubscription(context, row, { how: 'disputed' })
    return { charge: charge.id, cancelled: cancels }
  },
  /** The pause that the portal offers. */
  pause(context, input) {
    const row = subscriptionOf(context, input)
    return send(context, 'POST', `/v1/subscriptions/${row.id}`, { pause_collection: { behavior: 'void' } })
  },
  unpause(context, input) {
    const row = subscriptionOf(context, input)
    return send(context, 'POST', `/v1/subscriptions/${row.id}`, { pause_collection: null })
  },
  /**
   * The method that pays for `subscription`, or `payment_method`, declines: `times` times (default:
   * until the member changes it), from the instant `from` (default: now).
   */
  decline_card(context, input) {
    const method = methodOf(context, input)
    const { times, from } = input
    const since = typeof from === 'string' ? parseInstant(from) : null
    if (since === undefined) throw new ControlRefusal('"from" must be an instant such as 2027-01-31T12:00:00Z')
    const declines: Temper['declines'] = {
      code: 'card_declined',
      decline_code: typeof input['decline_code'] === 'string' ? input['decline_code'] : 'generic_decline',
      from: since,
      times: typeof times === 'number' ? times : null,
    }
    return setTemper(context, method, { ...method.temper, declines })
  },
  /** From now on Radar blocks every payment of the method; no bank is asked. */
  block_card(context, input) {
    const method = methodOf(context, input)
    const declines = { code: 'card_declined', decline_code: blockedByRadar, from: null, times: null }
    return setTemper(context, method, { ...method.temper, declines })
  },
  /**
   * The bank replaced the card, and the card network told this account alone: the same method has
   * other digits and another expiry (`last4`, `exp_month`, `exp_year`). A copy keeps the old ones.
   */
  replace_card(context, input) {
    const method = methodOf(context, input)
    if (method.card === null) throw new ControlRefusal(`${method.id} is no card`)
    const { last4, exp_month: month, exp_year: year } = input
    const card = {
      ...method.card,
      last4: typeof last4 === 'string' ? last4 : '4444',
      exp_month: typeof month === 'number' ? month : method.card.exp_month,
      exp_year: typeof year === 'number' ? year : method.card.exp_year + 4,
    }
    const changed = context.table(paymentMethods).put({ ...method, card })
    context.emit(
      'payment_method.automatically_updated',
      renderPaymentMethod(context, changed),
      renderPaymentMethod(context, method),
    )
    return { payment_method: method.id }
  },
  /** The member opens the hosted page of an open `invoice`, enters a `card`, and pays. */
  pay_invoice(context, input) {
    const row = context.table(invoices).get(textOf(input, 'invoice'))
    if (row?.status !== 'open') throw new ControlRefusal(`"${textOf(input, 'invoice')}" is no open invoice`)
    const token = typeof input['card'] === 'string' ? input['card'] : 'pm_card_visa'
    const method = idOf(send(context, 'POST', `/v1/payment_methods/${token}/attach`, { customer: row.customer }))
    const { id, status } = send(context, 'POST', `/v1/invoices/${row.id}/pay`, { payment_method: method })
    return { invoice: id ?? null, status: status ?? null }
  },
  accept_card(context, input) {
    const method = methodOf(context, input)
    return setTemper(context, method, { ...method.temper, declines: null, then_fails: null })
  },
  /** Payments take `days` to settle and then fail with `then_fails`, if it is given. */
  slow_payments(context, input) {
    const method = methodOf(context, input)
    const days = typeof input['days'] === 'number' ? input['days'] : 4
    const fails = typeof input['then_fails'] === 'string' ? input['then_fails'] : null
    return setTemper(context, method, { ...method.temper, settles_after: days * 86_400, then_fails: fails })
  },
  /** An old checkout link sells one more subscription. */
  subscribe(context, input) {
    const customer = textOf(input, 'customer')
    const price = textOf(input, 'price')
    return send(context, 'POST', '/v1/subscriptions', { customer, items: [{ price }] })
  },
}

export const actingModule: Module = {
  acts: Object.fromEntries(Object.entries(acts).map(([name, act]) => [name, told(act)])),
}

/** The answer of an act holds the instant at which it happened and what it made. */
function told(act: Act): Act {
  return (context, input) => ({ at: formatInstant(context.now), ...act(context, input) })
}

function subscriptionOf(context: Context, input: ControlInput): SubscriptionRow {
  const id = textOf(input, 'subscription')
  const row = context.table(subscriptions).get(id)
  if (row === undefined) throw new ControlRefusal(`no subscription "${id}" in ${context.account.name}`)
  return row
}

function methodOf(context: Context, input: ControlInput): PaymentMethodRow {
  const named = typeof input['payment_method'] === 'string' ? input['payment_method'] : undefined
  const given = context.table(paymentMethods).get(named ?? '')
  if (given !== undefined) return given
  if (named !== undefined) throw new ControlRefusal(`no payment method "${named}" in ${context.account.name}`)
  const row = subscriptionOf(context, input)
  const id = payingMethod(context, { customer: row.customer, subscription: row.id })
  const method = id === null ? undefined : context.table(paymentMethods).get(id)
  if (method === undefined) throw new ControlRefusal(`${row.id} has no payment method that pays for it`)
  return method
}

function setTemper(context: Context, method: PaymentMethodRow, temper: Temper): object {
  context.table(paymentMethods).put({ ...method, temper })
  return { payment_method: method.id }
}

function changeItem(context: Context, row: SubscriptionRow, change: Params, input: ControlInput): object {
  const proration = input['proration_behavior']
  return send(context, 'POST', `/v1/subscriptions/${row.id}`, {
    items: [{ id: row.items[0]?.id, ...change }],
    proration_behavior: typeof proration === 'string' ? proration : 'none',
  })
}

function send(context: Context, method: 'POST' | 'DELETE', path: string, params: Params = {}): JsonObject {
  const maker = new Maker(context.world)
  if (method === 'DELETE') return maker.delete(context.account, path, params)
  const outcome = maker.try(context.account, path, params)
  if (outcome instanceof StripeError) throw outcome
  return outcome
}
