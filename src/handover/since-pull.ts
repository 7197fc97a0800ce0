import { isChargeDate } from '../billing/calendar.ts'
import type { DesiredDiscount, DesiredSubscriber, Mappings } from '../catalog/types.ts'
import { address } from '../core/address.ts'
import { formatInstant, instant } from '../core/instant.ts'
import { idOf } from '../core/reference.ts'
import { isIdle, type SourceDiscount, type SourceItem } from '../live/source.ts'
import type { Candidate } from './candidate.ts'
import { couponDuration, isCarriedAs } from './coupons.ts'

/**
 * Fields that describe no subscription: the name and place of the entry, decisions of the project,
 * and `status`, a note as of the pull. Every other field of an entry is compared.
 */
type NotCompared =
  | 'key'
  | 'source'
  | 'subscription'
  | 'file'
  | 'at'
  | 'stage'
  | 'unstaged'
  | 'excluded'
  | 'pays_twice'
  | 'override'
  | 'status'

export type EntryField = Exclude<keyof DesiredSubscriber, NotCompared>

/** A field of an entry that says something else than the account shows. */
export interface EntryChange {
  readonly field: EntryField
  readonly message: string
  /** What the entry says, for a person. */
  readonly written: string
  /** For a discount: the coupon's key, in the entry or in the mappings. */
  readonly coupon?: string
}

type Finding = Pick<EntryChange, 'message' | 'coupon'>

/**
 * How the live old subscription differs from its entry; empty when it does not. References without
 * a mapping are reported elsewhere.
 */
export function changesSincePull(candidate: Candidate): readonly EntryChange[] {
  const { desired, old, around } = candidate
  const { raw, cycle } = old
  const mappings = around.index.mappings(desired.source)
  const check = (same: boolean, field: EntryField, message: string): EntryChange[] =>
    same ? [] : [{ field, message, written: written(desired, field) }]
  const rates = (raw.default_tax_rates ?? []).flatMap(({ id }) => mappings.tax_rates[id] ?? [])
  return [
    ...check(desired.customer === old.customer, 'customer', `customer is ${old.customer}`),
    ...check((desired.currency ?? old.currency) === old.currency, 'currency', `currency is ${old.currency}`),
    ...itemChanges(candidate, mappings).map((one) => ({
      field: 'items' as const,
      written: written(desired, 'items'),
      ...one,
    })),
    ...check(
      desired.payment_method === undefined || desired.payment_method === old.payment?.id,
      'payment_method',
      `payment method is ${old.payment?.id ?? 'none'}`,
    ),
    ...check(
      desired.anchor === raw.billing_cycle_anchor,
      'anchor',
      `anchor is ${formatInstant(instant(raw.billing_cycle_anchor))}`,
    ),
    ...check(
      desired.next_invoice === undefined ||
        cycle === null ||
        old.next === null ||
        (desired.next_invoice <= old.next && isOnCycle(candidate, desired.next_invoice)),
      'next_invoice',
      'the next invoice has different dates',
    ),
    ...check(
      old.trialEnd === null
        ? (desired.trial_end ?? around.now) <= around.now
        : (desired.trial_end ?? null) === old.trialEnd,
      'trial_end',
      old.trialEnd === null ? 'there is no trial' : 'the trial ends at a different time',
    ),
    ...check(
      (desired.cancel_at ?? null) === raw.cancel_at,
      'cancel_at',
      `cancel_at is ${raw.cancel_at === null ? 'not set' : formatInstant(instant(raw.cancel_at))}`,
    ),
    ...check(
      (desired.cancel_at_period_end ?? false) === raw.cancel_at_period_end,
      'cancel_at_period_end',
      'cancel_at_period_end differs',
    ),
    ...check(
      desired.collection_method === raw.collection_method,
      'collection_method',
      `collection_method is ${raw.collection_method}`,
    ),
    ...check(
      (desired.days_until_due ?? null) === raw.days_until_due,
      'days_until_due',
      `days_until_due is ${raw.days_until_due ?? 'not set'}`,
    ),
    ...check(desired.automatic_tax === raw.automatic_tax.enabled, 'automatic_tax', 'automatic_tax differs'),
    ...check(sameSet(desired.tax_rates, rates), 'tax_rates', 'tax rates differ'),
    ...discountChanges(candidate, mappings, desired.discounts, old.discounts).map((one) => ({
      field: 'discounts' as const,
      written: written(desired, 'discounts'),
      ...one,
    })),
  ]
}

/** What an entry says about a field, for a person. */
export function written(desired: DesiredSubscriber, field: EntryField): string {
  switch (field) {
    case 'items':
      return desired.items.map(({ price, quantity }) => `${price} × ${quantity ?? 1}`).join(', ')
    case 'discounts':
      return desired.discounts.map(({ coupon }) => coupon).join(', ') || 'none'
    case 'tax_rates':
      return desired.tax_rates.join(', ') || 'none'
    case 'anchor':
    case 'next_invoice':
    case 'trial_end':
    case 'cancel_at': {
      const at = desired[field]
      return at === undefined ? 'not set' : formatInstant(at)
    }
    case 'managed_by_application': {
      const managed = desired[field]
      return typeof managed === 'object' ? `payments_left: ${managed.payments_left}` : (managed ?? 'not set')
    }
    case 'customer':
    case 'currency':
    case 'payment_method':
    case 'automatic_tax':
    case 'cancel_at_period_end':
    case 'collection_method':
    case 'days_until_due':
      return String(desired[field] ?? 'not set')
  }
}

function isOnCycle({ old }: Candidate, at: NonNullable<Candidate['old']['next']>): boolean {
  return at === old.next || (old.cycle !== null && isChargeDate(old.cycle, at))
}

/** Taxes, discounts and metadata of an item are compared where the entry names them. */
function itemChanges(candidate: Candidate, mappings: Mappings): readonly Finding[] {
  const { desired, old } = candidate
  // A missing or wrong mapping is reported as such: a pull would write another price.
  const { index } = candidate.around
  if (old.items.some(({ price }) => index.billedKey(desired.source, price) === undefined)) return []
  const nameOf = ({ price, quantity }: SourceItem): string => `${mappings.prices[price.id] ?? ''} × ${quantity ?? 1}`
  const wanted = desired.items.map(({ price, quantity }) => `${price} × ${quantity ?? 1}`)
  const there = old.items.map(nameOf)
  if (!sameSet(wanted, there))
    return followsSchedule(candidate, mappings, { wanted, there }) ? [] : [{ message: `items are ${there.join(', ')}` }]
  return old.items.flatMap((item) => {
    const name = nameOf(item)
    const entry = desired.items.find(({ price, quantity }) => `${price} × ${quantity ?? 1}` === name)
    const rates = item.taxRates.flatMap(({ id }) => mappings.tax_rates[id] ?? [])
    const own = entry?.metadata
    const isNoted = own === undefined || Object.entries(own).every(([key, value]) => item.metadata[key] === value)
    return [
      ...(entry?.tax_rates === undefined || sameSet(entry.tax_rates, rates)
        ? []
        : [{ message: `tax rates of ${name} are ${rates.join(', ') || 'none'}` }]),
      ...(entry?.discounts === undefined
        ? []
        : discountChanges(candidate, mappings, entry.discounts, item.discounts)
      ).map(({ message, ...rest }) => ({ ...rest, message: `${message} of ${name}` })),
      ...(isNoted ? [] : [{ message: `metadata of ${name} differs` }]),
    ]
  })
}

/**
 * A phase of the old subscription's schedule may end between pull and plan. The entry then has the
 * items of the phase before, and the subscription those of the phase that runs now, or of the last
 * one: nobody changed anything.
 */
function followsSchedule(
  { old, source, around: { now } }: Candidate,
  mappings: Mappings,
  { wanted, there }: { readonly wanted: readonly string[]; readonly there: readonly string[] },
): boolean {
  const theirs = [...source.schedules.values()].filter(
    ({ subscription, released_subscription: released }) =>
      released === old.id || (subscription !== null && idOf(subscription) === old.id),
  )
  return theirs.some(({ phases }) => {
    const named = phases.map(({ items, start_date: start, end_date: end }) => ({
      items: items.map(({ price, quantity }) => `${mappings.prices[idOf(price)] ?? ''} × ${quantity ?? 1}`),
      start,
      end,
    }))
    const begun = named.filter(({ start }) => start <= now)
    const running = begun.at(-1)
    return (
      running !== undefined &&
      sameSet(running.items, there) &&
      begun.some(({ items, end }) => end <= now && sameSet(items, wanted))
    )
  })
}

/**
 * A discount may expire between pull and plan. A new discount, or one removed before its end, is a
 * change. A move carries the end that the old account shows, so another end in the entry is a
 * change only afterwards.
 */
function discountChanges(
  candidate: Candidate,
  mappings: Mappings,
  desired: readonly DesiredDiscount[],
  discounts: readonly SourceDiscount[],
): readonly Finding[] {
  const { old, around } = candidate
  const keyed = discounts.flatMap((one) => {
    const key = one.coupon === null ? undefined : mappings.coupons[one.coupon.id]
    return key === undefined ? [] : [{ key, one }]
  })
  const added = keyed
    .filter(({ one }) => !isIdle(one, old.currency))
    .filter(({ key }) => !desired.some(({ coupon }) => isCarriedAs(coupon, key)))
  const others = desired.map((entry) => ({
    ...entry,
    there: keyed.filter(({ key }) => isCarriedAs(entry.coupon, key)).map(({ one }) => one.old?.end ?? null),
  }))
  const lost = others.filter(
    ({ coupon, ends, there }) =>
      there.length === 0 && (ends === undefined || ends > around.now) && !onceIsUsed(candidate, coupon),
  )
  const isMoved = candidate.standing !== 'source'
  const moved = others.filter(
    ({ ends, there }) => isMoved && ends !== undefined && there.length > 0 && !there.includes(ends),
  )
  return [
    ...added.map(({ key }) => ({ message: `discount ${key} was added`, coupon: key })),
    ...lost.map(({ coupon }) => ({ message: `discount ${coupon} was removed`, coupon })),
    ...moved.map(({ coupon, there: [end = null] }) => ({
      message: end === null ? `discount ${coupon} has no end` : `discount ${coupon} ends ${formatInstant(end)}`,
      coupon,
    })),
  ]
}

/**
 * A discount that applies once is used up by the first renewal after the pull. A settled old
 * subscription has no next renewal, so the clock says whether that renewal has passed.
 */
function onceIsUsed({ desired, old, around }: Candidate, key: string): boolean {
  const { value } = around.index.resources.get(address('coupon', key)) ?? { value: {} }
  const { next_invoice: first } = desired
  const renewed = first !== undefined && (old.next === null ? around.now >= first : old.next > first)
  return renewed && couponDuration(value)?.duration === 'once'
}

export function sameSet(a: readonly string[], b: readonly string[]): boolean {
  return a.toSorted().join('\n') === b.toSorted().join('\n')
}
