import { objectIn, textIn } from '../core/json.ts'

/**
 * Marks: metadata and comments by which Crossbill recognises its own work on live objects, so that
 * losing the store loses nothing. No colons or brackets in metadata keys (Stripe refuses brackets
 * and does not reliably accept colons).
 */
export const markProject = 'crossbill_project'
/** On an object of the target's catalog: its address, `price.membership-monthly-usd`. */
export const markAddress = 'crossbill_address'
/**
 * On an object that no longer represents an address: the address that it had. Members may pay a
 * replaced price for years, and it still decides what they have access to.
 */
export const markFormer = 'crossbill_former'
/** On an object of the target's catalog that its entry protects: `true`. It outlives the entry. */
export const markProtect = 'crossbill_protect'
/** Never set: requests that change nothing unset it on a customer of the target. */
export const markClosed = 'crossbill_closed'
/** On a new subscription: the subscriber it succeeds, `us/sub_…`. */
export const markFrom = 'crossbill_from'
/**
 * On a held old subscription: JSON of the hold (`before` image of pause_collection, plan digest).
 */
export const markHold = 'crossbill_hold'
/**
 * On an old subscription that was ever held: how often it was held or released, and when the last
 * time was (`2 1764450000`). It stays after a release, because the keys of the requests of a
 * hand-over derive from this number: two runs that see the same accounts send a request under the
 * same key, and the request of a run that stood still finds its number taken. On a new
 * subscription: the number of the hold under which it was made.
 */
export const markHolds = 'crossbill_holds'

/**
 * `cancellation_details.comment` of an old subscription that was settled; ends in its successor's
 * id, which makes it a forwarding address.
 */
export const settledComment = 'crossbill settled, continues as '
/**
 * `cancellation_details.comment` of an old subscription that is billed by usage and ends with its
 * period, from the proof of its successor on; ends in its successor's id.
 */
export const endsComment = 'crossbill ends with its usage, continues as '
/**
 * `cancellation_details.comment` of a new subscription whose hand-over was undone or reverted; the
 * subscriber's key and the pause follow (`undone.ts`).
 */
export const undoneComment = 'crossbill undone, back to '
/** `cancellation_details.comment` of a cancel that the cancel service did; ends in the inbox id. */
export const cancelledComment = 'crossbill cancelled on request '

/** On a new subscription that could not be backdated: when the old one started, unix seconds. */
export const markStart = 'crossbill_start'
/** On a new subscription: the promotion code of the old account that its discount came from. */
export const markPromotion = 'crossbill_promotion_code'
/**
 * On a new subscription: the catalog's coupons of the discounts that it was created with
 * (`from-creation.ts`).
 */
export const markDiscounts = 'crossbill_discounts'
/**
 * On a new subscription: the old payment method and its copy that it was created with,
 * `pm_old>pm_new`.
 */
export const markPayment = 'crossbill_payment'
/**
 * On balance transactions, invoice items and invoices that move a customer's money: `us/sub_…` and
 * the step.
 */
export const markCarried = 'crossbill_carried'

/**
 * On an old subscription while its customer's money moves: the start of the keys that note each
 * piece (`money-note.ts`).
 */
export const markMoney = 'crossbill_money'
/**
 * On a released old subscription, until each renewal that its hold kept back is accounted for: when
 * the hold began, and the policy for these renewals (`1764450000 invoice`).
 */
export const markDue = 'crossbill_due'

/**
 * On an invoice of a new subscription that a revert stopped in order to void it: the subscriber's
 * key. While the new subscription lives, the revert is not finished.
 */
export const markReverting = 'crossbill_reverting'

/**
 * On an open invoice that is carried, set right before Crossbill voids it: the old subscription and
 * the number of its hold (`sub_… 1`). A void invoice without it was voided by others.
 */
export const markVoiding = 'crossbill_voiding'

/**
 * On an open invoice that is being collected, set right before Crossbill cancels another
 * subscription of its customer: the cancelled subscription. A cancel stops the collection of all
 * invoices of its customer; the request that collects this one again removes the mark.
 */
export const markCollect = 'crossbill_collect'

/**
 * The catalog's key of a price in the target, by its mark. A `lookup_key` belongs to the school's
 * own code: it may be any text, another price's catalog key among them, so it never decides who
 * pays for what.
 */
export function priceKey(price: { readonly metadata?: unknown }): string | undefined {
  return keyByMark('price', price)
}

/** The catalog's key of an object of this kind in the target, by its mark. */
export function keyByMark(kind: string, object: { readonly metadata?: unknown }): string | undefined {
  const marks = object.metadata as Readonly<Record<string, unknown>> | null | undefined
  const mark = marks?.[markAddress] ?? marks?.[markFormer]
  return typeof mark === 'string' && mark.startsWith(`${kind}.`) ? mark.slice(kind.length + 1) : undefined
}

export function paymentMark(old: string, copy: string): string {
  return `${old}>${copy}`
}

/** What the mark says: the old payment method, and its copy. */
export function readPaymentMark(metadata: Readonly<Record<string, string>>): { old: string; copy: string } | undefined {
  const [old = '', copy = ''] = (metadata[markPayment] ?? '').split('>')
  return old === '' || copy === '' ? undefined : { old, copy }
}

/**
 * The old subscription that a mark or a subscriber key names. Marks are compared by this id: it is
 * unique in all of Stripe, while the name before the slash is the project's own and may change.
 */
export function oldIdOf(mark: string | undefined): string {
  return mark?.slice(mark.indexOf('/') + 1) ?? ''
}

/** Whether a mark of carried money belongs to this subscriber: the mark is the key and the step. */
export function isCarriedFor(metadata: unknown, key: string): boolean {
  return oldIdOf(textIn(objectIn(metadata)[markCarried])).startsWith(`${oldIdOf(key)} `)
}

/** Metadata without our own keys: what the subscription's owner wrote. */
export function foreignMetadata(metadata: Readonly<Record<string, string>> | null): Record<string, string> {
  return Object.fromEntries(Object.entries(metadata ?? {}).filter(([key]) => !key.startsWith('crossbill_')))
}
