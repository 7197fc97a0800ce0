import { isJsonObject, type JsonObject } from '../core/json.ts'
import { idOf } from '../core/reference.ts'
import type { Live } from './accounts.ts'
import { isCollected, isSent, standsStill, type ShownInvoice } from './invoice.ts'
import { markCollect } from './marks.ts'
import { isOver } from './subscription.ts'

/*
 * A cancel stops the automatic collection of every finalized invoice of its customer, also of those
 * that belong to other subscriptions (https://docs.stripe.com/api/subscriptions/cancel). Afterwards
 * Stripe no longer shows which of them were being collected. So Crossbill marks each of them right
 * before its cancel, with the subscription that it cancels. Any run, with any store, reads from the
 * accounts which invoices are to be collected again.
 */

/**
 * Whether Stripe will still collect an invoice: it has another attempt ahead, or it was sent to the
 * customer. A sent invoice is never charged automatically, but Stripe sends reminders and marks it
 * overdue. An automatically charged invoice without an attempt ahead was given up or has a payment
 * in progress: asking Stripe to collect it again could charge it twice.
 */
export function willBeCollected(invoice: ShownInvoice): boolean {
  return isSent(invoice) || (isCollected(invoice) && (invoice.next_payment_attempt ?? null) !== null)
}

/** The subscription of an invoice. Since the basil API version it is below `parent`. */
export function invoiceSubscription({ parent }: ShownInvoice): string | undefined {
  const details = isJsonObject(parent) ? parent['subscription_details'] : undefined
  return isJsonObject(details) ? idOf(details['subscription']) : undefined
}

/** The subscriptions whose cancel by Crossbill stops the collection of this invoice. */
export function cancelsNoted({ metadata }: ShownInvoice): readonly string[] {
  const mark = isJsonObject(metadata) ? metadata[markCollect] : undefined
  return typeof mark === 'string' ? mark.split(' ').filter((one) => one !== '') : []
}

/** An open invoice that was being collected when Crossbill cancelled this subscription. */
export function isNotedFor(invoice: ShownInvoice, subscription: string): boolean {
  return invoice.status === 'open' && cancelsNoted(invoice).includes(subscription)
}

/** The mark with this cancel added. */
export function withCancel(invoice: ShownInvoice, subscription: string): JsonObject {
  return { [markCollect]: [...new Set([...cancelsNoted(invoice), subscription])].join(' ') }
}

/** The mark without this cancel; without any other, the mark is removed. */
export function withoutCancel(invoice: ShownInvoice, subscription: string): JsonObject {
  const others = cancelsNoted(invoice).filter((one) => one !== subscription)
  return { [markCollect]: others.length === 0 ? null : others.join(' ') }
}

/** An invoice whose mark a run did not remove after its cancel. */
export interface LeftNoted {
  readonly account: string
  readonly invoice: string
  readonly customer: string
  /** The subscription that was cancelled. */
  readonly cancelled: string
  /** `us/sub_…`, or `us/cus_…` for an invoice without a subscription. */
  readonly whose: string
  /** The cancel stopped its collection; otherwise only the mark is left. */
  readonly isStopped: boolean
}

/**
 * Every invoice of every account with the mark of a finished cancel by Crossbill. The marks alone
 * show it, whichever run or store the cancel belonged to.
 */
export function leftNoted({ target, sources }: Live): readonly LeftNoted[] {
  return [target, ...sources.values()].flatMap(({ name, invoices, subscriptions }) => {
    const noted = [...invoices.values()].flat().filter((one) => cancelsNoted(one).length > 0)
    if (noted.length === 0) return []
    const over = new Set(subscriptions.filter(isOver).map(({ id }) => id))
    return noted.flatMap((one) => {
      const cancelled = cancelsNoted(one).find((id) => over.has(id) && isNotedFor(one, id))
      if (cancelled === undefined) return []
      const customer = idOf(one.customer ?? '')
      const whose = `${name}/${invoiceSubscription(one) ?? customer}`
      return [{ account: name, invoice: one.id ?? '', customer, cancelled, whose, isStopped: standsStill(one) }]
    })
  })
}
