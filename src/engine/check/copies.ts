import type Stripe from 'stripe'
import { copyMismatch } from '../../handover/copied-customer.ts'
import { methodMismatch } from '../../handover/copied-method.ts'
import { methodInTarget } from '../../handover/method-in-target.ts'
import type { CopyMap } from '../../handover/types.ts'
import type { Live } from '../../live/accounts.ts'
import { enteredOf } from '../../live/entered-card.ts'
import { readPayment } from '../../live/source.ts'
import { isHeld } from '../../live/subscription.ts'
import type { Sides } from './sides.ts'

/* Rules about what the copy map says: whose customer and which payment method is billed. */

type Found = { readonly detail: string; readonly fix: string } | undefined

export interface CopiesSeen {
  readonly live: Live
  /** By source name. */
  readonly copyMaps: ReadonlyMap<string, CopyMap>
  /** Ids of all copied payment methods of every source. */
  readonly copied: ReadonlySet<string>
}

/** The new subscription must bill the copy of the customer, on the copy of the card. */
export function wrongCopy(sides: Sides, seen: CopiesSeen): Found {
  return onAnotherCustomer(sides, seen) ?? onAnotherCard(sides, seen)
}

/** The new subscription must be on the copy of the old subscription's customer. */
function onAnotherCustomer({ declared, old, alive, source: name }: Sides, { live, copyMaps }: CopiesSeen): Found {
  const [successor] = alive
  const [source, copyMap] = [live.sources.get(name), copyMaps.get(name)]
  if (successor === undefined || old === undefined || source === undefined || copyMap === undefined) return undefined
  if (declared?.override?.includes('copy_mismatch') === true) return undefined
  const before = source.customers.get(customerId(old))
  const copy = live.target.customers.get(customerId(successor))
  if (before === undefined || copy === undefined) return undefined
  const mismatch = copyMismatch({ old: before, copy, copyMap, source, target: live.target })
  return mismatch === undefined
    ? undefined
    : {
        detail: `${successor.id} bills ${copy.id}: ${mismatch}`,
        fix: 'set the stage back to `source` and apply before the next renewal, correct the copy map, then move again',
      }
}

/** The method that the copy map names must be the card that the old account charged. */
function onAnotherCard({ declared, old, alive, source: name }: Sides, { live, copyMaps }: CopiesSeen): Found {
  const [successor] = alive
  const [source, copyMap] = [live.sources.get(name), copyMaps.get(name)]
  if (successor === undefined || source === undefined || copyMap === undefined) return undefined
  if (old === undefined || !isHeld(old) || enteredOf(successor) !== undefined) return undefined
  if (declared?.override?.includes('copy_mismatch') === true) return undefined
  const before = readPayment(old, source.customers.get(customerId(old)))
  const now = readPayment(successor, live.target.customers.get(customerId(successor)))
  const copy = copyMap.payments.get(before?.id ?? '')
  if (now === null || now.id !== copy?.id) return undefined
  const mismatch = methodMismatch({ old: before, copy, copyMap, source, target: live.target })
  return mismatch === undefined
    ? undefined
    : {
        detail: `${successor.id} charges ${copy.id}: ${mismatch}`,
        fix: 'set the stage back to `source` and apply before the next renewal, import the mapping file from Stripe, then move again',
      }
}

/**
 * The method that is charged must be the copy of the earlier one. The member may have given the
 * target a newer card; but no card, or another copied one, cannot be the member's choice.
 */
export function paymentDiffers({ old, alive, source }: Sides, { live, copyMaps, copied }: CopiesSeen): Found {
  const [successor] = alive
  if (successor?.collection_method !== 'charge_automatically' || old === undefined || !isHeld(old)) return undefined
  const before = readPayment(old, live.sources.get(source)?.customers.get(customerId(old)))
  const wanted = methodInTarget(before, copyMaps.get(source), enteredOf(successor))
  if (wanted === undefined) return undefined
  const now = readPayment(successor, live.target.customers.get(customerId(successor)))
  if (now?.id === wanted.id) return undefined
  if (now !== null && !copied.has(now.id)) return undefined
  // A method on the subscription takes precedence over the customer's default.
  const place = now?.level === 'subscription' ? successor.id : wanted.customer
  return {
    detail: `${successor.id} would charge ${now?.id ?? 'nothing'}, ${wanted.id} is the copy of what the old one charged`,
    fix: `make ${wanted.id} the default of ${place} in the target`,
  }
}

function customerId({ customer }: Stripe.Subscription): string {
  return typeof customer === 'string' ? customer : customer.id
}
