import type Stripe from 'stripe'
import type { PauseImage, SourceSubscription } from '../live/source.ts'
import { isMetered } from '../live/metered.ts'
import { nextChargeUnder } from './charges.ts'
import { sourcePrint } from './fingerprint.ts'
import { blocked } from './reasons.ts'
import type { BlockedCode } from './codes.ts'
import type { Reason } from './types.ts'

/*
 * A subscription that bills by itself, and nothing that it would charge: the card was detached, the
 * source deleted or the default removed. Stripe then creates invoices that nobody pays.
 */

/**
 * Whether its next charge needs a payment method and finds none. Sent invoices need none, and nor
 * does a subscription that owes nothing, ends, or is paused without an end.
 */
export function billsWithoutMethod(subscription: SourceSubscription, pause: PauseImage | null): boolean {
  if (subscription.raw.collection_method !== 'charge_automatically' || hasMethod(subscription)) return false
  const charge = nextChargeUnder(pause, subscription)
  if (charge === null) return false
  const isPausedForGood = pause !== null && pause.resumes_at === null
  return charge.amount > 0 || (!isPausedForGood && subscription.items.some(({ price }) => isAmountOpen(price)))
}

/** Usage is not known in advance, and tiers are not part of every read. */
function isAmountOpen(price: Stripe.Price): boolean {
  return isMetered(price) || (price.billing_scheme === 'tiered' && price.tiers === undefined)
}

/** A method that was detached may still be named, and can no longer pay. */
function hasMethod({ payment, raw: { default_payment_method: own } }: SourceSubscription): boolean {
  if (payment === null) return false
  return own === null || typeof own === 'string' || own.customer !== null
}

/**
 * Why the old subscription cannot bill again: it is released without a payment method. One that had
 * none when it was held comes back as it was.
 */
export function noMethodInSource(
  old: SourceSubscription,
  customer: Stripe.Customer | undefined,
  pause: PauseImage | null,
): Reason<BlockedCode> | undefined {
  if (!billsWithoutMethod(old, pause)) return undefined
  const isAsHeld = old.payment === null && old.hold !== null && old.hold.print === sourcePrint(old.raw, customer)
  if (isAsHeld && old.hold?.print !== '') return undefined
  return blocked(
    'no_method_in_source',
    `${old.id} has no payment method any more, nor has its customer ${old.customer}: after a revert nobody would be charged`,
  )
}
