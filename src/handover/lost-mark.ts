import type Stripe from 'stripe'
import type { Candidate } from './candidate.ts'
import type { BlockedCode } from './codes.ts'
import { blocked } from './reasons.ts'
import type { Reason } from './types.ts'
import { markAsText, unmarkedSuccessors } from './unmarked.ts'

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

export function aboutUnmarked(id: string): string {
  return `${id} in the target bills the same customer for the same, and no mark says which subscription it continues`
}

export function fixUnmarked(key: string, id: string): string {
  return `If ${id} continues it, write ${markAsText(key)} into its metadata in the Dashboard of the target, then crossbill apply. If the member wants both, give the reason under \`pays_twice\` in the entry of ${key}. Otherwise cancel one of the two.`
}
