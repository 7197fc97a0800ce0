import type Stripe from 'stripe'
import { invoiceMethod } from '../invoice-method.ts'
import { lineText } from '../live-values.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Candidate } from '../candidate.ts'
import { isCollected, isOwedAsWritten } from '../../live/invoice.ts'
import { isCarriedFor, markCarried } from '../../live/marks.ts'
import { invoiceInPlan } from '../placeholders.ts'
import { blocked } from '../reasons.ts'
import type { Found } from '../references.ts'
import type { PlannedStep } from '../types.ts'

/**
 * An open invoice that is carried (`past_due: carry`): it is voided where it is, created again in
 * the other account line by line with the discounts already deducted, and finalized, which starts
 * its collection. It is an invoice of the customer, not of the subscription: the new subscription
 * is active whether or not it is paid.
 */
export interface Journey {
  readonly from: { readonly account: string }
  readonly to: { readonly account: string; readonly customer: string }
  readonly mark: string
  /**
   * The subscription's payment method in the receiving account, when it is not the customer's
   * default.
   */
  readonly payment: string | undefined
  /** The other account's tax rate. */
  readonly rate: (id: string) => JsonObject | string | undefined
}

/** The open invoices of a past-due subscription that the source still collects. */
export function invoicesOut({ old, source, customerNew, around }: Candidate): Found<readonly Stripe.Invoice[]> {
  if (around.policies.past_due !== 'carry' || customerNew === undefined) return { ok: true, value: [] }
  return carriable((source.invoices.get(old.id) ?? []).filter(isCollected))
}

/** The unpaid rest in the target of the invoices that were carried. */
export function invoicesBack({
  desired,
  customerOld,
  customerNew,
  around,
}: Candidate): Found<readonly Stripe.Invoice[]> {
  if (customerOld === undefined || customerNew === undefined) return { ok: true, value: [] }
  return carriable(
    (around.target.invoices.get('') ?? []).filter(
      (one) => one.status === 'open' && isCarriedFor(one.metadata, desired.key),
    ),
  )
}

function carriable(invoices: readonly Stripe.Invoice[]): Found<readonly Stripe.Invoice[]> {
  const reason = invoices.map(whyNot).find((one) => one !== undefined)
  return reason === undefined ? { ok: true, value: invoices } : { ok: false, reason }
}

/** The common prefix of one invoice's steps, if this step takes the invoice out of its account. */
export function invoiceTakenOut(step: string): string | undefined {
  return /^(money-invoice-\d+-)out$/.exec(step)?.[1]
}

const whereItIs = 'Collect it where it is (policies: { past_due: leave }), or wait until it is paid.'

function whyNot(invoice: Stripe.Invoice): ReturnType<typeof blocked> | undefined {
  if (invoice.amount_paid > 0)
    return blocked('open_invoice', `invoice ${invoice.id} is partly paid and cannot be carried`)
  // When the invoice is voided, an applied credit returns to the customer here, and a credit note
  // does not move. In the other account the invoice would be due in full again.
  if (!isOwedAsWritten(invoice))
    return blocked(
      'open_invoice',
      `the amount due of invoice ${invoice.id} was reduced (a balance was applied, or a credit note issued), so it cannot be carried`,
      whereItIs,
    )
  if (invoice.lines.has_more) return blocked('open_invoice', `invoice ${invoice.id} has more lines than were read`)
  // It is written again line by line: a line that was not read would be a debt that is lost.
  const written = sumOfLines(invoice)
  if (Math.abs(written - invoice.total) > invoice.lines.data.length)
    return blocked(
      'open_invoice',
      `the lines of invoice ${invoice.id} that were read add up to ${written}, not to its total of ${invoice.total} (minor units), so it cannot be carried`,
      whereItIs,
    )
  // Another seller's invoice could have a different amount, and the tax on what was supplied
  // belongs to the old seller.
  if (invoice.automatic_tax.enabled)
    return blocked(
      'open_invoice',
      `the tax of invoice ${invoice.id} was computed by Stripe for the account that sold, so it would have to be computed again`,
      whereItIs,
    )
  return undefined
}

/** With the taxes on top. Stripe may round the tax of each line. */
function sumOfLines({ lines }: Stripe.Invoice): number {
  return lines.data.reduce((total, { amount, discount_amounts: discounts, taxes }) => {
    const off = (discounts ?? []).reduce((sum, one) => sum + one.amount, 0)
    const onTop = (taxes ?? []).filter(({ tax_behavior: behavior }) => behavior === 'exclusive')
    return total + amount - off + onTop.reduce((sum, one) => sum + one.amount, 0)
  }, 0)
}

function ratesOf(invoice: Stripe.Invoice): readonly string[] {
  return invoice.lines.data.flatMap(lineRates)
}

function lineRates({ taxes }: Stripe.InvoiceLineItem): readonly string[] {
  return (taxes ?? []).flatMap(({ tax_rate_details: details }) => details?.tax_rate ?? [])
}

/** The requests that carry an invoice, whether or not it is voided already. */
export function invoiceStepsOf(invoice: Stripe.Invoice, id: string, way: Journey): Found<readonly PlannedStep[]> {
  const lost = ratesOf(invoice).find((rate) => way.rate(rate) === undefined)
  if (lost === undefined) return { ok: true, value: invoiceSteps(invoice, id, way) }
  const message = `tax rate ${lost} of invoice ${invoice.id} has no counterpart`
  return { ok: false, reason: blocked('tax_rate_unmapped', message) }
}

function invoiceSteps(
  invoice: Stripe.Invoice,
  id: string,
  { from: { account: from }, to: { account: to, customer }, mark, payment, rate }: Journey,
): readonly PlannedStep[] {
  const metadata = { [markCarried]: `${mark} ${invoice.id}` }
  const post = (name: string, account: string, path: string, params: JsonObject): PlannedStep => ({
    id: `${id}-${name}`,
    account,
    method: 'POST',
    path,
    params,
  })
  const lines = invoice.lines.data.map((line, i) => {
    const off = (line.discount_amounts ?? []).reduce((total, { amount }) => total + amount, 0)
    const rates = lineRates(line)
      .map(rate)
      .filter((one) => one !== undefined)
    return post(`line-${i}`, to, '/v1/invoiceitems', {
      customer,
      invoice: invoiceInPlan,
      amount: line.amount - off,
      currency: line.currency,
      discountable: false,
      period: { start: line.period.start, end: line.period.end },
      ...(line.description === null ? {} : { description: lineText(from, invoice.id ?? '', line.id) }),
      ...(rates.length === 0 ? {} : { tax_rates: rates }),
      // Lines can be identical in all other fields: after a crash, each is found by its own mark.
      metadata: { [markCarried]: `${mark} ${invoice.id} ${i}` },
    })
  })
  return [
    post('out', from, `/v1/invoices/${invoice.id}/void`, {}),
    post('in', to, '/v1/invoices', {
      customer,
      currency: invoice.currency,
      auto_advance: false,
      collection_method: 'charge_automatically',
      ...invoiceMethod(payment),
      pending_invoice_items_behavior: 'exclude',
      metadata,
    }),
    ...lines,
    post('finalize', to, `/v1/invoices/${invoiceInPlan}/finalize`, { auto_advance: true }),
  ]
}
