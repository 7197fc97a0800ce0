import type Stripe from 'stripe'
import type { JsonObject } from '../core/json.ts'
import { present } from '../core/assert.ts'
import { markCarried } from '../live/marks.ts'
import { idOf } from '../live/source.ts'
import type { HandoverEvent, HandoverState } from './state.ts'
import { isRefundedWhole, sightInvoice } from '../live/sights.ts'
import type { Expectation, PlannedStep } from './types.ts'

type GapRead = Extract<HandoverEvent, { type: 'gap_read' }>

/** What was read after the old subscription was given back. */
export interface GapInput {
  readonly expect: Expectation
  /** The old one, `latest_invoice` expanded with its lines. */
  readonly old: Stripe.Subscription | undefined
  /**
   * Every invoice in the target of every subscription with the subscriber's mark, also of those that were undone: what a cancelled successor was paid
   * for is paid. Undefined when they could not be read to their end.
   */
  readonly newInvoices: readonly Stripe.Invoice[] | undefined
  /** An invoice of the old customer that bills this gap, by its mark; a crash may have left it unfinished. */
  readonly begun: Stripe.Invoice | null
}

/**
 * Whether a period was charged by neither side.
 *
 * | newest invoice of the old one          | target's invoice for it      | gap                                                  |
 * |----------------------------------------|------------------------------|------------------------------------------------------|
 * | none, or from before our hold          | any                          | none                                                 |
 * | kept back by the source's own pause    | any                          | none: it would have been without us, too             |
 * | draft kept back by the hold            | paid                         | none (the draft stays kept back)                     |
 * | draft kept back by the hold            | otherwise                    | draft: it only has to be advanced                    |
 * | void, of the current period            | paid, refunded, disputed     | none                                                 |
 * | void, of the current period            | otherwise                    | uncharged: one explicit invoice, if the project says so |
 *
 * A payment that was given back whole counts as none where the subscriber's file says `bill_refunded_period`.
 */
export function gapOf({ expect, old, newInvoices, begun }: GapInput): GapRead {
  if (old === undefined || newInvoices === undefined) return gap('unreadable')
  const latest = old.latest_invoice
  if (latest === null || typeof latest === 'string' || latest.created < expect.held_since) return gap('none')
  const { before_pause: pause } = expect
  if (pause !== null && (pause.resumes_at === null || pause.resumes_at > latest.created)) return gap('none')
  const charged = newInvoices.some((one) => samePeriod(one, latest) && isPaidFor(one, expect))
  if (charged || expect.gap === 'leave') return gap('none')
  if (latest.status === 'draft' && latest.auto_advance === false) return { ...gap('draft'), invoice: latest.id }
  const current = old.items.data.some(
    (item) => item.current_period_start === latest.period_end || coversPeriod(latest, item),
  )
  if (latest.status !== 'void' || latest.billing_reason !== 'subscription_cycle' || !current) return gap('none')
  if (begun?.status === 'open' || begun?.status === 'paid') return gap('none')
  return {
    ...gap('uncharged'),
    invoice: begun?.id ?? null,
    requests: gapLines(latest).length + 2,
    done: begun === null ? 0 : 1 + begun.lines.data.length,
  }
}

const paidFor = new Set(['paid', 'refunded', 'disputed'])

function isPaidFor(invoice: Stripe.Invoice, { override }: Expectation): boolean {
  const isBilledAgain = override.includes('bill_refunded_period') && isRefundedWhole(invoice)
  return paidFor.has(sightInvoice(invoice)) && !isBilledAgain
}

function gap(kind: GapRead['gap']): GapRead {
  return { type: 'gap_read', gap: kind, invoice: null, requests: 0, done: 0 }
}

function samePeriod(a: Stripe.Invoice, b: Stripe.Invoice): boolean {
  const starts = (invoice: Stripe.Invoice): string =>
    invoice.lines.data
      .map(({ period }) => `${period.start}-${period.end}`)
      .toSorted()
      .join()
  return starts(a) === starts(b)
}

function coversPeriod({ lines }: Stripe.Invoice, item: Stripe.SubscriptionItem): boolean {
  return lines.data.some(
    ({ period }) => period.start === item.current_period_start && period.end === item.current_period_end,
  )
}

function gapLines({ lines }: Stripe.Invoice): readonly Stripe.InvoiceLineItem[] {
  return lines.data.filter(({ amount }) => amount !== 0)
}

/** Mark by which the invoice of a gap is found again: the subscriber and the period's end of the voided invoice. */
export function gapMark(expect: Expectation, latest: Stripe.Invoice): string {
  return `${expect.key} ${latest.id}`
}

/**
 * The requests that bill a period nobody charged, from the lines of the invoice that the hold voided: an invoice of its own, its lines with the
 * discounts already taken off, and its finalization, which collects it as the customer is used to.
 */
export function gapRequest(expect: Expectation, state: HandoverState, old: Stripe.Subscription): PlannedStep {
  const latest = old.latest_invoice
  const voided = present(typeof latest === 'string' ? null : latest, 'voided invoice')
  const lines = gapLines(voided)
  const mark = { [markCarried]: gapMark(expect, voided) }
  const step = (id: string, path: string, params: PlannedStep['params']): PlannedStep => ({
    id,
    account: expect.source,
    method: 'POST',
    path,
    params,
  })
  if (state.done === 0)
    return step('gap-invoice', '/v1/invoices', {
      customer: expect.customer_old,
      currency: voided.currency,
      auto_advance: false,
      collection_method: voided.collection_method,
      ...(voided.collection_method === 'send_invoice' ? { days_until_due: old.days_until_due ?? 30 } : {}),
      pending_invoice_items_behavior: 'exclude',
      automatic_tax: { enabled: voided.automatic_tax.enabled },
      metadata: mark,
    })
  const invoice = present(state.invoice, 'invoice of the gap')
  const line = lines[state.done - 1]
  if (line === undefined) return step('gap-finalize', `/v1/invoices/${invoice}/finalize`, { auto_advance: true })
  const off = (line.discount_amounts ?? []).reduce((total, { amount }) => total + amount, 0)
  const rates = (line.taxes ?? []).flatMap(({ tax_rate_details: rate }) => rate?.tax_rate ?? [])
  return step(`gap-line-${state.done - 1}`, '/v1/invoiceitems', {
    customer: expect.customer_old,
    invoice,
    ...(voided.automatic_tax.enabled
      ? taxedAmount(line, line.amount - off)
      : { amount: line.amount - off, currency: line.currency }),
    discountable: false,
    period: { start: line.period.start, end: line.period.end },
    ...(rates.length === 0 || voided.automatic_tax.enabled ? {} : { tax_rates: rates.map(idOf) }),
    // Lines may be equal in everything else: after a crash each is looked for by its own mark.
    metadata: { [markCarried]: `${gapMark(expect, voided)} ${state.done - 1}` },
  })
}

/**
 * An amount whose tax Stripe computes anew: by the product, whose code decides the rate, and on top or included as the line had it, without which such an
 * invoice takes no item (https://docs.stripe.com/api/invoiceitems/create).
 */
function taxedAmount({ currency, pricing, taxes }: Stripe.InvoiceLineItem, amount: number): JsonObject {
  const tax_behavior = (taxes ?? [])[0]?.tax_behavior ?? 'exclusive'
  const product = pricing?.price_details?.product
  return product === undefined
    ? { amount, currency, tax_behavior }
    : { price_data: { currency, product, unit_amount: amount, tax_behavior } }
}
