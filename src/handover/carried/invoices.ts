import type Stripe from 'stripe'
import { lineText } from '../live-values.ts'
import { address } from '../../core/address.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Candidate } from '../candidate.ts'
import { markCarried } from '../../live/marks.ts'
import { invoiceInPlan } from '../placeholders.ts'
import { blocked } from '../reasons.ts'
import { refTo, type Found } from '../references.ts'
import type { PlannedStep } from '../types.ts'

/**
 * An open invoice that moves along (`past_due: carry`): voided where it is, then written anew where
 * the subscription went, line by line with the discounts already taken off, and finalized, which
 * starts its collection. It is an invoice of the customer, not of the subscription: the new
 * subscription is active whether or not it is paid.
 */
interface Journey {
  readonly from: string
  readonly to: string
  readonly customer: string
  readonly mark: string
  /**
   * What the subscription charges where the invoice goes, when it is not the customer's usual
   * method.
   */
  readonly payment: string | undefined
  /** The other account's tax rate. */
  readonly rate: (id: string) => JsonObject | string | undefined
}

/** The open invoices of a past-due subscription that the source still collects. */
export function invoicesOut({
  old,
  source,
  desired,
  customerNew,
  copyMap,
  around,
}: Candidate): Found<readonly PlannedStep[]> {
  if (around.policies.past_due !== 'carry' || customerNew === undefined) return { ok: true, value: [] }
  const open = (source.invoices.get(old.id) ?? []).filter(isCollected)
  const rates = around.index.mappings(desired.source).tax_rates
  return stepsOf(open, {
    from: desired.source,
    to: 'target',
    customer: customerNew.id,
    mark: desired.key,
    payment: old.payment?.level === 'subscription' ? copyMap.payments.get(old.payment.id)?.id : undefined,
    rate: (id) => {
      const key = rates[id]
      return key !== undefined && around.index.resources.has(address('tax_rate', key))
        ? refTo('tax_rate', key)
        : undefined
    },
  })
}

/** What is still open in the target of the invoices that moved along. */
export function invoicesBack({
  old,
  desired,
  customerOld,
  customerNew,
  around,
}: Candidate): Found<readonly PlannedStep[]> {
  if (customerOld === undefined || customerNew === undefined) return { ok: true, value: [] }
  const open = (around.target.invoices.get('') ?? []).filter(
    (one) => one.status === 'open' && one.metadata?.[markCarried]?.startsWith(`${desired.key} `) === true,
  )
  const keys = new Map(Object.entries(around.index.mappings(desired.source).tax_rates).map(([id, key]) => [key, id]))
  return stepsOf(open, {
    from: 'target',
    to: desired.source,
    customer: customerOld.id,
    mark: desired.key,
    payment: old.payment?.level === 'subscription' ? old.payment.id : undefined,
    rate: (id) => keys.get(around.targetTaxRates.get(id) ?? ''),
  })
}

/**
 * The beginning that the steps of one invoice share, when this one takes it out of where it was.
 */
export function invoiceTakenOut(step: string): string | undefined {
  return /^(money-invoice-\d+-)out$/.exec(step)?.[1]
}

function isCollected(invoice: Stripe.Invoice): boolean {
  return (
    invoice.status === 'open' && invoice.collection_method === 'charge_automatically' && invoice.auto_advance !== false
  )
}

function stepsOf(invoices: readonly Stripe.Invoice[], journey: Journey): Found<readonly PlannedStep[]> {
  const steps: PlannedStep[] = []
  for (const [i, invoice] of invoices.entries()) {
    const reason = whyNot(invoice, journey)
    if (reason !== undefined) return { ok: false, reason }
    steps.push(...invoiceSteps(invoice, `money-invoice-${i}`, journey))
  }
  return { ok: true, value: steps }
}

/**
 * Nothing was taken off since it was written: by a balance that was applied, a credit note, or a
 * part that was paid.
 */
export function isOwedAsWritten({ amount_remaining: owed, total }: Stripe.Invoice): boolean {
  return owed === total
}

const whereItIs = 'Collect it where it is (policies: { past_due: leave }), or wait until it is paid.'

function whyNot(invoice: Stripe.Invoice, { rate }: Journey): ReturnType<typeof blocked> | undefined {
  if (invoice.amount_paid > 0)
    return blocked('open_invoice', `invoice ${invoice.id} is partly paid and cannot move along`)
  // A credit that was applied goes back to the customer here when the invoice is voided, and a
  // credit note does not move: there it would be the whole again.
  if (!isOwedAsWritten(invoice))
    return blocked(
      'open_invoice',
      `invoice ${invoice.id} is not owed as it was written (a balance was applied, or a credit note issued) and cannot move along`,
      whereItIs,
    )
  if (invoice.lines.has_more) return blocked('open_invoice', `invoice ${invoice.id} has more lines than were read`)
  // Made anew by another seller it would be another amount, and the tax of what was supplied is the
  // old seller's.
  if (invoice.automatic_tax.enabled)
    return blocked(
      'open_invoice',
      `the tax of invoice ${invoice.id} was computed by Stripe for the account that sold, and would be computed anew`,
      whereItIs,
    )
  const lost = ratesOf(invoice).find((id) => rate(id) === undefined)
  return lost === undefined
    ? undefined
    : blocked('tax_rate_unmapped', `tax rate ${lost} of invoice ${invoice.id} has no counterpart`)
}

function ratesOf(invoice: Stripe.Invoice): readonly string[] {
  return invoice.lines.data.flatMap(lineRates)
}

function lineRates({ taxes }: Stripe.InvoiceLineItem): readonly string[] {
  return (taxes ?? []).flatMap(({ tax_rate_details: details }) => details?.tax_rate ?? [])
}

function invoiceSteps(
  invoice: Stripe.Invoice,
  id: string,
  { from, to, customer, mark, payment, rate }: Journey,
): readonly PlannedStep[] {
  const method = payment?.startsWith('pm_') === true ? 'default_payment_method' : 'default_source'
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
      // Lines may be equal in everything else: after a crash each is looked for by its own mark.
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
      ...(payment === undefined ? {} : { [method]: payment }),
      pending_invoice_items_behavior: 'exclude',
      metadata,
    }),
    ...lines,
    post('finalize', to, `/v1/invoices/${invoiceInPlan}/finalize`, { auto_advance: true }),
  ]
}
