import type Stripe from 'stripe'
import { isJsonObject, type JsonObject } from '../core/json.ts'
import { cancelledComment, markFrom, markHold, settledComment, undoneComment } from './marks.ts'

/**
 * What a subscription's status means, and by which marks it is ours. No other file compares a status: a question that
 * is not answered here gets a predicate here.
 *
 * | status               | over | begun | charges | gives access | payments fail | current | what it is                                        |
 * |----------------------|------|-------|---------|--------------|---------------|---------|---------------------------------------------------|
 * | `incomplete`         | no   | no    | no      | no           | no            | no      | its first payment is outstanding, for 23 hours    |
 * | `incomplete_expired` | yes  | no    | no      | no           | no            | no      | its first payment never came                      |
 * | `trialing`           | no   | yes   | yes     | yes          | no            | no      | its first charge is due when the trial ends       |
 * | `active`             | no   | yes   | yes     | yes          | no            | yes     | paid up to the end of its period                  |
 * | `past_due`           | no   | yes   | yes     | yes          | retrying      | yes     | Stripe tries the last invoice again               |
 * | `unpaid`             | no   | yes   | yes     | no           | given up      | no      | all tries failed; a payment makes it active again |
 * | `paused`             | no   | yes   | no      | no           | no            | no      | its trial ended without a payment method          |
 * | `canceled`           | yes  | yes   | no      | no           | no            | no      | ended for good; Stripe never revives it           |
 *
 * A status that Stripe adds later is alive, may charge and gives access, until this table says otherwise: nobody is
 * forgotten, charged by two accounts or locked out because of a word that is new. It is moved by no plan
 * (`unknown_status`).
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

/** The words that the SDK knows; its own type also admits any other text. */
type KnownStatus = LiteralIn<Stripe.Subscription.Status>
type LiteralIn<T> = T extends string ? (string & Record<never, never> extends T ? never : T) : never

interface Meaning {
  /** It has ended for good. */
  readonly over: boolean
  /** It was started: its first payment was made, or none was due. */
  readonly begun: boolean
  /** It may take money at its next renewal, unless its collection is paused. */
  readonly charges: boolean
  readonly access: boolean
  readonly fails: 'retrying' | 'given up' | undefined
  /** It bills regular periods, paid or being retried. */
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

/** A subscription as Stripe shows it, typed by its SDK or read as JSON. */
export type Shown = ShownFields | JsonObject

interface ShownFields {
  readonly status?: unknown
  readonly metadata?: unknown
  readonly cancellation_details?: unknown
  readonly pause_collection?: unknown
  readonly trial_end?: unknown
}

function meaningOf({ status }: Shown): Meaning {
  return isKnownStatus(status) ? meanings[status] : unheardOf
}

export function isKnownStatus(status: unknown): status is KnownStatus {
  return typeof status === 'string' && Object.hasOwn(meanings, status)
}

/** The status that is not worth writing down. */
export const usualStatus = 'active' satisfies KnownStatus

/* ------------------------------------------------------------- by status */

/** Ended for good. */
export function isOver(subscription: Shown): boolean {
  return meaningOf(subscription).over
}

/** Not ended: it can still be cancelled, whether or not it ever charges. */
export function isAlive(subscription: Shown): boolean {
  return !isOver(subscription)
}

/** Alive, and not one whose first payment is still outstanding. */
export function hasBegun(subscription: Shown): boolean {
  const { over, begun } = meaningOf(subscription)
  return begun && !over
}

/** It may take money at its next renewal: it is there, alive, begun, and nothing pauses its collection. */
export function mayCharge(subscription: Shown | undefined): boolean {
  if (subscription === undefined) return false
  return meaningOf(subscription).charges && (subscription.pause_collection ?? null) === null
}

/** Its periods run and end. Those of a stopped one do not, and one that has not begun has none. */
export function hasRunningPeriod(subscription: Shown): boolean {
  return meaningOf(subscription).charges
}

/** Its member has what it gives. Stripe still collects a payment that failed; only one that it gave up ends access. */
export function givesAccess(subscription: Shown): boolean {
  return meaningOf(subscription).access
}

/** How its last payment failed; undefined when it did not. */
export function paymentFailure(subscription: Shown): 'retrying' | 'given up' | undefined {
  return meaningOf(subscription).fails
}

/** It bills regular periods, paid or being retried. */
export function isCurrent(subscription: Shown): boolean {
  return meaningOf(subscription).current
}

/** Stripe itself stopped it, because its trial ended without a payment method. */
export function isStoppedAfterTrial({ status }: Shown): boolean {
  return status === 'paused'
}

/** When the trial that is running ends, in unix seconds; null when none is running. */
export function runningTrialEnd({ status, trial_end: end }: Shown): number | null {
  return status === 'trialing' && typeof end === 'number' ? end : null
}

/* ------------------------------------------------------------ by our marks */

/** The subscriber that this subscription of the target succeeds, `us/sub_…`. */
export function successorMark(subscription: Shown): string | undefined {
  return markOn(subscription, markFrom)
}

/** It carries the mark of our hold. Somebody may have taken the pause off and left the mark. */
export function hasHoldMark(subscription: Shown): boolean {
  return markOn(subscription, markHold) !== undefined
}

/** Alive, and its hold was set by us, whatever became of the pause since. */
export function isHeld(subscription: Shown | undefined): boolean {
  return subscription !== undefined && isAlive(subscription) && hasHoldMark(subscription)
}

/** Held by us, and the pause of the hold is in force: it collects nothing, and does not resume by itself. */
export function isOnHold(subscription: Shown): boolean {
  const pause = subscription.pause_collection
  if (!isHeld(subscription) || typeof pause !== 'object' || pause === null) return false
  const { behavior, resumes_at: resumes } = pause as { readonly behavior?: unknown; readonly resumes_at?: unknown }
  return (resumes ?? null) === null && (behavior === 'keep_as_draft' || behavior === 'void')
}

/** Cancelled by a settle of ours. */
export function isSettled(subscription: Shown): boolean {
  return commentOn(subscription)?.startsWith(settledComment) === true
}

/** Cancelled by an undo or a revert of ours: as if it had never been. */
export function isUndone(subscription: Shown): boolean {
  return commentOn(subscription)?.startsWith(undoneComment) === true
}

/** Cancelled by us, for whatever reason. */
export function isCancelledByUs(subscription: Shown): boolean {
  const comment = commentOn(subscription)
  return [settledComment, cancelledComment, undoneComment].some((own) => comment?.startsWith(own) === true)
}

/** Ended because its payments failed, not by a person. */
export function isLapsed({ cancellation_details: details }: Shown): boolean {
  return isJsonObject(details) && details['reason'] === 'payment_failed'
}

function commentOn({ cancellation_details: details }: Shown): string | undefined {
  const comment = isJsonObject(details) ? details['comment'] : undefined
  return typeof comment === 'string' ? comment : undefined
}

function markOn({ metadata }: Shown, mark: string): string | undefined {
  const value = isJsonObject(metadata) ? metadata[mark] : undefined
  return typeof value === 'string' && value !== '' ? value : undefined
}
