import type Stripe from 'stripe'
import { targetAccount, type DesiredDiscount, type DesiredItem } from '../catalog/types.ts'
import { isChargeDate, monthsOf } from '../billing/calendar.ts'
import { canonicalJson } from '../core/canonical.ts'
import { formatInstant, instant, type Instant } from '../core/instant.ts'
import { splitAddress } from '../core/address.ts'
import { isFromCreation } from '../live/from-creation.ts'
import { markAddress, readPaymentMark } from '../live/marks.ts'
import { isIdle, readDiscount, readPayment, type SourceItem, type SourceSubscription } from '../live/source.ts'
import type { Candidate } from './candidate.ts'
import type { customerFields, itemFields, subscriptionFields, ComparedFields } from './fields.ts'
import { methodInTarget } from './method-in-target.ts'
import { phasesAhead } from './phases-ahead.ts'
import { livePriceDifferences } from './terms.ts'

/**
 * What a person changed in the target since the move, as a change to the subscriber's file: fields
 * to set, or undefined for fields to remove. A list that is undefined names an object that the
 * catalog lacks. Without any field, an entry cannot say the change.
 */
export interface Changed {
  readonly what: string
  readonly now: ChangedFields
  /**
   * A choice of the member that the new subscription bills as it should: another default card. It
   * is no drift, and only a revert would lose it.
   */
  readonly chosen?: true
}

export type ChangedFields = Partial<
  Readonly<{
    items: readonly DesiredItem[] | undefined
    discounts: readonly WrittenDiscount[] | undefined
    tax_rates: readonly string[] | undefined
    payment_method: string | undefined
    cancel_at: string | undefined
    cancel_at_period_end: boolean | undefined
    collection_method: string | undefined
    days_until_due: number | undefined
    automatic_tax: boolean | undefined
    trial_end: string | undefined
    anchor: string | undefined
  }>
>

type WrittenDiscount = { readonly coupon: string; readonly ends?: string }

/** The new subscription beside the held old one. */
export interface Seen {
  readonly candidate: Candidate
  readonly successor: Stripe.Subscription
  /** The new subscription and its customer in Crossbill's terms. */
  readonly now: SourceSubscription
  readonly customer: Stripe.Customer | undefined
}

type Rule = (seen: Seen) => Changed | undefined

/** `not` says why a revert neither writes nor drops what a person changes in this field. */
export type FieldRule<Field> = Rule | { readonly with: Field } | { readonly not: string }

/**
 * Every field that the creation of the new subscription carries or decides on has a rule: a new
 * field in `fields.ts` does not compile without one. For a field that is only created with its
 * default, the default is the rule.
 */
type Rules<Table> = {
  readonly [
    Field in keyof ComparedFields<Table> as Table[Field] extends { readonly policy: 'default' } ? never : Field
  ]: FieldRule<keyof Table>
} & { readonly [Field in keyof ComparedFields<Table>]?: FieldRule<keyof Table> }

export const subscriptionRules: Rules<typeof subscriptionFields> = {
  application: { not: 'Stripe sets it once' },
  automatic_tax: (seen) => {
    const is = seen.successor.automatic_tax.enabled
    return changed('automatic tax', is !== seen.candidate.old.raw.automatic_tax.enabled, () => ({ automatic_tax: is }))
  },
  billing_cycle_anchor: (seen) =>
    changed('renewal dates', renewsOtherwise(seen), () => ({
      anchor: formatInstant(instant(seen.successor.billing_cycle_anchor)),
    })),
  billing_cycle_anchor_config: { with: 'billing_cycle_anchor' },
  billing_mode: ({ candidate: { old }, successor }) =>
    changed('billing mode', successor.billing_mode.type !== old.raw.billing_mode.type),
  billing_thresholds: ({ candidate: { old }, successor }) =>
    changed('billing thresholds', set(successor.billing_thresholds) !== set(old.raw.billing_thresholds)),
  cancel_at: (seen) => endChanged(seen),
  cancel_at_period_end: { with: 'cancel_at' },
  collection_method: ({ candidate: { old }, successor: { collection_method: method, days_until_due: days } }) =>
    changed('collection_method', method !== old.raw.collection_method || days !== old.raw.days_until_due, () => ({
      collection_method: method === 'charge_automatically' ? undefined : method,
      days_until_due: days ?? undefined,
    })),
  currency: { not: 'Stripe never changes it' },
  customer: { not: 'Stripe never changes it' },
  days_until_due: { with: 'collection_method' },
  default_payment_method: (seen) => paymentChanged(seen),
  default_source: { with: 'default_payment_method' },
  default_tax_rates: (seen) => {
    const rates = seen.successor.default_tax_rates ?? []
    return changed('tax rates', ratesOf(rates) !== ratesOf(seen.candidate.old.raw.default_tax_rates ?? []), () => ({
      tax_rates: keysOf(rates, seen.candidate),
    }))
  },
  description: { not: 'a text, which the cancelled subscription keeps' },
  discounts: (seen) => discountsAdded(seen),
  items: (seen) =>
    changed('items or quantities', !hasSameItems(seen), () => ({ items: itemsNow(seen.candidate, seen.now.items) })),
  metadata: { not: 'notes of other programs, which the cancelled subscription keeps' },
  pause_collection: { not: 'a revert carries it back, and drift names it as `paused_in_target`' },
  payment_settings: ({ candidate: { old, entered }, successor }) => {
    const types = (one: Stripe.Subscription): string =>
      (one.payment_settings?.payment_method_types ?? [])
        .filter((type) => entered === undefined || type !== 'card')
        .toSorted()
        .join()
    return changed('payment method types', types(successor) !== types(old.raw))
  },
  schedule: (seen) => changed('schedule', hasOwnPhases(seen)),
  start_date: { not: 'Stripe never changes it' },
  status: { not: 'payments and the clock decide it' },
  status_details: { not: 'payments and the clock decide it' },
  trial_end: (seen) => {
    const end = trialEnd(seen.now, seen)
    return changed('trial', end !== trialEnd(seen.candidate.old, seen), () => ({
      trial_end: end === null ? undefined : formatInstant(end),
    }))
  },
  trial_settings: (seen) =>
    changed(
      'end of the trial',
      trialEnd(seen.now, seen) !== null && atTrialEnd(seen.successor) !== atTrialEnd(seen.candidate.old.raw),
    ),
}

export const itemRules: Rules<typeof itemFields> = {
  discounts: (seen) => {
    const added = seen.successor.items.data.flatMap(({ discounts }) => discounts).filter((one) => isAdded(one, seen))
    return changed('discounts of an item', added.length > 0)
  },
  metadata: { not: 'notes of other programs, which the cancelled subscription keeps' },
  price: { with: 'quantity' },
  quantity: { not: 'compared with the rule `items` of the subscription' },
  tax_rates: (seen) => {
    const told = (items: readonly SourceItem[]): string =>
      items
        .map(({ taxRates }) => ratesOf(taxRates))
        .toSorted()
        .join(' | ')
    // Other items have other rates.
    const isChanged = hasSameItems(seen) && told(seen.now.items) !== told(seen.candidate.old.items)
    return changed('tax rates of an item', isChanged)
  },
}

export const customerRules: Rules<typeof customerFields> = {
  balance: { not: 'carried back by `policies.customer_balance`, which blocks otherwise' },
  cash_balance: { not: 'funds that Stripe applies to invoices of the target alone' },
  currency: { not: 'Stripe never changes it' },
  default_source: { with: 'invoice_settings' },
  deleted: { not: 'it ends the new subscription, which is then settled' },
  discount: (seen) => {
    const discount = seen.customer?.discount ?? null
    // A discount of the subscription takes its place.
    const applies = seen.successor.discounts.length === 0 && discount !== null
    return changed('discount of the customer', applies && isAdded(discount, seen))
  },
  invoice_credit_balance: { with: 'balance' },
  invoice_settings: { not: 'the default method is compared with `default_payment_method`; the rest is text' },
  preferred_locales: { not: 'the language of mails' },
  shipping: { with: 'tax_exempt' },
  tax_exempt: { not: 'the plan of a revert previews the tax of both customers' },
  tax_ids: { with: 'tax_exempt' },
}

function changed(what: string, isChanged: boolean, now: () => ChangedFields = () => ({})): Changed | undefined {
  return isChanged ? { what, now: now() } : undefined
}

/* --------------------------------------------------------- end and trial */

/**
 * `payments_left` gives the new subscription an end of its own; what differs from the entry is
 * reported as such.
 */
function endChanged({ candidate: { desired, old }, successor, now }: Seen): Changed | undefined {
  const { cancel_at: end, cancel_at_period_end: ends } = successor
  // Both doors of a cancel mean the same end: `cancel_at` or `cancel_at_period_end`.
  const sameEnd =
    typeof desired.managed_by_application === 'object' ||
    (now.ending === old.ending && (now.ending !== null || end === old.raw.cancel_at))
  return changed('its end', !sameEnd || ends !== old.raw.cancel_at_period_end, () => ({
    cancel_at: end === null ? undefined : formatInstant(instant(end)),
    cancel_at_period_end: ends ? true : undefined,
  }))
}

/** A trial that has run out may still be shown for some minutes, in one account or the other. */
function trialEnd({ trialEnd: end }: SourceSubscription, { candidate: { around } }: Seen): Instant | null {
  return end !== null && end > around.now ? end : null
}

/** Stripe's default where nothing was set. */
function atTrialEnd({ trial_settings: settings }: Stripe.Subscription): string {
  return settings?.end_behavior.missing_payment_method ?? 'create_invoice'
}

/** Whether the dates of the renewals differ, where the items and the trial do not say why. */
function renewsOtherwise(seen: Seen): boolean {
  const { now, candidate } = seen
  const { old } = candidate
  if (old.cycle === null || now.cycle === null || old.next === null || now.next === null) return false
  if (now.ending !== null || !hasSameItems(seen) || trialEnd(now, seen) !== trialEnd(old, seen)) return false
  const at = instant(Math.max(old.next, now.next))
  const sameDay = monthsOf(old.cycle) === undefined || old.cycle.day === now.cycle.day
  return !sameDay || !isChargeDate(old.cycle, at) || !isChargeDate(now.cycle, at)
}

/** A schedule that is not the counterpart of one in the old account, with phases ahead. */
function hasOwnPhases({ candidate: { old, around }, successor: { schedule } }: Seen): boolean {
  if (schedule === null || old.raw.schedule !== null) return false
  const shown = typeof schedule === 'string' ? around.target.schedules.get(schedule) : schedule
  return shown !== undefined && phasesAhead(shown, around.now).length > 0
}

/* -------------------------------------------------------- payment method */

function paymentChanged(seen: Seen): Changed | undefined {
  const { candidate, successor, now } = seen
  const { old, copyMap, entered } = candidate
  const copy = methodInTarget(old.payment, copyMap, entered)?.id
  const own = readPayment(successor, undefined)?.id ?? null
  // Where the copy is unknown, a change cannot be detected. Where one default cannot be right for
  // all, the copy is pinned.
  const isUnknown = copy === undefined && old.payment !== null && own !== null
  const pinned = old.payment?.level === 'subscription' || own === copy ? (copy ?? null) : null
  const ofOwn = own !== pinned && !isUnknown && !isCrossbillsOwn(successor, own)
  if (!ofOwn && own === null && defaultChanged(seen, copy))
    return { what: 'default payment method of the customer', now: { payment_method: now.payment?.id }, chosen: true }
  return changed('payment method', ofOwn, () => ({
    payment_method: (own === null ? now.payment?.id : own) ?? undefined,
  }))
}

/**
 * Crossbill set this method, and the copy map names another one by now: the file was mixed up and
 * has been corrected. It is no choice of the member and never adopted; `verify` names it.
 */
function isCrossbillsOwn({ metadata }: Stripe.Subscription, own: string | null): boolean {
  return own !== null && readPaymentMark(metadata)?.copy === own
}

/**
 * Whether the customer's default is another method than the one that the move was proven with, by
 * the mark, and than the copy by today's file. Another copied method is a mix-up, which `verify`
 * names as `payment_method_differs`.
 */
function defaultChanged(
  { candidate: { old, around }, successor, now, customer }: Seen,
  copy: string | undefined,
): boolean {
  if (customer === undefined || successor.collection_method !== 'charge_automatically') return false
  const mark = readPaymentMark(successor.metadata)?.copy
  const known = [mark, copy].filter((one) => one !== undefined)
  const usual = now.payment?.id ?? null
  if (usual !== null && around.copiedMethods.has(usual)) return false
  if (old.payment === null && mark === undefined) return usual !== null
  return known.length > 0 && (usual === null || !known.includes(usual))
}

/* ------------------------------------------------- items, discounts, taxes */

function hasSameItems({ candidate: { old }, now }: Seen): boolean {
  return sameItems(old.items, now.items, old.currency)
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

/** Whether a person gave this discount after the creation. */
function isAdded(discount: string | Stripe.Discount, { candidate: { around, old }, successor }: Seen): boolean {
  if (typeof discount === 'string') return false
  const { coupons } = around.target
  return !isFromCreation(discount, successor, coupons) && !isIdle(readDiscount(discount, coupons), old.currency)
}

function discountsAdded(seen: Seen): Changed | undefined {
  const added = seen.successor.discounts.filter((one) => isAdded(one, seen))
  return changed('discounts', added.length > 0, () => ({ discounts: discountsNow(seen, added) }))
}

/** The discounts of the file and the added ones; undefined while the catalog lacks a coupon. */
function discountsNow(
  { candidate: { desired, around } }: Seen,
  added: readonly (string | Stripe.Discount)[],
): readonly WrittenDiscount[] | undefined {
  const all = added.flatMap((one): WrittenDiscount[] => {
    const { couponId, coupon, old } = readDiscount(one, around.target.coupons)
    const mark = (around.target.coupons?.get(couponId ?? '') ?? coupon)?.metadata?.[markAddress]
    if (mark === undefined) return []
    const end = old?.end ?? null
    return [{ coupon: splitAddress(mark).key, ...(end === null ? {} : { ends: formatInstant(end) }) }]
  })
  if (all.length < added.length) return undefined
  const before = desired.discounts.filter(({ coupon }) => !all.some((one) => one.coupon === coupon))
  return [...before.map(writtenDiscount), ...all]
}

function writtenDiscount({ coupon, ends }: DesiredDiscount): WrittenDiscount {
  return { coupon, ...(ends === undefined ? {} : { ends: formatInstant(ends) }) }
}

/** The terms of the rates, whatever their ids. */
function ratesOf(rates: readonly Stripe.TaxRate[]): string {
  return rates
    .map(({ percentage, inclusive, country }) => `${percentage} ${inclusive} ${country ?? ''}`)
    .toSorted()
    .join()
}

/** The rates by catalog keys; undefined while the catalog lacks one. */
function keysOf(rates: readonly Stripe.TaxRate[], { around }: Candidate): readonly string[] | undefined {
  const keys = rates.flatMap(({ id }) => around.targetTaxRates.get(id) ?? [])
  return keys.length === rates.length ? keys : undefined
}

/** One text for equal settings: Stripe shows an unset one as null. */
function set(value: object | null): string {
  return canonicalJson(Object.fromEntries(Object.entries(value ?? {}).filter(([, one]) => one !== null)))
}
