import type Stripe from 'stripe'
import type { JsonObject } from '../core/json.ts'
import { isRenewal, standsStill } from '../live/invoice.ts'
import { markCarried, oldIdOf } from '../live/marks.ts'
import { isPausedAt } from '../live/pause.ts'
import { idOf } from '../core/reference.ts'
import type { HandoverEvent } from './event-types.ts'
import type { HandoverState, KeptBack, StateIn, TakenLine } from './state.ts'
import { grossOf, itemsLeft, prorationsOf, takenBack, takenLines } from './taken-lines.ts'
import { invoiceMethod } from './invoice-method.ts'
import { readPayment } from '../live/source.ts'
import { readDue } from '../live/due.ts'
import { isRefundedWhole, observeInvoice } from '../live/observations.ts'
import type { Expectation, PlannedStep } from './types.ts'
import { waivedIn, wordOnWaived } from './waived.ts'
import { otherLines } from './while-held.ts'

type GapRead = Extract<HandoverEvent, { type: 'gap_read' }>

/**
 * What was read after the hold on the old subscription was released. Undefined where it could not
 * be read to its end.
 */
export interface GapInput {
  readonly expect: Expectation
  readonly old: Stripe.Subscription | undefined
  /** Every invoice of the old subscription since the hold began, with all lines. */
  readonly oldInvoices: readonly Stripe.Invoice[] | undefined
  /**
   * Every invoice in the target of every subscription with the subscriber's mark, including undone
   * ones: a payment to a cancelled successor counts as paid.
   */
  readonly newInvoices: readonly Stripe.Invoice[] | undefined
  /**
   * Invoices of the old customer that bill a gap, found by their marks. A crash may have left one
   * unfinished.
   */
  readonly begun: readonly Stripe.Invoice[] | undefined
  /** The periods that this hand-over has billed: a list that lags may not show their invoices. */
  readonly accounted: HandoverState['accounted']
}

/**
 * Finds the oldest period that the hold kept back and that neither account charged. It is called
 * again after each billed period, until none is left.
 *
 * | old invoice since the hold   | target's invoice for it  | gap                             |
 * |------------------------------|--------------------------|---------------------------------|
 * | kept back by its own pause   | any                      | none: not our hold              |
 * | nothing to pay               | any                      | none                            |
 * | kept back by the hold        | paid, refunded, disputed | none, or only the items on it   |
 * | void, of a renewal           | voided by a revert       | uncharged, with the items on it |
 * | draft of a renewal           | otherwise                | draft: it must only be advanced |
 * | void, of a renewal           | otherwise                | uncharged: one explicit invoice |
 * | of a change between renewals | otherwise                | left and listed for a person    |
 *
 * With the project's policy `leave`, every such period is left and listed. A period that was waived
 * in the target is billed only where the subscriber's file says `bill_waived_period`, whatever the
 * policy says. A fully refunded payment counts as no payment where it says `bill_refunded_period`.
 */
export function gapOf({ expect, old, oldInvoices, newInvoices, begun, accounted }: GapInput): GapRead {
  if (old === undefined || oldInvoices === undefined || newInvoices === undefined || begun === undefined)
    return { type: 'gap_read', gap: 'unreadable' }
  const waived = waivedIn(newInvoices, expect)
  const word = wordOnWaived(expect)
  const isWaived = (invoice: Stripe.Invoice): boolean => waived.some((one) => samePeriod(one, invoice))
  // Where the entry says so, a waived invoice is billed like one that the revert took back.
  const voided = [...takenBack(newInvoices, expect), ...(word === 'bill' ? waived : [])]
  const moreFor = (invoice: Stripe.Invoice): readonly TakenLine[] =>
    // A draft is only advanced: nothing can be added to it.
    invoice.status === 'draft' ? [] : takenLines(voided.filter((one) => samePeriod(one, invoice)))
  const missed = keptBack(expect, old, oldInvoices, moreFor).flatMap((invoice): Missed[] => {
    const itemsOnly = newInvoices.some((one) => samePeriod(one, invoice) && isPaidFor(one, expect))
    const more = moreFor(invoice)
    const rest = total(otherLines(invoice)) + grossOf(more)
    return itemsOnly && rest <= 0 ? [] : [{ invoice, period: periodOf(invoice, itemsOnly, more) }]
  })
  const isBilledHere = (one: Stripe.Invoice): boolean =>
    missed.some(({ invoice, period }) => period.more !== undefined && samePeriod(one, invoice))
  const unbilled = voided.flatMap((one) => [...prorationsOf(one), ...(isBilledHere(one) ? [] : itemsLeft(one))])
  const isLeft = ({ invoice, period }: Missed): boolean => {
    if (!isRenewal(invoice) || (period.itemsOnly && invoice.status === 'draft')) return true
    return isWaived(invoice) ? word !== 'bill' : expect.gap === 'leave'
  }
  const billed = new Set(accounted.flatMap(({ invoice, outcome }) => (outcome === 'billed' ? [invoice] : [])))
  const left = [...missed.filter(isLeft).map(({ period }) => period), ...unbilled]
  const open = missed.find(
    (one) => !isLeft(one) && !billed.has(one.invoice.id) && !isBilled(begun, expect, one.invoice),
  )
  if (open === undefined) return { type: 'gap_read', gap: 'none', left, marked: readDue(old) !== null }
  const { invoice: oldest, period } = open
  if (oldest.status === 'draft') return { type: 'gap_read', gap: 'draft', invoice: oldest.id, period }
  const own = begunFor(begun, expect, oldest)
  return {
    type: 'gap_read',
    gap: 'uncharged',
    invoice: own?.id ?? null,
    period,
    requests: gapLines(oldest, period).length + (period.more ?? []).length + 2,
    done: own === undefined ? 0 : 1 + own.lines.data.length,
  }
}

/**
 * Invoices of the old subscription that the hold kept back and that the customer would have paid,
 * oldest first.
 */
function keptBack(
  { held_since: since, before_pause: pause }: Expectation,
  { items }: Stripe.Subscription,
  invoices: readonly Stripe.Invoice[],
  moreFor: (invoice: Stripe.Invoice) => readonly TakenLine[],
): readonly Stripe.Invoice[] {
  const isOwed = (one: Stripe.Invoice): boolean => one.total + grossOf(moreFor(one)) > 0
  // If a mark does not say when the hold began, only the current period is certain.
  const isSince = (invoice: Stripe.Invoice): boolean =>
    since > 0
      ? invoice.created >= since
      : items.data.some((item) => item.current_period_start === invoice.period_end || coversPeriod(invoice, item))
  return invoices
    .filter((one) => one.status === 'void' || (one.status === 'draft' && standsStill(one)))
    .filter(
      (one) => keptReasons.has(one.billing_reason) && isOwed(one) && isSince(one) && !isPausedAt(pause, one.created),
    )
    .toSorted((a, b) => a.created - b.created)
}

const keptReasons: ReadonlySet<Stripe.Invoice['billing_reason']> = new Set([
  'subscription_cycle',
  'subscription_update',
])

type Missed = { readonly invoice: Stripe.Invoice; readonly period: KeptBack }

function periodOf(invoice: Stripe.Invoice, itemsOnly: boolean, more: readonly TakenLine[]): KeptBack {
  const amount = (itemsOnly ? total(otherLines(invoice)) : invoice.total) + grossOf(more)
  const period = { invoice: invoice.id, at: invoice.created, amount, currency: invoice.currency, itemsOnly }
  return more.length === 0 ? period : { ...period, more }
}

function total(lines: readonly Stripe.InvoiceLineItem[]): number {
  return lines.reduce((sum, { amount }) => sum + amount, 0)
}

function begunFor(
  begun: readonly Stripe.Invoice[],
  expect: Expectation,
  missed: Stripe.Invoice,
): Stripe.Invoice | undefined {
  return begun.find(
    (one) => one.status !== 'void' && oldIdOf(one.metadata?.[markCarried]) === oldIdOf(gapMark(expect, missed.id)),
  )
}

/** A finalized invoice is collected by Stripe, or a person has decided about it. */
function isBilled(begun: readonly Stripe.Invoice[], expect: Expectation, missed: Stripe.Invoice): boolean {
  const own = begunFor(begun, expect, missed)
  return own !== undefined && own.status !== 'draft'
}

const paidFor = new Set(['paid', 'refunded', 'disputed'])

function isPaidFor(invoice: Stripe.Invoice, { override }: Expectation): boolean {
  const isBilledAgain = override.includes('bill_refunded_period') && isRefundedWhole(invoice)
  return paidFor.has(observeInvoice(invoice)) && !isBilledAgain
}

/**
 * Whether both invoices bill the same period of the subscription. Their other lines (items,
 * prorations) do not matter.
 */
function samePeriod(a: Stripe.Invoice, b: Stripe.Invoice): boolean {
  const there = new Set(renewedPeriods(b))
  return renewedPeriods(a).some((period) => there.has(period))
}

function renewedPeriods({ lines }: Stripe.Invoice): readonly string[] {
  const told = ({ period }: Stripe.InvoiceLineItem): string => `${period.start}-${period.end}`
  const own = lines.data.filter(({ parent }) => parent?.subscription_item_details?.proration === false)
  return (own.length === 0 ? lines.data : own).map(told)
}

function coversPeriod({ lines }: Stripe.Invoice, item: Stripe.SubscriptionItem): boolean {
  return lines.data.some(
    ({ period }) => period.start === item.current_period_start && period.end === item.current_period_end,
  )
}

function gapLines(invoice: Stripe.Invoice, { itemsOnly }: KeptBack): readonly Stripe.InvoiceLineItem[] {
  return (itemsOnly ? otherLines(invoice) : invoice.lines.data).filter(({ amount }) => amount !== 0)
}

/** The mark that identifies the invoice of a gap: the subscriber and the voided invoice. */
export function gapMark({ key }: Pick<Expectation, 'key'>, voided: string): string {
  return `${key} ${voided}`
}

/**
 * The requests that bill an uncharged period, from the lines of the invoice that the hold voided: a
 * separate invoice, its lines with the discounts already deducted, and its finalization.
 * Finalization collects it as the subscription's own invoices: from its payment method, if it names
 * one.
 */
export function gapRequest(
  expect: Expectation,
  state: StateIn<'billing_gap'>,
  { voided, old }: { readonly voided: Stripe.Invoice; readonly old: Stripe.Subscription },
): PlannedStep {
  const lines = gapLines(voided, state.period)
  const mark = { [markCarried]: gapMark(expect, voided.id) }
  const step = (id: string, path: string, params: PlannedStep['params']): PlannedStep => ({
    id,
    account: expect.source,
    method: 'POST',
    path,
    params,
  })
  const { invoice } = state
  if (invoice === null)
    return step(`gap-invoice-${voided.id}`, '/v1/invoices', {
      customer: expect.customer_old,
      currency: voided.currency,
      auto_advance: false,
      collection_method: voided.collection_method,
      ...(voided.collection_method === 'send_invoice'
        ? { days_until_due: old.days_until_due ?? 30 }
        : invoiceMethod(readPayment(old, undefined)?.id)),
      pending_invoice_items_behavior: 'exclude',
      automatic_tax: { enabled: voided.automatic_tax.enabled },
      metadata: mark,
    })
  const at = state.done - 1
  const line = lines[at]
  const more = (state.period.more ?? [])[at - lines.length]
  if (line === undefined && more !== undefined) {
    const { period, ...amount } = takenParams(expect, voided, more)
    return step(`gap-line-${voided.id}-${at}`, '/v1/invoiceitems', {
      customer: expect.customer_old,
      invoice,
      ...amount,
      discountable: false,
      period,
      metadata: { [markCarried]: `${gapMark(expect, voided.id)} ${at}` },
    })
  }
  if (line === undefined)
    return step(`gap-finalize-${voided.id}`, `/v1/invoices/${invoice}/finalize`, { auto_advance: true })
  const off = (line.discount_amounts ?? []).reduce((total, { amount }) => total + amount, 0)
  const rates = (line.taxes ?? []).flatMap(({ tax_rate_details: rate }) => rate?.tax_rate ?? [])
  return step(`gap-line-${voided.id}-${state.done - 1}`, '/v1/invoiceitems', {
    customer: expect.customer_old,
    invoice,
    ...(voided.automatic_tax.enabled
      ? taxedAmount(line, line.amount - off)
      : { amount: line.amount - off, currency: line.currency }),
    discountable: false,
    period: { start: line.period.start, end: line.period.end },
    ...(rates.length === 0 || voided.automatic_tax.enabled ? {} : { tax_rates: rates.map((rate) => idOf(rate)) }),
    // Lines can be identical in all other fields: after a crash, each is found by its own mark.
    metadata: { [markCarried]: `${gapMark(expect, voided.id)} ${state.done - 1}` },
  })
}

/**
 * An item of the target's invoice. Without a counterpart of its tax rate, its tax is part of the
 * amount: the customer owes the same.
 */
function takenParams(
  { tax_rates_back: known = {} }: Expectation,
  { automatic_tax: automatic, currency }: Stripe.Invoice,
  { amount, added, start, end, rates }: TakenLine,
): { readonly period: JsonObject } & JsonObject {
  const period = { start, end }
  if (automatic.enabled) return { amount, currency, tax_behavior: added === 0 ? 'inclusive' : 'exclusive', period }
  const tax_rates = rates.flatMap((rate) => known[rate] ?? [])
  if (tax_rates.length < rates.length) return { amount: amount + added, currency, period }
  return { amount, currency, ...(tax_rates.length === 0 ? {} : { tax_rates }), period }
}

/**
 * An amount whose tax Stripe computes again: by the product, whose code decides the rate, and on
 * top or included as on the original line. Without that, such an invoice accepts no item
 * (https://docs.stripe.com/api/invoiceitems/create).
 */
function taxedAmount({ currency, pricing, taxes }: Stripe.InvoiceLineItem, amount: number): JsonObject {
  const tax_behavior = (taxes ?? [])[0]?.tax_behavior ?? 'exclusive'
  const product = pricing?.price_details?.product
  return product === undefined
    ? { amount, currency, tax_behavior }
    : { price_data: { currency, product, unit_amount: amount, tax_behavior } }
}
