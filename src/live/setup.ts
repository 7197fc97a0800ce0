import type Stripe from 'stripe'
import { idOf } from '../core/reference.ts'
import { isCaptured } from './captured.ts'
import { firstRenewal } from './first-renewal.ts'
import { isAlive } from './subscription.ts'

/**
 * What Stripe found when it set up a subscription's payment method for later renewals. Stripe makes
 * a SetupIntent for every subscription without a payment at its start, which includes every move.
 * https://docs.stripe.com/billing/subscriptions/setup-intents
 */
export interface SetupFailure {
  readonly intent: string
  /** `cardholder`: the bank asks the member to confirm. `method`: the bank refused the method. */
  readonly needs: 'cardholder' | 'method'
  /** The method that was refused; null when Stripe does not name it. */
  readonly method: string | null
  /** ISO 3166 code of the card's country, where Stripe names it. */
  readonly country: string | null
  /** What happened, in words for a person. */
  readonly message: string
}

/**
 * Why the next renewal will probably fail; undefined without evidence. `charged` is the id of the
 * method that the renewal would charge. A SetupIntent that only waits for its confirmation says
 * nothing about the method, and one of a method that was replaced since says nothing about the
 * renewal. A method that Stripe has charged for a renewal works.
 */
export function setupFailure(subscription: Stripe.Subscription, charged: string | null): SetupFailure | undefined {
  const { pending_setup_intent: intent, latest_invoice: latest, collection_method: how } = subscription
  if (typeof intent !== 'object' || intent === null || how !== 'charge_automatically') return undefined
  const error = intent.last_setup_error
  const needs = needsOf(intent)
  if (needs === undefined) return undefined
  const shown = error?.payment_method ?? intent.payment_method ?? null
  const method = shown === null ? null : idOf(shown)
  if (method !== null && charged !== null && method !== charged) return undefined
  if (typeof latest === 'object' && latest !== null && isCaptured(latest, firstRenewal(subscription))) return undefined
  const country = countryOf(error?.payment_method) ?? countryOf(intent.payment_method)
  return { intent: intent.id, needs, method, country, message: messageOf(intent, needs, method) }
}

/** The same of a subscription that is alive; an ended one renews no more. */
export function renewalFailure(subscription: Stripe.Subscription, charged: string | null): SetupFailure | undefined {
  return isAlive(subscription) ? setupFailure(subscription, charged) : undefined
}

/**
 * Countries whose cards pay a renewal only under a mandate that the cardholder registered with the
 * merchant's account. https://docs.stripe.com/india-recurring-payments
 */
export const mandateCountries: ReadonlySet<string> = new Set(['IN'])

export function needsMandate({ needs, country }: Pick<SetupFailure, 'needs' | 'country'>): boolean {
  return needs === 'cardholder' && country !== null && mandateCountries.has(country)
}

function needsOf({ status, last_setup_error: error }: Stripe.SetupIntent): SetupFailure['needs'] | undefined {
  if (status === 'requires_action') return 'cardholder'
  // Without an error, the subscription only had no method to set up.
  if (status !== 'requires_payment_method' || error === null) return undefined
  return error.code === 'authentication_required' || error.decline_code === 'authentication_required'
    ? 'cardholder'
    : 'method'
}

function messageOf(
  { id, last_setup_error: error }: Stripe.SetupIntent,
  needs: SetupFailure['needs'],
  method: string | null,
): string {
  const what = method ?? 'the payment method'
  if (needs === 'cardholder')
    return `Stripe set up ${what} for the renewals, and the bank asks the member to confirm (${id})`
  const why = error?.decline_code ?? error?.code ?? 'declined'
  return `Stripe set up ${what} for the renewals, and the bank refused it: ${why} (${id})`
}

function countryOf(method: string | Stripe.PaymentMethod | null | undefined): string | null {
  return typeof method === 'object' ? (method?.card?.country ?? null) : null
}
