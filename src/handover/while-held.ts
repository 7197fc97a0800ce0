import type { OverrideCode } from '../catalog/override-codes.ts'
import { idOf } from '../core/reference.ts'
import { isFromCreation } from '../live/from-creation.ts'
import { isAdvancing } from '../live/invoice.ts'
import { isMetered } from '../live/metered.ts'
import { endsByHold, isOver } from '../live/subscription.ts'
import type Stripe from 'stripe'
import { formatInstant, instant } from '../core/instant.ts'
import { formatMoney } from '../core/money.ts'
import { readDiscount, readHold, readPayment, readSource, type Hold } from '../live/source.ts'
import { movedDates } from '../live/as-held.ts'
import { readPaymentMark } from '../live/marks.ts'
import { aroundPrint, sourcePrint } from './fingerprint.ts'
import { changedParts, type HeldPart } from './held-terms.ts'
import { customerOf } from './proof.ts'

/**
 * A change in the old account to a held subscription or its customer that has not reached the new
 * subscription.
 */
export interface HeldChange {
  readonly code: 'cancelled_in_source' | 'drift_on_held_source' | 'money_on_held_source' | 'customer_split'
  readonly message: string
}

export interface WhileHeld {
  readonly old: Stripe.Subscription
  readonly customer: Stripe.Customer | undefined
  /** The subscription that bills now. */
  readonly successor: Stripe.Subscription
  /** Pending invoice items of the old customer. */
  readonly pending: readonly Stripe.InvoiceItem[]
  /**
   * Invoices of the old subscription, as far as they were read, with the lines that are not
   * renewals.
   */
  readonly invoices: readonly Stripe.Invoice[]
  /** Other live subscriptions of the old customer in the old account. */
  readonly siblings: readonly Stripe.Subscription[]
  /** Coupons of the target: discounts of items show theirs by id alone. */
  readonly coupons?: ReadonlyMap<string, Stripe.Coupon> | undefined
  /** The items as the entry says them, and as the old subscription has them, for a person. */
  readonly items?: { readonly before: string; readonly now: string } | undefined
  /** The codes that the subscriber's file overrides. */
  readonly override: readonly OverrideCode[]
}

/** All such changes, most important first. Only its name under `override` silences a code. */
export function changesWhileHeld(seen: WhileHeld): readonly HeldChange[] {
  const hold = readHold(seen.old)
  if (hold === null) return []
  // An end of the old subscription takes its terms along, and leaves what was to be billed.
  const ofTerms = isOver(seen.old) ? [] : [...cancelAsked(seen, hold), ...changed(seen, hold)]
  const all = [...ofTerms, ...moneyAdded(seen, hold)]
  return all.filter(({ code }) => !seen.override.includes(code))
}

/** Whether the subscription is set to end, at the end of its period or earlier. */
export function isEnding(subscription: Stripe.Subscription): boolean {
  return readSource(subscription, undefined).ending !== null
}

/**
 * The old subscription was set to end and the new one was not: the member cancelled through an old
 * door.
 */
function cancelAsked({ old, customer, successor }: WhileHeld, hold: Hold): readonly HeldChange[] {
  if (hold.print === '' || hold.print === sourcePrint(old, customer)) return []
  const end = endOf(old)
  const known = endOf(successor)
  if (end === null || (known !== null && known <= end)) return []
  const message = `the old subscription was set to end on ${formatInstant(instant(end))} while it is on hold: a cancel through an old door that has not reached ${successor.id}`
  return [{ code: 'cancelled_in_source', message }]
}

/** The instant up to which the subscription is paid; null if it does not end. */
function endOf(subscription: Stripe.Subscription): number | null {
  const { ending, raw } = readSource(subscription, undefined)
  return ending ?? raw.cancel_at
}

function changed(seen: WhileHeld, hold: Hold): readonly HeldChange[] {
  const what = [
    ...datesMoved(seen, hold),
    ...termsChanged(seen, hold),
    ...(discountsAdded(seen, hold) ? ['a discount was added'] : []),
    ...(discountsRemoved(seen) ? ['a discount was removed'] : []),
  ]
  return what.length === 0
    ? []
    : [
        {
          code: 'drift_on_held_source',
          message: `the held subscription was changed in the old account (${what.join('; ')})`,
        },
      ]
}

function datesMoved({ old }: WhileHeld, hold: Hold): readonly string[] {
  return movedDates(old, hold).map(({ field, before, now }) => `${field}: ${toldDate(before)} → ${toldDate(now)}`)
}

/** What changed, by name; marks of earlier versions and of schedules do not say it. */
function termsChanged(seen: WhileHeld, hold: Hold): readonly string[] {
  const { old, customer } = seen
  if (old.schedule !== null) return hold.print === '' ? [] : ['a schedule was added']
  const names = changedParts(old, customer, hold)
    .filter((part) => part !== 'its end' || isOtherEnd(seen, hold))
    .map((part) => toldPart(part, seen))
  if (names.length > 0) return names
  return [
    ...(hold.print !== '' && !isSame(seen, hold) ? ['its items, payment method, end or way of collection'] : []),
    ...(hold.around !== '' && hold.around !== aroundPrint(old, customer)
      ? ['its taxes, or the address or tax ids of its customer']
      : []),
  ]
}

/** An end that is no cancel: it was removed, or moved beyond the end of the new subscription. */
function isOtherEnd(seen: WhileHeld, hold: Hold): boolean {
  return endOf(seen.old) !== endOf(seen.successor) && cancelAsked(seen, hold).length === 0
}

/** The part, with what it was and what it is where the two subscriptions show it. */
function toldPart(part: HeldPart, seen: WhileHeld): string {
  const [before, now] = beforeAndNow[part]?.(seen) ?? []
  return before === undefined || before === now ? part : `${part}: ${before} → ${now}`
}

const beforeAndNow: Readonly<Partial<Record<HeldPart, (seen: WhileHeld) => readonly (string | undefined)[]>>> = {
  items: ({ items }) => [items?.before, items?.now],
  'payment method': ({ old, customer, successor }) => [
    readPaymentMark(successor.metadata)?.old,
    readPayment(old, customer)?.id ?? 'none',
  ],
  'its end': ({ old, successor }) => [endOf(successor), endOf(old)].map(toldDate),
  collection_method: ({ old, successor }) => [successor.collection_method, old.collection_method],
}

function toldDate(at: number | null): string {
  return at === null ? 'not set' : formatInstant(instant(at))
}

/**
 * Whether the terms are unchanged. An end alone does not change the terms: it is a cancel, or the
 * cancel that the new subscription followed.
 */
function isSame({ old, customer, successor }: WhileHeld, { print }: Hold): boolean {
  const { cancel_at, cancel_at_period_end } = successor
  const ends = [{}, { cancel_at: null, cancel_at_period_end: false }, { cancel_at, cancel_at_period_end }]
  const isEnd = old.cancel_at !== null || old.cancel_at_period_end
  return ends.slice(0, isEnd ? ends.length : 1).some((end) => sourcePrint({ ...old, ...end }, customer) === print)
}

/** Discounts expire automatically during the hold, but they do not start automatically. */
function discountsAdded({ old, customer }: WhileHeld, { since }: Hold): boolean {
  const all = [...old.discounts, ...old.items.data.flatMap(({ discounts }) => discounts), customer?.discount ?? null]
  return since > 0 && all.some((one) => one !== null && typeof one === 'object' && one.start > since)
}

/**
 * Whether a discount that was carried still covers the next renewal of the new subscription, and no
 * discount of the old one does. Both end at the same renewal, so this one was taken away. A
 * discount that applies once is used up on one side at a time, and proves nothing.
 */
function discountsRemoved({ old, customer, successor, coupons }: WhileHeld): boolean {
  const covers = (one: Stripe.Discount, next: number | null): boolean =>
    next !== null && (one.end === null || one.end > next)
  const isCarried = (one: Stripe.Discount): boolean => {
    const duration = readDiscount(one, coupons).old?.duration
    // Unknown where the read does not show the coupon.
    return isFromCreation(one, successor, coupons) && duration !== undefined && duration !== 'once'
  }
  const inherited = old.discounts.length > 0 ? [] : [customer?.discount ?? null]
  const before = [...discountsOf(old), ...inherited].filter((one) => one !== null)
  const [here, there] = [readSource(old, undefined).next, readSource(successor, undefined).next]
  // Only an id was read, so it is unknown what it covers.
  if (before.some((one) => typeof one === 'string')) return false
  const left = before.filter((one) => typeof one === 'object' && covers(one, here)).length
  const carried = discountsOf(successor).filter(
    (one) => typeof one === 'object' && isCarried(one) && covers(one, there),
  )
  return carried.length > left
}

function discountsOf({ discounts, items }: Stripe.Subscription): readonly (string | Stripe.Discount)[] {
  return [...discounts, ...items.data.flatMap((item) => item.discounts)]
}

/**
 * Money added in the old account: a pending item goes onto the next invoice of the subscription,
 * which the hold voids, and a credit stays where no invoice will use it.
 */
function moneyAdded(seen: WhileHeld, hold: Hold): readonly HeldChange[] {
  const { old, customer, siblings } = seen
  const waiting = seen.pending.filter(
    (item) => belongsTo(item, old.id) && item.amount !== 0 && !isTakenBefore(item, seen),
  )
  const stuck = seen.invoices
    .filter((one) => isStuck(one) && hold.since > 0 && one.created >= hold.since && hold.before === null)
    .map((invoice) => ({ invoice, amount: sum([...otherLines(invoice), ...usageLines(invoice, old)]) }))
    .filter(({ amount }) => amount !== 0)
  const credit = customer === undefined || isOver(old) || siblings.some(bills) ? 0 : customer.balance
  const told = [
    ...waiting.map(({ id, amount, currency }) => `item ${id} of ${formatMoney({ amount, currency })} is pending`),
    ...stuck.map(({ invoice: { id, currency, status }, amount }) => {
      const items = `items of ${formatMoney({ amount, currency })}`
      return status === 'void'
        ? `${items} were voided with ${id}`
        : `${items} are on the draft ${id}, which no one will collect`
    }),
    ...(credit === 0
      ? []
      : [`customer ${idOf(old.customer)} has a balance of ${formatMoney({ amount: credit, currency: old.currency })}`]),
  ]
  return told.length === 0
    ? []
    : [{ code: 'money_on_held_source', message: `money that nothing will bill in the old account: ${told.join('; ')}` }]
}

/** An invoice that charges nothing: voided by the hold, or a draft that does not advance. */
function isStuck(invoice: Stripe.Invoice): boolean {
  return invoice.status === 'void' || (invoice.status === 'draft' && !isAdvancing(invoice))
}

/** An item without a subscription goes onto the customer's next invoice, of any subscription. */
function isTakenBefore(item: Stripe.InvoiceItem, { old, siblings }: WhileHeld): boolean {
  if (item.parent?.subscription_details?.subscription) return false
  // It belongs to no subscription, so the end of this one changes nothing about it.
  if (isOver(old)) return true
  const next = readSource(old, undefined).next
  return siblings.filter(bills).some((one) => (readSource(one, undefined).next ?? Infinity) < (next ?? Infinity))
}

/** Whether a subscription of the old account still creates invoices that are paid. */
export function bills(subscription: Stripe.Subscription): boolean {
  if (isOver(subscription) || endsByHold(subscription)) return false
  return subscription.pause_collection === null && !isEnding(subscription)
}

/**
 * Whether the item belongs to this subscription, or to no subscription: the next invoice of any
 * subscription takes those.
 */
export function belongsTo(item: Stripe.InvoiceItem, subscription: string): boolean {
  const of = item.parent?.subscription_details?.subscription ?? null
  return of === null || of === subscription
}

/** Invoice lines that are not renewals: items, and prorations of a change. */
export function otherLines({ lines }: Stripe.Invoice): readonly Stripe.InvoiceLineItem[] {
  return lines.data.filter(({ parent }) => parent?.subscription_item_details?.proration !== false)
}

/** Usage of a period that the hold kept back: only the old account knows it. */
function usageLines({ lines }: Stripe.Invoice, { items }: Stripe.Subscription): readonly Stripe.InvoiceLineItem[] {
  const metered = new Set(items.data.flatMap(({ price }) => (isMetered(price) ? [price.id] : [])))
  const isRegular = ({ parent }: Stripe.InvoiceLineItem): boolean =>
    parent?.subscription_item_details?.proration === false
  return lines.data.filter((line) => isRegular(line) && metered.has(idOf(line.pricing?.price_details?.price ?? '')))
}

function sum(lines: readonly Stripe.InvoiceLineItem[]): number {
  return lines.reduce((total, { amount }) => total + amount, 0)
}

/** The changes of one subscription that was read with its customer expanded. */
export function changesOfOne(seen: Omit<WhileHeld, 'customer' | 'siblings'>): readonly HeldChange[] {
  // The customer's other subscriptions were not read, so a balance that they may use is not
  // reported.
  const customer = customerOf(seen.old)
  return changesWhileHeld({ ...seen, customer: customer && { ...customer, balance: 0 }, siblings: [] })
}
