import type Stripe from 'stripe'
import { idOf } from '../core/reference.ts'
import { markCarried } from '../live/marks.ts'
import { givenBack, shareKept } from '../live/observations.ts'
import type { SourceSubscription } from '../live/source.ts'
import { livePriceDifferences } from './terms.ts'
import { grossOf, isProration, takenLine } from './taken-lines.ts'

/*
 * A change with a proration in a period that another account was paid for. Flexible billing mode
 * credits what the subscription itself has debited
 * (https://docs.stripe.com/billing/subscriptions/billing-mode), and this one has debited nothing
 * yet: the member pays the new terms for the rest of the period, and gets nothing for the old ones.
 */

/** One of the two subscriptions, with its invoices that are neither void nor uncollectible. */
export interface Billed {
  readonly read: SourceSubscription
  readonly invoices: readonly Stripe.Invoice[]
}

export interface Uncredited {
  /** When the terms changed, and until when the other account was paid for. */
  readonly at: number
  readonly until: number
  /** In minor units: what the other account was paid for the rest of the period, taxes included. */
  readonly paid: number
  /** What this account has credited for it. */
  readonly credited: number
  readonly invoices: readonly Stripe.Invoice[]
}

/**
 * What the member is owed for the first change of `now`, in the period that `before` was paid for.
 * `pending`: the pending items of its customer.
 */
export function uncredited(
  now: Billed & { readonly pending: readonly Stripe.InvoiceItem[] },
  before: Billed,
): Uncredited | undefined {
  const prorated = [
    ...now.invoices.flatMap(({ lines }) => lines.data.filter(isProration).map(chargeOfLine)),
    ...now.pending
      .filter((item) => isPendingProration(item, now.read.id))
      .map((item) => ({ ...item.period, gross: item.amount, price: idOf(item.pricing?.price_details?.price ?? '') })),
  ]
  const paid = before.invoices.filter(({ status }) => status === 'paid').flatMap(chargesKept)
  const until = Math.max(0, ...paid.map(({ end }) => end))
  // A change before the move lies in a period that this account itself was paid for.
  const foreign = prorated.filter((one) => paid.some(({ start, end }) => start <= one.start && one.start < end))
  const at = Math.min(...foreign.map(({ start }) => start))
  if (!Number.isFinite(at)) return undefined
  const first = foreign.filter(({ start }) => start === at)
  const changed = changedPrices(before.read, now.read, new Set(first.map(({ price }) => price)))
  const left = paid.filter(({ price }) => changed.has(price))
  const owed = Math.round(left.reduce((sum, one) => sum + partFrom(one, at), 0))
  const credited = -first.reduce((sum, { gross }) => sum + Math.min(0, gross), 0)
  if (owed <= 0 || owed - credited <= 0) return undefined
  return { at, until, paid: owed, credited, invoices: now.invoices.filter(({ lines }) => lines.data.some(isProration)) }
}

/** Whether this waiting item is a proration of the subscription. */
export function isPendingProration({ proration, parent }: Stripe.InvoiceItem, subscription: string): boolean {
  return proration && parent?.subscription_details?.subscription === subscription
}

/**
 * What a person has given for it since: credit notes on these invoices and refunds, and credits on
 * the balance whose note names the subscription.
 */
export function givenSince(
  subscription: string,
  invoices: readonly Stripe.Invoice[],
  balance: readonly Stripe.CustomerBalanceTransaction[],
): number {
  const back = invoices.reduce((sum, one) => sum + givenBack(one), 0)
  return balance
    .filter((one) => one.type === 'adjustment' && one.metadata?.[markCarried] === undefined)
    .filter(({ description }) => description?.includes(subscription) === true)
    .reduce((sum, { amount }) => sum - amount, back)
}

interface Charge {
  readonly start: number
  readonly end: number
  readonly gross: number
  readonly price: string
}

/** The lines of a paid invoice, less what its member has got back. */
function chargesKept(invoice: Stripe.Invoice): readonly Charge[] {
  const kept = shareKept(invoice)
  if (kept === 0) return []
  return invoice.lines.data.map(chargeOfLine).map((one) => ({ ...one, gross: one.gross * kept }))
}

function chargeOfLine(line: Stripe.InvoiceLineItem): Charge {
  const { start, end } = line.period
  return { start, end, gross: grossOf([takenLine(line)]), price: idOf(line.pricing?.price_details?.price ?? '') }
}

function partFrom({ start, end, gross }: Charge, at: number): number {
  return end <= Math.max(at, start) ? 0 : (gross * (end - Math.max(at, start))) / (end - start)
}

/**
 * The old prices of the items that changed: those without an equal item now, and those whose equal
 * item has a proration (it changed and changed back).
 */
function changedPrices(
  before: SourceSubscription,
  now: SourceSubscription,
  prorated: ReadonlySet<string>,
): ReadonlySet<string> {
  const left = [...now.items]
  const changed = before.items.filter((item) => {
    const at = left.findIndex(
      (one) =>
        one.quantity === item.quantity && livePriceDifferences(item.price, one.price, before.currency).length === 0,
    )
    const [same] = at < 0 ? [] : left.splice(at, 1)
    return same === undefined || prorated.has(same.price.id)
  })
  return new Set(changed.map(({ price }) => price.id))
}
