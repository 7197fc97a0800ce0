import type Stripe from 'stripe'
import { isJsonObject, type JsonObject } from '../core/json.ts'
import { cancelledComment, endsComment, markFrom, markHold, settledComment, undoneComment } from './marks.ts'

/**
 * What a subscription's status means, and which marks show that it belongs to Crossbill. No other
 * file compares a status: a new question gets a predicate here.
 *
 * | status               | over | begun | charges | access | payments | current | what it is     |
 * |----------------------|------|-------|---------|--------|----------|---------|----------------|
 * | `incomplete`         | no   | no    | no      | no     | no       | no      | awaits payment |
 * | `incomplete_expired` | yes  | no    | no      | no     | no       | no      | never paid     |
 * | `trialing`           | no   | yes   | yes     | yes    | no       | no      | in its trial   |
 * | `active`             | no   | yes   | yes     | yes    | no       | yes     | paid           |
 * | `past_due`           | no   | yes   | yes     | yes    | retrying | yes     | being retried  |
 * | `unpaid`             | no   | yes   | yes     | no     | given up | no      | retries failed |
 * | `paused`             | no   | yes   | no      | no     | no       | no      | no card at end |
 * | `canceled`           | yes  | yes   | no      | no     | no       | no      | ended          |
 *
 * A status that Stripe adds later counts as alive, charging and giving access until this table has
 * it, so that no subscriber is forgotten, charged by two accounts or locked out. No plan moves such
 * a subscription (`unknown_status`).
 *
 * https://docs.stripe.com/billing/subscriptions/overview#subscription-statuses
 */
const meanings = {
  incomplete: { over: false, begun: false, charges: false, access: false, fails: undefined, current: false },
  incomplete_expired: { over: true, begun: false, charges: false, access: false, fails: undefined, current: false },
  trialing: { over: false, begun: true, charges: true, access: true, fails: undefined, current: false },
  active: { over: false, begun: true, charges: true, access: true, fails: undefined, current: true },
  past_due: { over: false, begun: true, charges: true, access: true, fails: 'retrying', current: true },
  unpaid: { over: false, begun: true, charges: true, access: false, fails: 'given up', current: false },
  paused: { over: false, begun: true, charges: false, access: false, fails: undefined, current: false },
  canceled: { over: true, begun: true, charges: false, access: false, fails: undefined, current: false },
} as const satisfies Readonly<Record<KnownStatus, Meaning>>

/** The statuses that the SDK knows; its type also admits any other text. */
type KnownStatus = LiteralIn<Stripe.Subscription.Status>
type LiteralIn<T> = T extends string ? (string & Record<never, never> extends T ? never : T) : never

interface Meaning {
  /** It has ended permanently. */
  readonly over: boolean
  /** It has started: its first payment was made, or none was due. */
  readonly begun: boolean
  /** It may charge at its next renewal, unless its collection is paused. */
  readonly charges: boolean
  readonly access: boolean
  readonly fails: 'retrying' | 'given up' | undefined
  /** It bills regular periods, paid or with retries. */
  readonly current: boolean
}

const unheardOf: Meaning = {
  over: false,
  begun: true,
  charges: true,
  access: true,
  fails: undefined,
  current: false,
}

/** A subscription as Stripe returns it, typed by the SDK or as JSON. */
export type Shown = ShownFields | JsonObject

interface ShownFields {
  readonly status?: unknown
  readonly metadata?: unknown
  readonly cancellation_details?: unknown
  readonly pause_collection?: unknown
  readonly trial_end?: unknown
  readonly cancel_at?: unknown
  readonly cancel_at_period_end?: unknown
  readonly ended_at?: unknown
  readonly canceled_at?: unknown
  readonly customer?: unknown
}

function meaningOf({ status }: Shown): Meaning {
  return isKnownStatus(status) ? meanings[status] : unheardOf
}

export function isKnownStatus(status: unknown): status is KnownStatus {
  return typeof status === 'string' && Object.hasOwn(meanings, status)
}

/** The default status, which entries omit. */
export const usualStatus = 'active' satisfies KnownStatus

/* ------------------------------------------------------------- by status */

/** Ended permanently. */
export function isOver(subscription: Shown): boolean {
  return meaningOf(subscription).over
}

/** Not ended: it can still be cancelled, even if it never charges. */
export function isAlive(subscription: Shown): boolean {
  return !isOver(subscription)
}

/** Alive, and its first payment is not outstanding. */
export function hasBegun(subscription: Shown): boolean {
  const { over, begun } = meaningOf(subscription)
  return begun && !over
}

/**
 * Whether it may charge at its next renewal: it exists, is alive, has begun, and its collection is
 * not paused. One that our hold lets end has no further renewal: its last invoice bills usage
 * alone.
 */
export function mayCharge(subscription: Shown | undefined): boolean {
  if (subscription === undefined || endsByHold(subscription)) return false
  return meaningOf(subscription).charges && (subscription.pause_collection ?? null) === null
}

/**
 * Whether its periods run. A stopped subscription has no running period, and one that has not begun
 * has none.
 */
export function hasRunningPeriod(subscription: Shown): boolean {
  return meaningOf(subscription).charges
}

/**
 * Whether its member has access. Stripe still retries a failed payment; access ends only when
 * Stripe gives up.
 */
export function givesAccess(subscription: Shown): boolean {
  return meaningOf(subscription).access
}

/** How its last payment failed; undefined when it did not fail. */
export function paymentFailure(subscription: Shown): 'retrying' | 'given up' | undefined {
  return meaningOf(subscription).fails
}

/** Whether it bills regular periods, paid or with retries. */
export function isCurrent(subscription: Shown): boolean {
  return meaningOf(subscription).current
}

/** Stripe paused it because its trial ended without a payment method. */
export function isStoppedAfterTrial({ status }: Shown): boolean {
  return status === 'paused'
}

/** End of a running trial, in unix seconds; null without a running trial. */
export function runningTrialEnd({ status, trial_end: end }: Shown): number | null {
  return status === 'trialing' && typeof end === 'number' ? end : null
}

/* -------------------------------------------------------------- by mark */

/** The subscriber that this subscription of the target succeeds, `us/sub_…`. */
export function successorMark(subscription: Shown): string | undefined {
  return markOn(subscription, markFrom)
}

/**
 * It carries the mark of Crossbill's hold. The pause may have been removed while the mark stayed.
 */
export function hasHoldMark(subscription: Shown): boolean {
  return markOn(subscription, markHold) !== undefined
}

/** Alive and held by Crossbill, whatever happened to the pause since. */
export function isHeld(subscription: Shown | undefined): boolean {
  return subscription !== undefined && isAlive(subscription) && hasHoldMark(subscription)
}

/**
 * When the hold lets a subscription end that is billed by usage: at the renewal from which the
 * target bills, after it has billed its last usage. Undefined for every other hold.
 */
export function endOfHold(subscription: Shown): number | undefined {
  const [, ends] = /"ends":(\d{1,12})\}$/.exec(markOn(subscription, markHold) ?? '') ?? []
  return ends === undefined ? undefined : Number(ends)
}

/** Alive, and our hold lets it end with its period. Such an end is not a cancel of the member. */
export function endsByHold(subscription: Shown): boolean {
  const ends = endOfHold(subscription)
  const { pause_collection: pause, cancel_at: at, cancel_at_period_end: atEnd } = subscription
  if (ends === undefined || isOver(subscription) || (pause ?? null) !== null) return false
  return typeof at === 'number' ? at === ends : atEnd === true
}

/**
 * Held by Crossbill, and the hold is in force: it does not renew. Either its collection is paused
 * and does not resume automatically, or it ends with its period.
 */
export function isOnHold(subscription: Shown): boolean {
  if (endsByHold(subscription)) return true
  const pause = subscription.pause_collection
  if (!isHeld(subscription) || typeof pause !== 'object' || pause === null) return false
  const { behavior, resumes_at: resumes } = pause as { readonly behavior?: unknown; readonly resumes_at?: unknown }
  return (resumes ?? null) === null && (behavior === 'keep_as_draft' || behavior === 'void')
}

/**
 * On hold as after the proof of a move: a successor was made. Before the proof, the hold keeps
 * drafts.
 */
export function isKept(subscription: Shown): boolean {
  if (endsByHold(subscription)) return true
  const pause = subscription.pause_collection
  return isOnHold(subscription) && isJsonObject(pause) && pause['behavior'] === 'void'
}

/** Cancelled by a settle, or ended at the instant that its hold intended. */
export function isSettled(subscription: Shown): boolean {
  return commentOn(subscription)?.startsWith(settledComment) === true || hasEndedByHold(subscription)
}

/** The successor that a settle or the hold named; undefined where none was settled. */
export function settledAs(subscription: Shown): string | undefined {
  if (!isSettled(subscription)) return undefined
  const comment = commentOn(subscription)
  const words = [settledComment, endsComment].find((own) => comment?.startsWith(own) === true)
  return words === undefined ? undefined : comment?.slice(words.length)
}

/**
 * The mark decides, and not the comment, which the member of an old portal can replace. What ended
 * at another time was cancelled: earlier through an old door, or later, after a person renewed it.
 */
function hasEndedByHold(subscription: Shown): boolean {
  const { ended_at: ended } = subscription
  const ends = endOfHold(subscription)
  if (ends === undefined || typeof ended !== 'number') return false
  return ended >= ends && ended - ends < endSecondsMax
}

/** Stripe ends a subscription within minutes of its date. */
const endSecondsMax = 3_600

/** Cancelled by an undo or a revert, as if it had never existed. */
export function isUndone(subscription: Shown): boolean {
  return commentOn(subscription)?.startsWith(undoneComment) === true
}

/** Cancelled by Crossbill, for any reason. */
export function isCancelledByUs(subscription: Shown): boolean {
  const comment = commentOn(subscription)
  if (isSettled(subscription)) return true
  return [cancelledComment, undoneComment].some((own) => comment?.startsWith(own) === true)
}

/** Ended because its payments failed, not by a person. */
export function isLapsed({ cancellation_details: details }: Shown): boolean {
  return isJsonObject(details) && details['reason'] === 'payment_failed'
}

/** Ended by a setting of its account, because a payment was disputed. */
export function isDisputed({ cancellation_details: details }: Shown): boolean {
  return isJsonObject(details) && details['reason'] === 'payment_disputed'
}

/**
 * Ended at once on request, and nothing says that the member asked: no cancel of Crossbill's
 * service, no word in Stripe's own form, no end that was set before, no failed or disputed payment,
 * no customer that was deleted.
 * A person may have taken the wrong subscription in the Dashboard; Stripe shows the same for both.
 */
export function isEndUnexplained(subscription: Shown): boolean {
  const { cancellation_details: details, ended_at: ended, canceled_at: asked, customer } = subscription
  if (!isOver(subscription) || isCancelledByUs(subscription)) return false
  if (!isJsonObject(details) || details['reason'] !== 'cancellation_requested') return false
  if (isJsonObject(customer) && customer['deleted'] === true) return false
  const isSaid = [commentOn(subscription), details['feedback']].some((one) => typeof one === 'string' && one !== '')
  const wasSetBefore = typeof ended === 'number' && typeof asked === 'number' && ended - asked > atOnceSeconds
  return !isSaid && !wasSetBefore
}

/** Seconds within which a cancel at once ends the subscription. */
const atOnceSeconds = 60

function commentOn({ cancellation_details: details }: Shown): string | undefined {
  const comment = isJsonObject(details) ? details['comment'] : undefined
  return typeof comment === 'string' ? comment : undefined
}

function markOn({ metadata }: Shown, mark: string): string | undefined {
  const value = isJsonObject(metadata) ? metadata[mark] : undefined
  return typeof value === 'string' && value !== '' ? value : undefined
}
