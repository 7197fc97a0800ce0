// Stripe's own page of a Checkout session in `setup` mode: the cardholder enters a test card, the
// bank may ask for a confirmation, and the browser returns to the program.
// https://docs.stripe.com/payments/checkout
import type { Account } from '../kernel/account.ts'
import { Context } from '../kernel/context.ts'
import { ControlRefusal, textOf } from '../kernel/control.ts'
import { StripeError } from '../kernel/errors.ts'
import type { HttpAnswer, HttpRequest, Module } from '../kernel/module.ts'
import type { World } from '../kernel/world.ts'
import { attach } from './attaching.ts'
import { checkoutSessions, renderSession, type CheckoutSessionRow } from './checkout-session-row.ts'
import { cardOf, newPaymentMethod } from './payment-method-row.ts'
import { completeSetup } from './setup-intents.ts'
import { calm, cardByNumber, cardByToken, type Plastic } from './test-cards.ts'

const path = '/c/pay/'

export const hostedCheckoutModule: Module = {
  mounts: { [path]: (world, request) => answer(world, request) },
  acts: {
    /** The member enters a card (`card`: a test token) on the page of `session` and confirms it. */
    enter_card(context, input) {
      const row = openSession(context, textOf(input, 'session'))
      if (row === undefined) throw new ControlRefusal('there is no open session of that id in setup mode')
      const plastic = cardByToken(typeof input['card'] === 'string' ? input['card'] : 'pm_card_visa')
      if (plastic === undefined) throw new ControlRefusal('"card" must be a test token such as pm_card_visa')
      return { payment_method: enter(context, row, { plastic }), returns_to: row.success_url }
    },
  },
}

function openSession(context: Context, id: string): CheckoutSessionRow | undefined {
  const row = context.table(checkoutSessions).get(id)
  return row?.mode === 'setup' && row.status === 'open' ? row : undefined
}

interface Entered {
  readonly plastic: Plastic
  readonly expires?: { readonly month: number; readonly year: number }
}

/** What the bank accepts on this page is set up for later charges without the cardholder. */
function enter(context: Context, row: CheckoutSessionRow, { plastic, expires }: Entered): string {
  const once = plastic.last4 === '3155'
  const card = cardOf(context, plastic, expires)
  const made = newPaymentMethod(context, { type: 'card', card, temper: once ? calm : plastic.temper })
  const method = row.customer === null ? made : attach(context, made, row.customer)
  if (row.setup_intent !== null) completeSetup(context, row.setup_intent, method)
  context.unschedule('checkout.session.expire', row.id)
  const complete = context.table(checkoutSessions).put({ ...row, status: 'complete' })
  context.emit('checkout.session.completed', renderSession(context, complete))
  return method.id
}

function answer(world: World, request: HttpRequest): HttpAnswer {
  const id = request.url.pathname.slice(path.length)
  const found = sessionIn(world, id)
  if (found === undefined) return page(404, 'Something went wrong', '<p>The page you were looking for is gone.</p>')
  const { account, row } = found
  if (row.status === 'complete') return page(200, 'You are all done here', '<p>Your card is already saved.</p>')
  if (row.status === 'expired') return page(404, 'This page has expired', '<p>Go back and start again.</p>')
  const { cancel_url: back } = row
  if (request.method !== 'POST') return form(back, '')
  const given = new URLSearchParams(request.body)
  const number = given.get('number') ?? ''
  const plastic = cardByNumber(number)
  const expires = expiryOf(given.get('expiry') ?? '')
  if (plastic === undefined) return form(back, 'Your card number is invalid.')
  if (expires === undefined || isPast(world, expires)) return form(back, "Your card's expiration date is in the past.")
  const asks = plastic.temper.declines?.code === 'authentication_required' || plastic.country === 'IN'
  if (asks && given.get('confirm') === null) return confirmation(number, given.get('expiry') ?? '')
  if (asks && given.get('confirm') !== 'complete')
    return form(back, 'We are unable to authenticate your payment method. Please choose a different one.')
  try {
    world.transact(() => enter(new Context(world, account), row, { plastic, expires }))
  } catch (error) {
    if (error instanceof StripeError) return form(back, error.message)
    throw error
  }
  return { status: 303, headers: { location: row.success_url ?? '/' }, body: '' }
}

function sessionIn(world: World, id: string): { account: Account; row: CheckoutSessionRow } | undefined {
  for (const account of world.accounts.values()) {
    const row = account.table(checkoutSessions).get(id)
    if (row?.mode === 'setup') return { account, row }
  }
  return undefined
}

function expiryOf(text: string): { month: number; year: number } | undefined {
  const [, month = '', year = ''] = /^\s*(0?[1-9]|1[0-2])\s*\/\s*(\d{2})\s*$/.exec(text) ?? []
  return month === '' ? undefined : { month: Number(month), year: 2_000 + Number(year) }
}

function isPast(world: World, { month, year }: { month: number; year: number }): boolean {
  return Date.UTC(year, month, 1) / 1_000 <= world.now
}

function form(back: string | null, problem: string): HttpAnswer {
  const alert = problem === '' ? '' : `<p role="alert">${escaped(problem)}</p>`
  const away = back === null ? '' : `<p><a href="${escaped(back)}">Back</a></p>`
  return page(
    200,
    'Save your card',
    `${alert}<form method="post">
<p><label>Card number <input name="number" inputmode="numeric" autocomplete="cc-number" required></label></p>
<p><label>Expiry (MM/YY) <input name="expiry" autocomplete="cc-exp" required></label></p>
<p><label>CVC <input name="cvc" inputmode="numeric" autocomplete="cc-csc" required></label></p>
<p><button type="submit">Save card</button></p></form>${away}`,
  )
}

/** What the bank asks the cardholder, as Stripe's test page does. */
function confirmation(number: string, expiry: string): HttpAnswer {
  return page(
    200,
    'Your bank asks you to confirm',
    `<form method="post">
<input type="hidden" name="number" value="${escaped(number)}"><input type="hidden" name="expiry" value="${escaped(expiry)}">
<p><button name="confirm" value="complete">Complete</button> <button name="confirm" value="fail">Fail</button></p></form>`,
  )
}

function page(status: number, title: string, body: string): HttpAnswer {
  return {
    status,
    headers: { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' },
    body: `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,"><title>${title}</title></head><body><main><h1>${title}</h1><p>Simulated page of Stripe. Use a test card.</p>${body}</main></body></html>`,
  }
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
