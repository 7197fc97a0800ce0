import { idOf } from '../core/reference.ts'
import {
  endOfHold,
  endsByHold,
  hasHoldMark,
  isCancelledByUs,
  isDisputed,
  isLapsed,
  isOnHold,
} from '../live/subscription.ts'
import type { Instant } from '../core/instant.ts'
import { isJsonObject, type Json, type JsonObject, objectIn } from '../core/json.ts'
import { markFrom, markHold } from '../live/marks.ts'
import { heldFields } from '../handover/held-terms.ts'
import { changedParts, couponOf, successorOnInvoice, termsOf } from './event-shapes.ts'
import type { Signal, SignalSource } from './signal.ts'

/** A notice for a person: the engine's `Alert` without its duration. */
interface Notice {
  readonly key: string
  readonly severity: 'warning' | 'critical'
  readonly summary: string
  readonly fix: string
}

/** The result of reading one Stripe event. */
export interface EventReading {
  /** Stored before the event is answered. */
  readonly signal?: Signal
  readonly notice?: Notice
  /** Why nothing follows. */
  readonly ignored?: string
}

/**
 * | account | event                  | condition              | result                            |
 * |---------|------------------------|------------------------|-----------------------------------|
 * | source  | subscription.deleted   | cancelled by Crossbill | nothing                           |
 * | source  | subscription.deleted   | held                   | signal: cancel (an old door)      |
 * | source  | subscription.deleted   | held, after a dispute  | the same signal; alert            |
 * | source  | subscription.deleted   | not held               | signal: access follows            |
 * | source  | subscription.deleted   | held, ended by dunning | access follows; alert             |
 * | source  | subscription.updated   | held, hold removed     | signal: the hold is restored      |
 * | source  | subscription.updated   | held, terms changed    | alert: drift, settling is blocked |
 * | target  | subscription.deleted   | successor, not by us   | access follows; alert             |
 * | target  | subscription.deleted   | cancelled now by us    | nothing                           |
 * | target  | subscription.deleted   | any other              | signal: access follows            |
 * | target  | discount.deleted       | before its end         | alert: discount lost              |
 * | target  | invoice.payment_failed | successor              | alert                             |
 * | target  | …finalization_failed   | successor              | alert: nobody is charged          |
 */
export function readStripeEvent(account: string, isTarget: boolean, event: JsonObject, now: Instant): EventReading {
  const { id, type, data } = event
  const object = isJsonObject(data) ? data['object'] : undefined
  const previous = isJsonObject(data) ? data['previous_attributes'] : undefined
  if (thinEvent(event) !== undefined) return thin(account)
  if (typeof id !== 'string' || typeof type !== 'string' || !isJsonObject(object)) return { ignored: 'not_an_event' }
  if (!isId(id) || !namesIds(object)) return { ignored: 'malformed_ids' }
  if (isTarget)
    switch (type) {
      case 'customer.subscription.deleted':
        return targetEnded(object, id, now)
      case 'customer.discount.deleted':
        return discountDeleted(object, typeof event['created'] === 'number' ? event['created'] : now)
      case 'invoice.payment_failed':
        return paymentFailed(object)
      case 'invoice.finalization_failed':
        return finalizationFailed(object)
      default:
        return { ignored: 'event_means_nothing' }
    }
  switch (type) {
    case 'customer.subscription.deleted':
      return sourceEnded(account, object, id, now)
    case 'customer.subscription.updated':
      return sourceChanged(account, object, objectIn(previous), { message: id, now })
    default:
      return { ignored: 'event_means_nothing' }
  }
}

/** The shape of Stripe's ids. Any other value is not looked up, logged or put into a message. */
function isId(value: Json | undefined): value is string {
  return typeof value === 'string' && /^[\w-]{1,100}$/.test(value)
}

/** Whether each id that the readings below pass on is absent or has the shape of an id. */
function namesIds(object: JsonObject): boolean {
  const { customer } = object
  const all = [object['id'], isJsonObject(customer) ? customer['id'] : customer, object['subscription']]
  return all.every((one) => one === undefined || one === null || isJsonObject(one) || isId(one))
}

/** The type of a thin event, as snapshots name it, and the snapshot of the same event. */
export function thinEvent({
  object,
  type,
  snapshot_event: snapshot,
}: JsonObject): { readonly type: string; readonly snapshot?: string } | undefined {
  if (object !== 'v2.core.event') return undefined
  const plain = typeof type === 'string' ? type.replace(/^v1\./, '') : ''
  return { type: plain, ...(isId(snapshot) ? { snapshot } : {}) }
}

/** A thin event carries no data of its object. Its snapshot could not be read. */
function thin(account: string): EventReading {
  return {
    ignored: 'thin_event',
    notice: {
      key: `thin_events ${account}`,
      severity: 'warning',
      summary: `the webhook endpoint of account ${account} sends thin events, and their snapshots cannot be read`,
      fix: 'choose the payload style "Snapshot" for this event destination, or let the key of the account read events',
    },
  }
}

function sourceEnded(account: string, subscription: JsonObject, message: string, now: Instant): EventReading {
  if (isCancelledByUs(subscription)) return { ignored: 'caused_by_us' }
  if (!hasHoldMark(subscription)) return ended('source_account', subscription, message, now)
  const subscriber = `${account}/${text(subscription['id'])}`
  if (isLapsed(subscription))
    return {
      ...ended('source_account', subscription, message, now),
      notice: {
        key: `lapsed_in_source ${subscriber}`,
        severity: 'warning',
        summary: `account ${account} gave up on an unpaid invoice of ${subscriber} and ended it: its successor still bills the member`,
        fix: `if the member is to end as in the old account: crossbill cancel ${subscriber}; if they stay: name lapsed_in_source under override of their entry`,
      },
    }
  const customer = idOf(subscription['customer'])
  return {
    signal: {
      source: 'source_account',
      event: 'old_subscription_cancelled',
      subscriber,
      ...(customer === undefined ? {} : { customer }),
      receivedAt: now,
      message,
    },
    ...(isDisputed(subscription)
      ? {
          notice: {
            key: `disputed_in_source ${subscriber}`,
            severity: 'warning',
            summary: `${subscriber} was ended by account ${account} because a payment was disputed there: its successor is cancelled as well, as without the move`,
            fix: 'answer the dispute in the Dashboard of that account; if the member stays, subscribe them again in the target',
          },
        }
      : {}),
  }
}

/**
 * The customer no longer pays through this subscription, so access granted by it may have to be
 * revoked.
 */
function ended(source: SignalSource, subscription: JsonObject, message: string, now: Instant): EventReading {
  const customer = idOf(subscription['customer'])
  if (customer === undefined) return { ignored: 'names_no_customer' }
  return { signal: { source, event: 'subscription_ended', customer, receivedAt: now, message } }
}

function sourceChanged(
  account: string,
  subscription: JsonObject,
  previous: JsonObject,
  { message, now }: { readonly message: string; readonly now: Instant },
): EventReading {
  const subscriber = `${account}/${text(subscription['id'])}`
  if (holdGone(subscription, previous))
    return { signal: { source: 'source_account', event: 'hold_removed', subscriber, receivedAt: now, message } }
  if (!hasHoldMark(subscription)) return { ignored: 'not_held' }
  const own = endsByHold(subscription) ? ['cancel_at', 'cancel_at_period_end'] : []
  const parts = changedParts(previous)
  const changed = heldFields
    .filter((name) => !own.includes(name))
    .filter((name) => parts.has(name) && !changesByItself(name, previous, subscription))
  if (changed.length === 0) return { ignored: 'nothing_that_matters' }
  return {
    notice: {
      key: `drift_on_held_source ${subscriber}`,
      severity: 'warning',
      summary: `${subscriber} was changed in its old account while on hold (${changed.join(', ')}): the change has not reached the new subscription`,
      fix: 'crossbill verify',
    },
  }
}

/** A renewal moves the periods of items, a trial's end the anchor; Stripe may stop its own tax. */
function changesByItself(name: string, previous: JsonObject, subscription: JsonObject): boolean {
  if (name === 'items') return sameTerms(previous, subscription)
  if (name === 'billing_cycle_anchor') return subscription[name] === subscription['trial_end']
  return name === 'automatic_tax' && !('enabled' in objectIn(previous[name]))
}

/**
 * Whether this event removed Crossbill's pause, its end of a subscription billed by usage, or its
 * mark. A revert by Crossbill also removes them; the worker reads the state back to tell the two
 * apart before it acts.
 */
function holdGone(subscription: JsonObject, previous: JsonObject): boolean {
  const before = previous['metadata']
  if (!hasHoldMark(subscription)) return isJsonObject(before) && (before[markHold] ?? '') !== ''
  if (endOfHold(subscription) !== undefined)
    return (
      !isOnHold(subscription) &&
      ['cancel_at', 'cancel_at_period_end', 'pause_collection'].some((name) => name in previous)
    )
  const { pause_collection: pause } = subscription
  return 'pause_collection' in previous && !(isJsonObject(pause) && (pause['resumes_at'] ?? null) === null)
}

/**
 * Whether the prices and quantities are unchanged. A renewal of a held subscription moves the
 * periods of its items, which changes no terms.
 */
function sameTerms(previous: JsonObject, subscription: JsonObject): boolean {
  return termsOf(previous, subscription) === termsOf(subscription)
}

function targetEnded(subscription: JsonObject, message: string, now: Instant): EventReading {
  if (cancelledAtOnceByUs(subscription)) return { ignored: 'caused_by_us' }
  const follows = ended('target_account', subscription, message, now)
  const from = markOf(subscription, markFrom)
  if (from === undefined || !isSubscriber(from) || isCancelledByUs(subscription)) return follows
  return {
    ...follows,
    notice: {
      key: `ended_in_target ${from}`,
      severity: 'warning',
      summary: `the successor of ${from} has ended in the target: its old subscription must now be settled, never released`,
      fix: 'crossbill plan',
    },
  }
}

/**
 * Stripe also removes a discount when it ends. The event's own time tells the two apart, with a
 * tolerance of one hour for a late removal.
 */
function discountDeleted(discount: JsonObject, at: number): EventReading {
  const { end, subscription } = discount
  if (typeof end === 'number' && end <= at + 3_600) return { ignored: 'discount_ended_in_time' }
  const { duration } = objectIn(couponOf(discount))
  if (duration === 'once' || subscription === null) return { ignored: 'discount_was_for_once' }
  // An event names the coupon by its id alone. A discount without an end may have been for one
  // invoice, and used up.
  const early = typeof end === 'number' || duration !== undefined
  return {
    notice: {
      key: `discount_lost ${text(subscription)}`,
      severity: early ? 'critical' : 'warning',
      summary: early
        ? `subscription ${text(subscription)} of the target lost a discount before its end`
        : `subscription ${text(subscription)} of the target lost a discount, unless the discount was for one invoice`,
      fix: 'crossbill verify',
    },
  }
}

function paymentFailed(invoice: JsonObject): EventReading {
  const from = successorOnInvoice(invoice)
  if (from === undefined || !isSubscriber(from)) return { ignored: 'not_a_successor' }
  return {
    notice: {
      key: `payment_failed ${from}`,
      severity: 'warning',
      summary: `a payment of the successor of ${from} failed (invoice ${text(invoice['id'])})`,
      fix: 'crossbill verify',
    },
  }
}

/** The invoice stays a draft and the subscription active: nobody would see it without a word. */
function finalizationFailed(invoice: JsonObject): EventReading {
  const from = successorOnInvoice(invoice)
  if (from === undefined || !isSubscriber(from)) return { ignored: 'not_a_successor' }
  const { code } = objectIn(invoice['last_finalization_error'])
  const why = typeof code === 'string' && isId(code) ? `: ${code}` : ''
  return {
    notice: {
      key: `finalization_failed ${from}`,
      severity: 'critical',
      summary: `Stripe could not finalize invoice ${text(invoice['id'])} of the successor of ${from}${why}. Nobody is charged for this period`,
      fix: 'remove the cause (often an address without a location) and finalize the invoice in the Dashboard of the target',
    },
  }
}

/**
 * Excludes a subscription that our cancel let run to the end of its period: it ends weeks after the
 * signal that asked for the cancel.
 */
function cancelledAtOnceByUs(subscription: JsonObject): boolean {
  const { cancel_at_period_end: atEnd, canceled_at: asked, ended_at: ended } = subscription
  return isCancelledByUs(subscription) && atEnd !== true && typeof ended === 'number' && ended === asked
}

function markOf(object: JsonObject, mark: string): string | undefined {
  const { metadata } = object
  const value = isJsonObject(metadata) ? metadata[mark] : undefined
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** `us/sub_…`: marks are metadata, which any user of the account can write. */
function isSubscriber(value: string): boolean {
  return /^[a-z][a-z0-9_-]{0,31}\/sub_\w{1,60}$/.test(value)
}

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : 'unknown'
}
