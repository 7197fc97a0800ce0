import type Stripe from 'stripe'
import { markFrom } from '../live/marks.ts'
import { readSource, type SourceSubscription } from '../live/source.ts'
import { isAlive, successorMark } from '../live/subscription.ts'
import type { LiveAccount } from '../live/accounts.ts'
import { sameItems } from './changed-terms.ts'

/**
 * Of the live subscriptions of the target's customer, those that name no old subscription and may
 * continue this one: they carry another mark of Crossbill's, or bill the same. A person can remove
 * a mark in the Dashboard, and the subscription still bills.
 */
export function unmarkedSuccessors(
  old: SourceSubscription,
  theirs: readonly Stripe.Subscription[],
  { prices, coupons }: Pick<LiveAccount, 'prices' | 'coupons'>,
): readonly Stripe.Subscription[] {
  return theirs.filter(isUnmarked).filter((one) => {
    if (Object.keys(one.metadata).some((key) => key.startsWith('crossbill_'))) return true
    const { items, currency } = readSource(one, undefined, prices, coupons)
    return currency === old.currency && sameItems(old.items, items, currency)
  })
}

/** Live, and names no old subscription. */
export function isUnmarked(one: Stripe.Subscription): boolean {
  return isAlive(one) && successorMark(one) === undefined
}

/** `crossbill_from: us/sub_…`: the mark as a person writes it in the Dashboard. */
export function markAsText(key: string): string {
  return `\`${markFrom}: ${key}\``
}

export function aboutUnmarked(id: string): string {
  return `${id} in the target bills the same customer for the same, and no mark says which subscription it continues`
}

export function fixUnmarked(key: string, id: string): string {
  return `If ${id} continues it, write ${markAsText(key)} into its metadata in the Dashboard of the target, then crossbill apply. If the member wants both, give the reason under \`pays_twice\` in the entry of ${key}. Otherwise cancel one of the two.`
}
