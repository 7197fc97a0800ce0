import type Stripe from 'stripe'
import { remainderOf } from '../billing/discounts.ts'
import { scheduleLost } from './phases-ahead.ts'
import { siblingsOf, wasProven, type Candidate } from './candidate.ts'
import { entryDifferences, toldDifference } from './entry-differs.ts'
import { lapsedInSource } from './lapsed.ts'
import type { Changed } from './changed-terms.ts'
import { changesInTarget, isAdopted, termsSinceMove } from './since-move.ts'
import { isOver } from '../live/subscription.ts'
import { pauseWords } from '../live/pause.ts'
import { idOf } from '../core/reference.ts'
import { isIdle, type PauseImage, type SourceSubscription } from '../live/source.ts'
import type { HandoverDrift } from './types.ts'
import { written } from './since-pull.ts'
import { splitMoney } from './split-money.ts'
import { changesWhileHeld, isEnding, type HeldChange } from './while-held.ts'

/**
 * How the successor differs from the held old subscription that it was created from: what its
 * subscriber changed since the move.
 */
export function changesSinceMove(candidate: Candidate, successor: Stripe.Subscription): readonly string[] {
  return termsSinceMove(candidate, successor).map(({ what }) => what)
}

/** What changed on either side while the old subscription is on hold. */
export function driftOf(candidate: Candidate): readonly HandoverDrift[] {
  const { successor } = candidate
  if (successor === undefined) return []
  const wrong = entryDifferences(candidate, successor, heldChanges(candidate, successor))
  const message = wrong.map(toldDifference).join('; ')
  return [
    ...driftOfBilling(candidate, successor),
    ...(wrong.length === 0 ? [] : [{ code: 'entry_differs' as const, message }]),
  ]
}

function driftOfBilling(candidate: Candidate, successor: Stripe.Subscription): readonly HandoverDrift[] {
  const { desired, old, standing } = candidate
  if (standing !== 'target') return [...lapsedDrift(candidate), ...outsideDrift(candidate, successor)]
  // After a person made the same change on the other side and named the code, the two are compared
  // again.
  const held = heldChanges(candidate, successor)
  const changed = changesInTarget(candidate, successor, held).filter(
    (one) => one.chosen !== true && !isAdopted(candidate.desired, one),
  )
  const lost = desired.override?.includes('discount_lost') !== true && discountsLost(old, successor)
  const phases = scheduleLost(candidate, successor)
  return [
    ...held,
    ...lapsedDrift(candidate),
    ...pausedInTarget(candidate, successor),
    ...(changed.length > 0
      ? [
          {
            code: 'changed_in_target' as const,
            message: `changed in the target: ${changed.map(({ what }) => what).join(', ')}`,
            ...(changed.some(namesUnknown) ? { unknown: true as const } : {}),
          },
        ]
      : []),
    ...(lost
      ? [
          {
            code: 'discount_lost' as const,
            message: 'a discount that still applies in the old account is missing from the new subscription',
          },
        ]
      : []),
    ...(phases === undefined ? [] : [{ code: 'schedule_lost' as const, message: phases }]),
  ]
}

/**
 * What happened in the old account since the hold began that has not reached the new subscription.
 */
export function heldChanges(candidate: Candidate, successor: Stripe.Subscription): readonly HeldChange[] {
  const { desired, old, customerOld, source } = candidate
  const latest = old.raw.latest_invoice
  const listed = source.invoices.get(old.id) ?? []
  const isListed = listed.some((one) => one.id === (latest === null ? undefined : idOf(latest)))
  const held = changesWhileHeld({
    old: old.raw,
    customer: customerOld,
    successor,
    pending: source.pendingItems.get(old.customer) ?? [],
    invoices: [...listed, ...(latest === null || typeof latest === 'string' || isListed ? [] : [latest])],
    siblings: siblingsOf(candidate),
    coupons: candidate.around.target.coupons,
    items: { before: written(desired, 'items'), now: itemsOf(candidate) },
    override: desired.override ?? [],
  })
  return candidate.standing === 'target' ? [...held, ...splitMoney(candidate)] : held
}

function itemsOf({ desired, old, around }: Candidate): string {
  return old.items
    .map(({ price, quantity }) => `${around.index.billedKey(desired.source, price) ?? price.id} × ${quantity ?? 1}`)
    .join(', ')
}

function lapsedDrift(candidate: Candidate): readonly HandoverDrift[] {
  const message = lapsedInSource(candidate)
  return message === undefined ? [] : [{ code: 'lapsed_in_source', message }]
}

/** The new subscription has a price, coupon or tax rate that the catalog lacks. */
function namesUnknown({ now }: Changed): boolean {
  return (['items', 'discounts', 'tax_rates'] as const).some((list) => list in now && now[list] === undefined)
}

/** A person set the hold to the behaviour that it has before the proof. */
export function keepsDrafts(old: string, successor: string): string {
  return `the hold of ${old} was set to \`keep_as_draft\` while ${successor} bills: its renewals stay as drafts that a person could collect`
}

/** A hold that was removed or changed, or an old subscription that was ended, outside Crossbill. */
function outsideDrift(candidate: Candidate, successor: Stripe.Subscription): readonly HandoverDrift[] {
  const { desired, observations, standing, old } = candidate
  if (observations.new === 'live' && (observations.old === 'free' || observations.old === 'hold_removed'))
    return [{ code: 'hold_missing', message: `the hold of ${old.id} was removed while ${successor.id} bills` }]
  if (observations.new === 'live' && observations.old === 'held')
    return wasProven(candidate)
      ? [{ code: 'hold_missing', message: keepsDrafts(old.id, successor.id) }]
      : [
          {
            code: 'unfinished',
            message: `a run stopped before it had proven ${successor.id} and kept ${old.id} on hold`,
          },
        ]
  const isKnown = desired.override?.includes('cancelled_in_source') === true || isEnding(successor)
  return [
    ...(standing === 'cancelled_in_source' && !isKnown
      ? [
          {
            code: 'cancelled_in_source' as const,
            message: `${old.id} was ended in the old account while ${successor.id} is live`,
          },
        ]
      : []),
    // What an end leaves behind is still to be billed.
    ...(isOver(old.raw) ? heldChanges(candidate, successor) : []),
  ]
}

/**
 * The source's own pause was carried. Any other pause on the new subscription was set outside
 * Crossbill.
 */
function pausedInTarget(
  candidate: Candidate,
  { id, pause_collection: pause }: Stripe.Subscription,
): readonly HandoverDrift[] {
  if (pause === null || !isPausedThere(candidate.old, pause)) return []
  if (candidate.desired.override?.includes('paused_in_target') === true) return []
  const message = `the collection of ${id} was paused in the target (${pauseWords(pause)})`
  return [{ code: 'paused_in_target', message }]
}

/** Whether this pause of the new subscription is another one than the move carried. */
export function isPausedThere({ hold }: SourceSubscription, { behavior }: Pick<PauseImage, 'behavior'>): boolean {
  return hold?.before?.behavior !== behavior
}

/**
 * Discounts that still cover the next renewal in the old account but have no counterpart in the new
 * one.
 */
function discountsLost(
  { discounts, cycle, next, currency }: SourceSubscription,
  successor: Stripe.Subscription,
): boolean {
  if (cycle === null || next === null) return false
  const covering = discounts
    .filter((one) => !isIdle(one, currency))
    .filter(
      ({ old: discount }) =>
        discount !== null && discount.duration !== 'once' && remainderOf(discount, cycle, next).kind !== 'over',
    )
  return successor.discounts.length < covering.length
}
