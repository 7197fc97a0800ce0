import type Stripe from 'stripe'
import { formatInstant, instant } from '../../core/instant.ts'
import { idOf } from '../../core/reference.ts'
import { billsWithoutMethod } from '../../handover/no-method.ts'
import type { LiveAccount } from '../../live/accounts.ts'
import { readHolds, readSource } from '../../live/source.ts'
import { mayCharge, runningTrialEnd } from '../../live/subscription.ts'
import { paymentDiffers, type CopiesSeen } from './copies.ts'
import { nextCharge, type Sides } from './sides.ts'

/* Payers that bill automatically and have nothing to charge. */

type Found = { readonly detail: string; readonly fix: string } | undefined

/**
 * The old account bills after a revert. What Crossbill never released is as its owner has it there.
 */
export function noMethodOfOld({ old, alive, source, declared }: Sides, { live }: CopiesSeen): Found {
  if (old === undefined || declared === undefined || alive.length > 0 || readHolds(old).count === 0) return undefined
  return withoutMethod(old, live.sources.get(source))
}

/** A copy that only has to be made the default is `payment_method_differs`. */
export function noMethodOfNew(sides: Sides, input: CopiesSeen): Found {
  const [successor] = sides.alive
  if (successor === undefined || paymentDiffers(sides, input) !== undefined) return undefined
  return withoutMethod(successor, input.live.target)
}

function withoutMethod(payer: Stripe.Subscription, account: LiveAccount | undefined): Found {
  if (account === undefined || !mayCharge(payer) || chargesNothingAfterTrial(payer)) return undefined
  const customer = idOf(payer.customer)
  const read = readSource(payer, account.customers.get(customer), account.prices, account.coupons)
  if (!billsWithoutMethod(read, null)) return undefined
  const at = nextCharge(payer)
  const when = at === undefined ? '' : `, due ${formatInstant(instant(at))},`
  return {
    detail: `${payer.id} in ${account.name} bills automatically, and neither it nor ${customer} has a payment method: its next charge${when} finds nothing to charge`,
    fix: `let the member enter a card in ${account.name}, as the default of ${customer} or of ${payer.id}`,
  }
}

/** Without a payment method, Stripe pauses or cancels it at the end of the trial, as agreed. */
function chargesNothingAfterTrial(payer: Stripe.Subscription): boolean {
  const without = payer.trial_settings?.end_behavior.missing_payment_method ?? 'create_invoice'
  return runningTrialEnd(payer) !== null && without !== 'create_invoice'
}
