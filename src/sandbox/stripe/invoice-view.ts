// An invoice as Stripe shows it (https://docs.stripe.com/api/invoices/object), API version
// 2026-10-28.endive.
import type Stripe from 'stripe'
import type { Context } from '../kernel/context.ts'
import type { Wire } from '../kernel/wire.ts'
import { invoiceCustomer } from './billing/lookups.ts'
import { paymentIntents, type InvoiceRow } from './billing/rows.ts'
import type { Line, LineTax } from './billing/totals.ts'
import type { TakenOff } from './billing/discounting.ts'
import { clockOfCustomer } from './customer-row.ts'
import { ratesShown } from './subscription-view.ts'

export function renderInvoice(context: Context, row: InvoiceRow): Wire<Stripe.Invoice> {
  const { settings } = context.account
  return {
    id: row.id,
    object: 'invoice',
    account_country: settings.country,
    account_name: settings.name,
    account_tax_ids: null,
    ...amounts(row),
    application: null,
    attempt_count: row.attempt_count,
    attempted: row.attempted,
    auto_advance: row.auto_advance,
    automatic_tax: automaticTax(row),
    automatically_finalizes_at: row.finalizes_at,
    billing_reason: row.billing_reason,
    collection_method: row.collection_method,
    confirmation_secret: secretOf(row),
    created: row.created,
    currency: row.currency,
    custom_fields: row.custom_fields,
    customer: row.customer,
    customer_account: null,
    ...invoiceCustomer(context, row.customer),
    default_payment_method: row.default_payment_method,
    default_source: row.default_source,
    default_tax_rates: ratesShown(context, row.default_tax_rates),
    description: row.description,
    discounts: row.discounts,
    due_date: row.due_date,
    effective_at: row.finalized_at,
    footer: row.footer,
    from_invoice: null,
    hosted_invoice_url: row.finalized_at === null ? null : `https://invoice.stripe.com/i/${row.id}`,
    invoice_pdf: row.finalized_at === null ? null : `https://pay.stripe.com/invoice/${row.id}/pdf`,
    issuer: { type: 'self' },
    last_finalization_error:
      row.finalization_error === undefined || row.status !== 'draft'
        ? null
        : { type: 'invalid_request_error', ...row.finalization_error },
    latest_revision: null,
    lines: linesShown(context, row) as unknown as Wire<Stripe.ApiList<Stripe.InvoiceLineItem>>,
    livemode: context.livemode,
    metadata: row.metadata,
    next_payment_attempt: row.status === 'draft' ? nextOfDraft(row) : row.next_payment_attempt,
    number: row.number,
    on_behalf_of: null,
    parent: parentOf(row),
    payment_settings: {
      default_mandate: null,
      payment_method_options: row.payment_settings
        .payment_method_options as Wire<Stripe.Invoice.PaymentSettings.PaymentMethodOptions> | null,
      payment_method_types: row.payment_settings.payment_method_types,
    },
    payments: paymentsShown(context, row) as unknown as Wire<Stripe.ApiList<Stripe.InvoicePayment>>,
    period_end: row.period_end,
    period_start: row.period_start,
    receipt_number: null,
    rendering: null,
    shipping_cost: null,
    shipping_details: null,
    statement_descriptor: row.statement_descriptor,
    status: row.status,
    status_transitions: {
      finalized_at: row.finalized_at,
      marked_uncollectible_at: row.marked_uncollectible_at,
      paid_at: row.paid_at,
      voided_at: row.voided_at,
    },
    test_clock: clockOfCustomer(context, row.customer),
    webhooks_delivered_at: row.webhooks_delivered_at,
  }
}

function automaticTax(row: InvoiceRow): Wire<Stripe.Invoice.AutomaticTax> {
  const { enabled, status } = row.automatic_tax
  return {
    disabled_reason: null,
    enabled,
    liability: enabled ? { type: 'self' } : null,
    provider: enabled ? 'stripe' : null,
    status,
  }
}

function secretOf(row: InvoiceRow): Wire<Stripe.Invoice.ConfirmationSecret> | null {
  if (row.payment_intent === null) return null
  return { client_secret: `${row.payment_intent}_secret_sandbox`, type: 'payment_intent' }
}

type Amounts = Pick<
  Wire<Stripe.Invoice>,
  | 'amount_due'
  | 'amount_overpaid'
  | 'amount_paid'
  | 'amount_remaining'
  | 'amount_shipping'
  | 'ending_balance'
  | 'post_payment_credit_notes_amount'
  | 'pre_payment_credit_notes_amount'
  | 'starting_balance'
  | 'subtotal'
  | 'subtotal_excluding_tax'
  | 'total'
  | 'total_discount_amounts'
  | 'total_excluding_tax'
  | 'total_pretax_credit_amounts'
  | 'total_taxes'
>

function amounts(row: InvoiceRow): Amounts {
  return {
    amount_due: row.amount_due,
    amount_overpaid: 0,
    amount_paid: row.amount_paid,
    amount_remaining: row.amount_due - row.amount_paid,
    amount_shipping: 0,
    ending_balance: row.ending_balance,
    post_payment_credit_notes_amount: row.credited?.after ?? 0,
    pre_payment_credit_notes_amount: row.credited?.before ?? 0,
    starting_balance: row.starting_balance,
    subtotal: row.subtotal,
    subtotal_excluding_tax: row.subtotal_excluding_tax,
    total: row.total,
    total_discount_amounts: row.taken,
    total_excluding_tax: row.total_excluding_tax,
    total_pretax_credit_amounts: row.taken.map(credit),
    total_taxes: row.taxes.map(taxShown),
  }
}

const credit = ({ discount, amount }: TakenOff) => ({ amount, discount, type: 'discount' }) as const

/** A draft with automatic advancement is attempted when it finalizes. */
function nextOfDraft(row: InvoiceRow): number | null {
  return row.collection_method === 'charge_automatically' ? row.finalizes_at : null
}

function parentOf(row: InvoiceRow): Wire<Stripe.Invoice.Parent> | null {
  if (row.subscription === null) return null
  return {
    quote_details: null,
    subscription_details: { metadata: row.subscription_metadata, subscription: row.subscription },
    type: 'subscription_details',
  }
}

function taxShown(tax: LineTax): Wire<Stripe.Invoice.TotalTax> {
  return {
    amount: tax.amount,
    tax_behavior: tax.inclusive ? 'inclusive' : 'exclusive',
    tax_rate_details: { tax_rate: tax.rate },
    taxability_reason: tax.rate.startsWith('txr_1Automatic') ? tax.reason : 'not_available',
    taxable_amount: tax.taxable,
    type: 'tax_rate_details',
  }
}

/**
 * An embedded list shows the first ten lines (`has_more`); `/v1/invoices/:id/lines` has the rest.
 */
function linesShown(context: Context, row: InvoiceRow): object {
  return {
    object: 'list',
    data: row.lines.slice(0, 10).map((line, index) => renderLine(context, row, { line, index })),
    has_more: row.lines.length > 10,
    total_count: row.lines.length,
    url: `/v1/invoices/${row.id}/lines`,
  }
}

/** Ids of lines are derived from the id of the invoice. */
export function lineId(row: InvoiceRow, index: number): string {
  return `il_${row.id.replace(/^(upcoming_)?in_/, '')}L${index}`
}

export function renderLine(
  context: Context,
  row: InvoiceRow,
  at: { line: Line; index: number },
): Wire<Stripe.InvoiceLineItem> {
  const { line, index } = at
  return {
    id: lineId(row, index),
    object: 'line_item',
    amount: line.amount,
    currency: row.currency,
    description: line.description,
    discount_amounts: line.taken,
    discountable: line.discountable,
    discounts: line.discounts,
    invoice: row.id,
    livemode: context.livemode,
    metadata: line.metadata,
    parent: lineParent(line),
    period: line.period,
    pretax_credit_amounts: line.taken.map(credit),
    pricing:
      line.unitAmount === null && line.price === null
        ? null
        : {
            ...(line.price === null || line.product === null
              ? {}
              : { price_details: { price: line.price, product: line.product } }),
            type: 'price_details',
            unit_amount_decimal: line.unitAmount,
          },
    quantity: line.quantity,
    quantity_decimal: line.quantity === null ? null : String(line.quantity),
    subscription: line.subscription,
    subtotal: line.amount,
    taxes: line.taxes.map(taxShown),
  }
}

function lineParent(line: Line): Wire<Stripe.InvoiceLineItem.Parent> {
  const { subscription, subscriptionItem, invoiceItem, proration } = line
  const proration_details = proration ? { credited_items: null } : null
  if (invoiceItem === null && subscriptionItem !== null)
    return {
      invoice_item_details: null,
      subscription_item_details: {
        invoice_item: null,
        proration,
        proration_details,
        subscription,
        subscription_item: subscriptionItem,
      },
      type: 'subscription_item_details',
    }
  return {
    invoice_item_details: { invoice_item: invoiceItem ?? '', proration, proration_details, subscription },
    subscription_item_details: null,
    type: 'invoice_item_details',
  }
}

function paymentsShown(context: Context, row: InvoiceRow): object {
  const payment = invoicePayment(context, row)
  return {
    object: 'list',
    data: payment === null ? [] : [payment],
    has_more: false,
    total_count: payment === null ? 0 : 1,
    url: `/v1/invoice_payments?invoice=${row.id}`,
  }
}

/** The payment of an invoice; it exists from finalization on when there is an amount to pay. */
export function invoicePayment(context: Context, row: InvoiceRow): Wire<Stripe.InvoicePayment> | null {
  const intent = row.payment_intent === null ? undefined : context.table(paymentIntents).get(row.payment_intent)
  if (intent === undefined) return null
  const paid = intent.status === 'succeeded'
  return {
    id: `inpay_${row.id.slice(3)}`,
    object: 'invoice_payment',
    amount_paid: paid ? row.amount_paid : null,
    amount_requested: row.amount_due,
    created: row.finalized_at ?? row.created,
    currency: row.currency,
    invoice: row.id,
    is_default: true,
    livemode: context.livemode,
    payment: { payment_intent: intent.id, type: 'payment_intent' },
    status: paid ? 'paid' : intent.status === 'canceled' ? 'canceled' : 'open',
    status_transitions: { canceled_at: intent.canceled_at, paid_at: paid ? row.paid_at : null },
  }
}
