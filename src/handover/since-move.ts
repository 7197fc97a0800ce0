import type Stripe from 'stripe'
import type { DesiredItem, DesiredSubscriber } from '../catalog/types.ts'
import { formatInstant } from '../core/instant.ts'
import { asHeld } from '../live/as-held.ts'
import { readSource } from '../live/source.ts'
import type { Candidate } from './candidate.ts'
import { isChangeInTarget, isChangeOfOld } from './changed-on-old.ts'
import {
  customerRules,
  itemRules,
  subscriptionRules,
  type Changed,
  type ChangedFields,
  type FieldRule,
  type Seen,
} from './changed-terms.ts'
import { settingsAdded } from './fields.ts'
import { customerOf } from './proof.ts'
import type { HeldChange } from './while-held.ts'

/**
 * How the successor differs from the held old subscription that it was created from: every field
 * that the creation sent, that the hand-over decides on, or that was created with its default.
 */
export function termsSinceMove(given: Candidate, successor: Stripe.Subscription): readonly Changed[] {
  const candidate = withHeldDates(given)
  const customer = candidate.customerNew ?? customerOf(successor)
  const seen: Seen = { candidate, successor, customer, now: readSource(successor, customer) }
  const rules: readonly FieldRule<string>[] = [subscriptionRules, itemRules, customerRules].flatMap((table) =>
    Object.values(table),
  )
  const differing = rules.flatMap((rule) => (typeof rule === 'function' ? (rule(seen) ?? []) : []))
  const found = hasFollowed(given) ? differing : differing.filter((one) => !isChangeOfOld(one, given, successor))
  const settings = settingsAdded(successor)
    .filter((field) => !Object.hasOwn(subscriptionRules, field))
    .map((field): Changed => ({ what: field, now: {} }))
  return [...found, ...settings]
}

/**
 * What was changed in the target. A changed old subscription no longer shows what the new one was
 * created from: then only what the mark of the hold proves.
 */
export function changesInTarget(
  candidate: Candidate,
  successor: Stripe.Subscription,
  held: readonly Pick<HeldChange, 'code'>[],
): readonly Changed[] {
  const all = termsSinceMove(candidate, successor)
  const isDrifted = held.some(({ code }) => code === 'drift_on_held_source')
  return isDrifted ? all.filter((one) => isChangeInTarget(one, candidate)) : all
}

/** A person says that the change of the old subscription was made in the target as well. */
function hasFollowed({ desired }: Candidate): boolean {
  return desired.override?.includes('drift_on_held_source') === true
}

/**
 * A date that a person moved in the old account is that account's change, not one of the new
 * subscription, until `override` says that it was made there as well.
 */
function withHeldDates(candidate: Candidate): Candidate {
  const { old, customerOld, source, around } = candidate
  if (hasFollowed(candidate)) return candidate
  const before = asHeld(old.raw, old.hold, around.now)
  return before === old.raw
    ? candidate
    : { ...candidate, old: readSource(before, customerOld, source.prices, source.coupons) }
}

/**
 * Whether the subscriber's file already has the change; then it is no longer drift. A change that
 * no entry can say is known once a person has named it under `override`.
 */
export function isAdopted(desired: DesiredSubscriber, { now }: Changed): boolean {
  const fields = Object.keys(now) as (keyof ChangedFields)[]
  if (fields.length === 0) return desired.override?.includes('changed_since_move') === true
  return fields.every((field) => isSaid(desired, field, now))
}

function isSaid(desired: DesiredSubscriber, field: keyof ChangedFields, now: ChangedFields): boolean {
  switch (field) {
    case 'items':
      return now.items !== undefined && told(desired.items) === told(now.items)
    case 'discounts':
      return now.discounts?.every(({ coupon }) => desired.discounts.some((one) => one.coupon === coupon)) ?? false
    case 'tax_rates':
      return now.tax_rates !== undefined && desired.tax_rates.toSorted().join() === now.tax_rates.toSorted().join()
    case 'trial_end':
    case 'cancel_at':
    case 'anchor': {
      const at = desired[field]
      return (at === undefined ? at : formatInstant(at)) === now[field]
    }
    case 'cancel_at_period_end':
    case 'automatic_tax':
      return (desired[field] ?? false) === (now[field] ?? false)
    case 'collection_method':
      return desired.collection_method === (now.collection_method ?? 'charge_automatically')
    case 'payment_method':
    case 'days_until_due':
      return desired[field] === now[field]
  }
}

function told(items: readonly DesiredItem[]): string {
  return items
    .map(({ price, quantity }) => `${price} × ${quantity ?? 1}`)
    .toSorted()
    .join()
}
