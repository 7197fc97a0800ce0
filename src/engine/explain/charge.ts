import type Stripe from 'stripe'
import { targetAccount } from '../../catalog/types.ts'
import { formatInstant, type Instant } from '../../core/instant.ts'
import { idOf } from '../../core/reference.ts'
import { nextChargeOf } from '../../handover/charges.ts'
import { findingsOf, type CardFinding } from '../../handover/cards.ts'
import type { Classification, CopyMap } from '../../handover/types.ts'
import type { LiveAccount } from '../../live/accounts.ts'
import { readPayment, readSource } from '../../live/source.ts'
import { isAlive, isHeld } from '../../live/subscription.ts'
import type { Sides } from '../check/sides.ts'
import { accountNamed, type Context } from '../context.ts'
import { previewInvoice } from '../handover/previews.ts'
import { byId } from '../read/by-id.ts'
import { methodOf } from '../read/payment-methods.ts'
import { asInvoice } from '../read/subscriptions.ts'
import type { ExplainedCharge } from './document.ts'

/** The subscription that bills now, in the account that has it; undefined when none does. */
export interface Billing {
  readonly raw: Stripe.Subscription
  readonly account: LiveAccount
}

export function billingNow(
  { old, alive, source }: Sides,
  live: { readonly target: LiveAccount; readonly sources: ReadonlyMap<string, LiveAccount> },
): Billing | undefined {
  const [successor] = alive
  const account = live.sources.get(source)
  if (successor !== undefined) return { raw: successor, account: live.target }
  return old === undefined || account === undefined || !isAlive(old) || isHeld(old) ? undefined : { raw: old, account }
}

/** The next charge as Stripe previews it, or from the items alone where it previews nothing. */
export async function nextCharge(context: Context, { raw, account }: Billing): Promise<ExplainedCharge | null> {
  const customer = account.customers.get(idOf(raw.customer))
  const read = readSource(raw, customer, account.prices, account.coupons)
  const forecast = nextChargeOf(read)
  if (forecast === null) return null
  const reached = accountNamed(context, account.name)
  const method = await methodShown(reached, raw, account)
  const about = { at: formatInstant(forecast.at), currency: forecast.currency, account: account.name }
  const preview = await previewInvoice(context, reached, { subscription: raw.id })
  const kind = method === undefined ? null : kindOf(method)
  if (!preview.ok) return { ...about, amount: forecast.amount, method: kind, exact: false }
  return { ...about, amount: asInvoice(preview.value).amount_due, method: kind, exact: true }
}

/** The same charge when the move is applied before it. */
export function chargeAfterMove(one: Classification, now: ExplainedCharge | null): ExplainedCharge | null {
  const charge = one.outcome === 'move' ? one.plan.charge : null
  if (charge === null) return null
  // A move charges the same, so a previewed amount holds on both sides.
  const exact = now?.exact === true
  const amount = exact ? now.amount : charge.amount
  return {
    at: formatInstant(charge.at),
    amount,
    currency: charge.currency,
    account: targetAccount,
    method: now?.method ?? null,
    exact,
  }
}

/** Why the next renewal will probably fail in the target, as `cards check` judges it. */
export async function cardFindings(
  context: Context,
  sides: Sides,
  { raw, account }: Billing,
  copyMap: CopyMap | undefined,
  now: Instant,
): Promise<readonly CardFinding[]> {
  const customer = account.customers.get(idOf(raw.customer))
  const charge = nextChargeOf(readSource(raw, customer, account.prices, account.coupons))
  if (charge === null || charge.amount === 0 || raw.collection_method !== 'charge_automatically') return []
  const payment = readPayment(raw, customer)
  if (payment === null) return [{ code: 'no_method', message: 'no payment method would be charged' }]
  const [successor] = sides.alive
  const copy =
    successor === undefined ? copyMap?.payments.get(payment.id) : { customer: idOf(raw.customer), id: payment.id }
  if (copy === undefined) return [{ code: 'method_not_copied', message: `${payment.id} has no copy` }]
  const { target } = context.accounts
  const shown = await byId(target, methodPath(copy.id, copy.customer))
  const isTheirs = shown !== undefined && idOf(shown['customer']) === copy.customer
  const old = successor === undefined ? await methodShown(accountNamed(context, account.name), raw, account) : undefined
  const about = { id: copy.id, shown: isTheirs ? methodOf(shown) : undefined, old, successor, next: charge.at }
  return findingsOf(about, now)
}

async function methodShown(
  account: ReturnType<typeof accountNamed>,
  raw: Stripe.Subscription,
  live: LiveAccount,
): Promise<Stripe.PaymentMethod | undefined> {
  const payment = readPayment(raw, live.customers.get(idOf(raw.customer)))
  if (payment === null) return undefined
  const found = await byId(account, methodPath(payment.id, idOf(raw.customer)))
  return found === undefined ? undefined : methodOf(found)
}

function methodPath(id: string, customer: string): string {
  return id.startsWith('pm_') ? `/v1/payment_methods/${id}` : `/v1/customers/${customer}/sources/${id}`
}

/** `card (visa, US, expires 4/2027)`; no digits of the card. */
function kindOf({ type, card }: Stripe.PaymentMethod): string {
  if (card == null) return type
  const country = card.country === null ? '' : `, ${card.country}`
  return `card (${card.brand}${country}, expires ${card.exp_month}/${card.exp_year})`
}
