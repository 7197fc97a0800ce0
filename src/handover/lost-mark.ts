import type Stripe from 'stripe'
import type { Candidate } from './candidate.ts'
import type { BlockedCode } from './codes.ts'
import { blocked } from './reasons.ts'
import type { Reason } from './types.ts'
import { aboutUnmarked, fixUnmarked, unmarkedSuccessors } from './unmarked.ts'

/** Empty for a subscriber whose second subscription is declared as intended. */
export function unmarkedOf({ desired, old, customerNewId, around }: Candidate): readonly Stripe.Subscription[] {
  if (desired.pays_twice !== undefined) return []
  return unmarkedSuccessors(old, around.targetByCustomer.get(customerNewId) ?? [], around.target)
}

/** Why neither a move nor a release is safe: something without a mark bills the member already. */
export function lostMark(candidate: Candidate): Reason<BlockedCode> | undefined {
  const [first] = unmarkedOf(candidate)
  if (first === undefined) return undefined
  const { key } = candidate.desired
  return blocked('unmarked_successor', aboutUnmarked(first.id), fixUnmarked(key, first.id))
}
