import type Stripe from 'stripe'
import { targetAccount, type DesiredItem, type DesiredSubscriber } from '../catalog/types.ts'
import { formatInstant, instant } from '../core/instant.ts'
import type { Candidate } from './candidate.ts'
import { methodInTarget } from './method-in-target.ts'
import { customerOf } from './proof.ts'
import { readPayment, readSource, type SourceItem } from '../live/source.ts'
import { readPaymentMark } from '../live/marks.ts'
import { livePriceDifferences } from './terms.ts'

/**
 * What the subscriber changed since the move, as a change to their file: fields to set, or
 * undefined for fields to remove.
 */
export interface Changed {
  readonly what: 'items or quantities' | 'payment method' | 'its end' | 'collection_method'
  readonly now: ChangedFields
}

type ChangedFields = Partial<
  Readonly<
    Record<
      'items' | 'payment_method' | 'cancel_at' | 'cancel_at_period_end' | 'collection_method' | 'days_until_due',
      readonly DesiredItem[] | string | number | boolean | undefined
    >
  >
>

/** How the successor differs from the held old subscription that it was created from. */
export function termsSinceMove(candidate: Candidate, successor: Stripe.Subscription): readonly Changed[] {
  const { desired, old, copyMap, entered } = candidate
  const now = readSource(successor, customerOf(successor))
  const copy = methodInTarget(old.payment, copyMap, entered)?.id
  const own = readPayment(successor, undefined)?.id ?? null
  // Where the copy is unknown, a change cannot be detected. Where one default cannot be right for
  // all, the copy is pinned.
  const isUnknown = copy === undefined && old.payment !== null && own !== null
  const pinned = old.payment?.level === 'subscription' || own === copy ? (copy ?? null) : null
  // A carried end comes near on both sides; `payments_left` gives the new subscription an end of
  // its own.
  const sameEnd = now.ending === old.ending || typeof desired.managed_by_application === 'object'
  const { cancel_at: end, cancel_at_period_end: ends, collection_method: method, days_until_due: days } = successor
  const changed = (what: Changed['what'], isChanged: boolean, fields: () => ChangedFields): readonly Changed[] =>
    isChanged ? [{ what, now: fields() }] : []
  return [
    ...changed('items or quantities', !sameItems(old.items, now.items, old.currency), () => ({
      items: itemsNow(candidate, now.items),
    })),
    ...changed('payment method', own !== pinned && !isUnknown && !isCrossbillsOwn(successor, own), () => ({
      payment_method: (own === null ? now.payment?.id : own) ?? undefined,
    })),
    ...changed('its end', !sameEnd || ends !== old.raw.cancel_at_period_end, () => ({
      cancel_at: end === null ? undefined : formatInstant(instant(end)),
      cancel_at_period_end: ends ? true : undefined,
    })),
    ...changed('collection_method', method !== old.raw.collection_method, () => ({
      collection_method: method === 'charge_automatically' ? undefined : method,
      days_until_due: days ?? undefined,
    })),
  ]
}

/**
 * Crossbill set this method, and the copy map names another one by now: the file was mixed up and
 * has been corrected. It is no choice of the member and never adopted; `verify` names it.
 */
function isCrossbillsOwn({ metadata }: Stripe.Subscription, own: string | null): boolean {
  return own !== null && readPaymentMark(metadata)?.copy === own
}

export function sameItems(before: readonly SourceItem[], after: readonly SourceItem[], currency: string): boolean {
  const left = [...after]
  for (const item of before) {
    const at = left.findIndex(
      (one) => one.quantity === item.quantity && livePriceDifferences(item.price, one.price, currency).length === 0,
    )
    if (at < 0) return false
    left.splice(at, 1)
  }
  return left.length === 0
}

/**
 * The items by catalog keys; undefined while the catalog lacks one of the prices. Other fields of
 * an item in the file stay.
 */
function itemsNow({ desired, around }: Candidate, items: readonly SourceItem[]): readonly DesiredItem[] | undefined {
  const all = items.flatMap(({ price, quantity }) => {
    const key = around.index.billedKey(targetAccount, around.target.prices?.get(price.id) ?? price)
    if (key === undefined) return []
    const { quantity: _before, ...rest } = desired.items.find((one) => one.price === key) ?? { price: key }
    return [{ ...rest, ...(quantity === null || quantity === 1 ? {} : { quantity }) }]
  })
  return all.length === items.length ? all : undefined
}

/** Whether the subscriber's file already has the change; then it is no longer drift. */
export function isAdopted(desired: DesiredSubscriber, { what, now }: Changed): boolean {
  const at = (when: DesiredSubscriber['cancel_at']): string | undefined =>
    when === undefined ? when : formatInstant(when)
  switch (what) {
    case 'items or quantities':
      return Array.isArray(now.items) && told(desired.items) === told(now.items as readonly DesiredItem[])
    case 'payment method':
      return desired.payment_method === now.payment_method
    case 'its end':
      return (
        at(desired.cancel_at) === now.cancel_at &&
        (desired.cancel_at_period_end ?? false) === (now.cancel_at_period_end ?? false)
      )
    case 'collection_method':
      return (
        desired.collection_method === (now.collection_method ?? 'charge_automatically') &&
        desired.days_until_due === now.days_until_due
      )
  }
}

function told(items: readonly DesiredItem[]): string {
  return items
    .map(({ price, quantity }) => `${price} × ${quantity ?? 1}`)
    .toSorted()
    .join()
}
