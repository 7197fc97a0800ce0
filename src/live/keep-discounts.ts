import type Stripe from 'stripe'
import type { Instant } from '../core/instant.ts'
import type { JsonObject } from '../core/json.ts'
import { firstRenewal } from './first-renewal.ts'
import { idOf } from '../core/reference.ts'

/**
 * Whether an update of this subscription may remove its discounts: it has discounts, and its first
 * billing date is in the future. Stripe documents this for all subscriptions with a future anchor
 * (https://docs.stripe.com/billing/subscriptions/import-subscriptions-toolkit), so it applies to
 * old and new ones.
 */
export function mayLoseDiscounts(subscription: Stripe.Subscription, now: Instant): boolean {
  const { discounts, items } = subscription
  const isDiscounted = discounts.length > 0 || items.data.some((item) => item.discounts.length > 0)
  return isDiscounted && firstRenewal(subscription) > now
}

/**
 * The parameters of an update. If the update may remove the subscription's discounts, they are sent
 * again by the id of the discount, which keeps its clock and terms, and never by the coupon.
 * Parameters that already set discounts or items keep their values.
 */
export function keepingDiscounts(params: JsonObject, subscription: Stripe.Subscription, now: Instant): JsonObject {
  if (!mayLoseDiscounts(subscription, now)) return params
  const own = kept(subscription.discounts)
  const items = subscription.items.data.flatMap((item) =>
    item.discounts.length === 0 ? [] : [{ id: item.id, discounts: kept(item.discounts) }],
  )
  return {
    ...(own.length === 0 ? {} : { discounts: own }),
    ...(items.length === 0 ? {} : { items }),
    ...params,
  }
}

function kept(discounts: readonly (string | { readonly id: string })[]): JsonObject[] {
  return discounts.map((discount) => ({ discount: idOf(discount) }))
}

/** Whether a request updates an existing subscription as a whole. */
export function isSubscriptionUpdate(method: string, path: string): boolean {
  return method === 'POST' && /^\/v1\/subscriptions\/[^/]+$/.test(path)
}
/**
 * Marks: metadata and comments by which Crossbill recognises its own work on live objects, so that
 * a lost store loses nothing. Metadata keys have no colons or brackets, because Stripe refuses
 * brackets and does not reliably accept colons.
 */
export const markProject = 'crossbill_project'
/** On an object of the target's catalog: its address, `price.membership-monthly-usd`. */
export const markAddress = 'crossbill_address'
/** On an object of the target's catalog: `true` if its entry protects it. It outlives the entry. */
export const markProtect = 'crossbill_protect'
/** Never set. Requests that must change nothing clear it on a customer of the target. */
export const markClosed = 'crossbill_closed'
/** On a new subscription: the subscriber that it succeeds, `us/sub_…`. */
export const markFrom = 'crossbill_from'
/** On a held old subscription: JSON of the hold (`pause_collection` before it, plan digest). */
export const markHold = 'crossbill_hold'
/**
 * On an old subscription that was ever held: the number of holds and releases, and the time of the
 * last one (`2 1764450000`). It stays after a release, because the idempotency keys of a hand-over
 * derive from this number: two runs that read the same accounts send a request under the same key,
 * and a delayed run finds its number already used. On a new subscription: the number of the hold
 * under which it was created.
 */
export const markHolds = 'crossbill_holds'

/**
 * `cancellation_details.comment` of a settled old subscription; ends in the id of its successor, as
 * a forwarding address.
 */
export const settledComment = 'crossbill settled, continues as '
/**
 * `cancellation_details.comment` of a new subscription whose hand-over was undone or reverted; ends
 * in the subscriber's key.
 */
export const undoneComment = 'crossbill undone, back to '
/** `cancellation_details.comment` of a cancel by the cancel service; ends in the inbox id. */
export const cancelledComment = 'crossbill cancelled on request '

/** On a new subscription that cannot be backdated: the start of the old one, in unix seconds. */
export const markStart = 'crossbill_start'
/** On a new subscription: the promotion code of the old account from which its discount came. */
export const markPromotion = 'crossbill_promotion_code'
/**
 * On a new subscription: the old payment method and the copy with which it was created,
 * `pm_old>pm_new`.
 */
export const markPayment = 'crossbill_payment'
/**
 * On balance transactions, invoice items and invoices that carry a customer's money: `us/sub_…` and
 * the step.
 */
export const markCarried = 'crossbill_carried'

/**
 * The catalog's key of a price in the target, by its mark. A `lookup_key` belongs to the school's
 * own code and may be any text, even another price's catalog key, so it never decides what a
 * subscriber pays.
 */
export function priceKey(price: { readonly metadata?: unknown }): string | undefined {
  const mark = (price.metadata as Readonly<Record<string, unknown>> | null | undefined)?.[markAddress]
  return typeof mark === 'string' && mark.startsWith('price.') ? mark.slice('price.'.length) : undefined
}

export function paymentMark(old: string, copy: string): string {
  return `${old}>${copy}`
}

/** The content of the mark: the old payment method and its copy. */
export function readPaymentMark(metadata: Readonly<Record<string, string>>): { old: string; copy: string } | undefined {
  const [old = '', copy = ''] = (metadata[markPayment] ?? '').split('>')
  return old === '' || copy === '' ? undefined : { old, copy }
}

/** Metadata without Crossbill's keys: what the subscription's owner wrote. */
export function foreignMetadata(metadata: Readonly<Record<string, string>> | null): Record<string, string> {
  return Object.fromEntries(Object.entries(metadata ?? {}).filter(([key]) => !key.startsWith('crossbill_')))
}
