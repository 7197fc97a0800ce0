import { objectIn, textIn } from '../core/json.ts'
import { formatMoney } from '../core/money.ts'
import { idOf } from '../core/reference.ts'
import { invoiceSubscription } from './collection.ts'
import { standsStill, type ShownInvoice } from './invoice.ts'
import { markCarried } from './marks.ts'
import { isHeld, isOver, type Shown } from './subscription.ts'

/** A pending invoice item as Stripe returns it, typed by the SDK or as JSON. */
export interface ShownItem {
  readonly id?: unknown
  readonly amount?: unknown
  readonly currency?: unknown
  readonly metadata?: unknown
  readonly parent?: unknown
}

/** What one customer has in one account. */
export interface CustomerMoney {
  readonly customer: string
  /** Every subscription of the customer, in every status. */
  readonly subscriptions: readonly (Shown & { readonly id?: unknown; readonly currency?: unknown })[]
  /** Pending invoice items. */
  readonly items: readonly ShownItem[]
  /** Invoices; only drafts, and debts that were carried here, are looked at. */
  readonly invoices: readonly (ShownInvoice & { readonly total?: unknown; readonly currency?: unknown })[]
  /** A credit is negative. */
  readonly balance: number
  /** The currency of the balance. */
  readonly currency: string
  /** `invoice_credit_balance`, which also has other currencies; there, a credit is positive. */
  readonly credits: unknown
}

/** Money that no subscription of the customer will bill or use. */
export interface LeftPiece {
  readonly what: string
  /** The subscription that it names; undefined if it belongs to the customer alone. */
  readonly subscription: string | undefined
  /** Its mark, if Crossbill carried it. */
  readonly mark: string
}

/**
 * The money of a customer that nothing bills any more, although no request ever gave it up. An item
 * that names a subscription waits for the invoices of that one; other money waits for any
 * subscription of the customer that is live and not held by Crossbill. An end leaves the drafts of
 * a subscription, which nothing finalizes then.
 */
export function leftMoney(money: CustomerMoney): readonly LeftPiece[] {
  const { customer, subscriptions, items, invoices, balance, currency, credits } = money
  const byId = new Map(subscriptions.map((one) => [one.id, one]))
  const someBills = subscriptions.some(bills)
  const isLeft = (of: string | undefined): boolean => {
    if (of === undefined) return !someBills
    const named = byId.get(of)
    return named !== undefined && !bills(named)
  }
  const left = items.flatMap((item) => {
    const subscription = namedBy(item)
    const amount = numberIn(item.amount)
    if (amount === 0 || !isLeft(subscription)) return []
    return [{ what: told('item', item, amount), subscription, mark: markOf(item) }]
  })
  const drafts = invoices.flatMap((invoice) => {
    const subscription = invoiceSubscription(invoice)
    const named = byId.get(subscription)
    const amount = numberIn(invoice.total)
    // Stripe finalizes a draft that advances.
    const isLeftDraft = invoice.status === 'draft' && standsStill(invoice)
    if (named === undefined || !isOver(named) || !isLeftDraft || amount <= 0) return []
    return [{ what: told('draft', invoice, amount), subscription, mark: markOf(invoice) }]
  })
  // A carried debt is an invoice of the customer, and Stripe stops its collection with the end of
  // any subscription of theirs, or collects it on.
  const debts = invoices.flatMap((invoice) => {
    const amount = numberIn(invoice.amount_remaining)
    if (invoice.status !== 'open' || markOf(invoice) === '' || amount <= 0) return []
    const how = standsStill(invoice) ? 'no longer collected' : 'still collected'
    const what = `${told('invoice', invoice, amount)}, carried from the other account and ${how}`
    return [{ what, subscription: undefined, mark: markOf(invoice) }]
  })
  const kept =
    balance === 0 || someBills
      ? []
      : [{ what: toldBalance(balance, currency, customer), subscription: undefined, mark: '' }]
  // Only an invoice in the same currency uses it, whatever else the customer is billed.
  const others = Object.entries(objectIn(credits)).flatMap(([other, credit]) => {
    const amount = -numberIn(credit)
    const isUsed = subscriptions.some((one) => bills(one) && one.currency === other)
    return amount === 0 || other === currency || isUsed
      ? []
      : [{ what: toldBalance(amount, other, customer), subscription: undefined, mark: '' }]
  })
  return [...left, ...drafts, ...debts, ...kept, ...others]
}

function told(kind: string, { id, currency }: { readonly id?: unknown; readonly currency?: unknown }, amount: number) {
  return `${kind} ${textIn(id)} of ${formatMoney({ amount, currency: textIn(currency) })}`
}

function toldBalance(amount: number, currency: string, customer: string): string {
  const money = formatMoney({ amount: Math.abs(amount), currency })
  return amount < 0 ? `a credit of ${money} of ${customer}` : `a balance to pay of ${money} of ${customer}`
}

/** A held subscription bills nothing: its successor does. */
function bills(subscription: Shown): boolean {
  return !isOver(subscription) && !isHeld(subscription)
}

/** The subscription that a pending item belongs to; undefined for one of the customer alone. */
export function namedBy({ parent }: ShownItem): string | undefined {
  return idOf(objectIn(objectIn(parent)['subscription_details'])['subscription'])
}

function numberIn(value: unknown): number {
  return typeof value === 'number' ? value : 0
}

function markOf({ metadata }: { readonly metadata?: unknown }): string {
  return textIn(objectIn(metadata)[markCarried])
}
