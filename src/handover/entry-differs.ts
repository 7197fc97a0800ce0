import type Stripe from 'stripe'
import { targetAccount } from '../catalog/types.ts'
import { indexAfter, isChargeDate } from '../billing/calendar.ts'
import { splitAddress } from '../core/address.ts'
import { instant } from '../core/instant.ts'
import { idOf } from '../core/reference.ts'
import { firstRenewal } from '../live/first-renewal.ts'
import { markAddress, readPaymentMark } from '../live/marks.ts'
import { readSource, type SourceDiscount, type SourceItem, type SourceSubscription } from '../live/source.ts'
import type { Candidate } from './candidate.ts'
import { isCarriedAs } from './coupons.ts'
import { customerOf } from './proof.ts'
import { isAdopted, termsSinceMove } from './since-move.ts'
import { changesSincePull, sameSet, type EntryChange } from './since-pull.ts'
import type { HandoverDrift } from './types.ts'

/**
 * Fields of a moved subscriber's entry that describe neither subscription: an edit of the YAML.
 * Crossbill does not change a moved subscription, so each of them is reported. An entry keeps the
 * terms of the old account, or has what a pull adopted from the target.
 */
export function entryDifferences(
  candidate: Candidate,
  successor: Stripe.Subscription,
  held: readonly Pick<HandoverDrift, 'code'>[],
): readonly EntryChange[] {
  const { standing, desired } = candidate
  if (standing !== 'target' && standing !== 'settled') return []
  // An old subscription that changed while on hold no longer shows the terms of the entry. That
  // change is reported instead, until a person has named it under `override`.
  if (desired.override?.includes('drift_on_held_source') === true) return []
  if (
    standing === 'target' &&
    held.some(({ code }) => code === 'drift_on_held_source' || code === 'cancelled_in_source')
  )
    return []
  const adopted = new Set(
    termsSinceMove(candidate, successor)
      .filter((one) => isAdopted(desired, one))
      .flatMap(({ now }) => Object.keys(now)),
  )
  return [
    ...changesSincePull(candidate).filter(
      (change) => !adopted.has(change.field) && !isRight(change, candidate, successor),
    ),
    ...otherPayments(candidate, successor),
  ]
}

/** `payments_left` decided the end of the new subscription when it was created. */
function otherPayments(candidate: Candidate, successor: Stripe.Subscription): readonly EntryChange[] {
  const { managed_by_application: managed } = candidate.desired
  const left = paymentsLeft(candidate, successor)
  if (typeof managed !== 'object' || left === managed.payments_left) return []
  if (readSource(successor, undefined).ending !== null) return []
  const message =
    left === undefined
      ? 'the new subscription has no such end'
      : `the new subscription ends after ${left} payments since the move`
  return [{ field: 'managed_by_application', message, written: `payments_left: ${managed.payments_left}` }]
}

/**
 * The payments from the first renewal to the end of the new subscription; undefined without an end
 * on its cycle.
 */
export function paymentsLeft({ old: { cycle } }: Candidate, successor: Stripe.Subscription): number | undefined {
  const { cancel_at: end } = successor
  if (cycle === null || end === null || !isChargeDate(cycle, instant(end))) return undefined
  return indexAfter(cycle, instant(end)) - indexAfter(cycle, firstRenewal(successor))
}

/** `items: the entry says yearly × 1, but items are monthly × 1` */
export function toldDifference({ field, written: said, message }: EntryChange): string {
  return `${field}: the entry says ${said}, but ${message}`
}

/**
 * Whether the new subscription has what the entry says, or the old one no longer shows it: an ended
 * subscription has no next renewal, and its discounts and card may have changed since.
 */
function isRight(change: EntryChange, candidate: Candidate, successor: Stripe.Subscription): boolean {
  const { desired, standing, around } = candidate
  const isSettled = standing === 'settled'
  const now = readSource(successor, customerOf(successor), around.target.prices, around.target.coupons)
  switch (change.field) {
    case 'items':
      return change.coupon === undefined
        ? change.message.startsWith('items are ') && (isBilled(candidate, now) || isPhase(candidate, now, successor.id))
        : isSettled &&
            hasDiscount(
              change.coupon,
              now.items.flatMap((item) => item.discounts),
              candidate,
            )
    case 'discounts':
      return isSettled && hasDiscount(change.coupon ?? '', now.discounts, candidate)
    case 'payment_method': {
      const mark = readPaymentMark(successor.metadata)
      // Without the mark, the method of the move is unknown when the customer has changed it since.
      return mark === undefined || desired.payment_method === mark.old || desired.payment_method === now.payment?.id
    }
    case 'next_invoice':
      return isSettled
    case 'trial_end':
      return isSettled && (desired.trial_end ?? around.now) === (now.trialEnd ?? around.now)
    // A cancel on request ends both subscriptions, and the entry is not about it.
    case 'cancel_at':
      return now.ending !== null || desired.cancel_at === undefined || desired.cancel_at === now.raw.cancel_at
    case 'cancel_at_period_end':
      return now.ending !== null || desired.cancel_at_period_end !== true
    case 'collection_method':
      return desired.collection_method === now.raw.collection_method
    case 'days_until_due':
      return (desired.days_until_due ?? null) === now.raw.days_until_due
    case 'automatic_tax':
      return isSettled && desired.automatic_tax === now.raw.automatic_tax.enabled
    case 'customer':
    case 'currency':
    case 'anchor':
    case 'tax_rates':
    case 'managed_by_application':
      return false
  }
}

/** The catalog's key of an object of the target, by its mark; else its id. */
function keyIn(object: { readonly id: string; readonly metadata?: Stripe.Metadata | null } | undefined): string {
  const mark = object?.metadata?.[markAddress]
  return mark === undefined ? (object?.id ?? '') : splitAddress(mark).key
}

/** Whether the new subscription bills the items of the entry. */
function isBilled({ desired, around }: Candidate, { items }: SourceSubscription): boolean {
  return sameSet(billedBy(around, items), writtenItems(desired))
}

/**
 * A schedule changes the items of both subscriptions at the start of each phase. The entry has the
 * items of the phase in which it was pulled, and both subscriptions have those of one phase.
 */
function isPhase({ desired, around }: Candidate, { items }: SourceSubscription, successor: string): boolean {
  const phases = [...around.target.schedules.values()]
    .filter((one) => [one.subscription, one.released_subscription].some((id) => id !== null && idOf(id) === successor))
    .flatMap((one) => one.phases)
    .map((phase) =>
      billedBy(
        around,
        phase.items.map(({ price, quantity }) => ({ price: { id: idOf(price) }, quantity: quantity ?? null })),
      ),
    )
  const has = (wanted: readonly string[]): boolean => phases.some((phase) => sameSet(phase, wanted))
  return has(writtenItems(desired)) && has(billedBy(around, items))
}

type BilledItem = Pick<SourceItem, 'quantity'> & {
  readonly price: { readonly id: string; readonly metadata?: unknown }
}

function billedBy({ target, index }: Candidate['around'], items: readonly BilledItem[]): readonly string[] {
  return items.map(({ price, quantity }) => {
    const key = index.billedKey(targetAccount, target.prices?.get(price.id) ?? price)
    return `${key ?? price.id} × ${quantity ?? 1}`
  })
}

function writtenItems({ items }: Candidate['desired']): readonly string[] {
  return items.map(({ price, quantity }) => `${price} × ${quantity ?? 1}`)
}

function hasDiscount(written: string, discounts: readonly SourceDiscount[], { around }: Candidate): boolean {
  return discounts.some(({ coupon, couponId }) => {
    const key = keyIn(around.target.coupons?.get(couponId ?? '') ?? coupon ?? undefined)
    return isCarriedAs(key, written) || isCarriedAs(written, key)
  })
}
