// Invoices that are not finished, and the newest one of each subscription.
import { present } from '../../core/assert.ts'
import type { Context } from '../kernel/context.ts'
import { keepInvoice } from '../stripe/billing/collecting.ts'
import { type InvoiceRow, paymentIntents } from '../stripe/billing/rows.ts'
import type { Line, LineTax } from '../stripe/billing/totals.ts'
import type { Live } from './reading.ts'

/**
 * An invoice that is open, a draft, or the newest of its subscription, with its amounts and dates,
 * so that it is collected, read and carried as in the account.
 */
export function keepLiveInvoice(context: Context, live: Live): void {
  const customer = present(live.ref('customer'), `customer of ${live.id}`)
  const parent = live.inside('parent')?.inside('subscription_details') ?? null
  const transitions = live.inside('status_transitions')
  const status = live.word('status', ['draft', 'open', 'paid', 'uncollectible', 'void'])
  const amount = live.numberOrNull('amount_due') ?? 0
  const collection = live.word('collection_method', ['charge_automatically', 'send_invoice'])
  const intent = status === 'open' && amount > 0 ? intentFor(context, live, { customer, amount }) : null
  const tax = live.inside('automatic_tax')
  const row: InvoiceRow = {
    id: live.id,
    created: live.number('created'),
    customer,
    subscription: parent?.ref('subscription') ?? live.ref('subscription'),
    subscription_metadata: {},
    status,
    currency: live.text('currency'),
    billing_reason: live.word('billing_reason', [
      'manual',
      'subscription_create',
      'subscription_cycle',
      'subscription_update',
      'automatic_pending_invoice_item_invoice',
      'upcoming',
    ]),
    collection_method: collection,
    auto_advance: live.flag('auto_advance'),
    finalizes_at: status === 'draft' ? live.numberOrNull('automatically_finalizes_at') : null,
    next_payment_attempt: live.numberOrNull('next_payment_attempt'),
    attempt_count: live.numberOrNull('attempt_count') ?? 0,
    attempted: live.flag('attempted'),
    first_attempt: transitions?.numberOrNull('finalized_at') ?? null,
    due_date: live.numberOrNull('due_date'),
    days_until_due: collection === 'send_invoice' ? 30 : null,
    period_start: live.number('period_start'),
    period_end: live.number('period_end'),
    lines: live.objects('lines').map((line) => lineFrom(line)),
    discounts: [],
    default_payment_method: live.ref('default_payment_method'),
    default_source: live.ref('default_source'),
    default_tax_rates: [],
    automatic_tax: { enabled: tax?.flag('enabled') ?? false, status: null },
    payment_settings: {
      payment_method_options: null,
      payment_method_types: null,
      save_default_payment_method: 'off',
    },
    description: live.textOrNull('description'),
    footer: live.textOrNull('footer'),
    custom_fields: null,
    statement_descriptor: live.textOrNull('statement_descriptor'),
    metadata: live.metadata(),
    number: live.textOrNull('number'),
    subtotal: live.numberOrNull('subtotal') ?? amount,
    subtotal_excluding_tax: live.numberOrNull('subtotal_excluding_tax') ?? amount,
    total: live.numberOrNull('total') ?? amount,
    total_excluding_tax: live.numberOrNull('total_excluding_tax') ?? amount,
    taken: [],
    taxes: live.objects('total_taxes').map(taxFrom),
    starting_balance: live.numberOrNull('starting_balance') ?? 0,
    ending_balance: live.numberOrNull('ending_balance'),
    amount_due: amount,
    amount_paid: live.numberOrNull('amount_paid') ?? 0,
    payment_intent: intent,
    finalized_at: transitions?.numberOrNull('finalized_at') ?? null,
    paid_at: transitions?.numberOrNull('paid_at') ?? null,
    voided_at: transitions?.numberOrNull('voided_at') ?? null,
    marked_uncollectible_at: transitions?.numberOrNull('marked_uncollectible_at') ?? null,
    webhooks_delivered_at: live.numberOrNull('webhooks_delivered_at'),
    created_event: null,
  }
  keepInvoice(context, row)
}

function intentFor(context: Context, live: Live, about: { customer: string; amount: number }): string {
  return context.table(paymentIntents).put({
    id: context.newId('pi'),
    created: live.number('created'),
    customer: about.customer,
    invoice: live.id,
    amount: about.amount,
    currency: live.text('currency'),
    status: 'requires_payment_method',
    payment_method: null,
    latest_charge: null,
    last_payment_error: null,
    failing: null,
    description: 'Subscription update',
    metadata: {},
    canceled_at: null,
  }).id
}

function lineFrom(live: Live): Line {
  const parent = live.inside('parent')
  const item = parent?.inside('subscription_item_details') ?? null
  const added = parent?.inside('invoice_item_details') ?? null
  const pricing = live.inside('pricing')
  const price = pricing?.inside('price_details') ?? null
  const period = live.inside('period')
  return {
    amount: live.number('amount'),
    description: live.textOrNull('description'),
    quantity: live.numberOrNull('quantity'),
    price: price?.ref('price') ?? null,
    product: price?.ref('product') ?? null,
    unitAmount: pricing?.textOrNull('unit_amount_decimal') ?? null,
    period: { start: period?.number('start') ?? 0, end: period?.number('end') ?? 0 },
    discountable: live.flag('discountable'),
    proration: (item ?? added)?.flag('proration') ?? false,
    subscription: (item ?? added)?.ref('subscription') ?? null,
    subscriptionItem: item?.ref('subscription_item') ?? null,
    invoiceItem: added?.ref('invoice_item') ?? null,
    metadata: live.metadata(),
    discounts: live.refs('discounts'),
    taken: live
      .objects('discount_amounts')
      .map((one) => ({ discount: one.ref('discount') ?? '', amount: one.number('amount') })),
    taxes: live.objects('taxes').map(taxFrom),
  }
}

function taxFrom(live: Live): LineTax {
  const reason = live.textOrNull('taxability_reason')
  return {
    rate: live.inside('tax_rate_details')?.ref('tax_rate') ?? '',
    inclusive: live.textOrNull('tax_behavior') === 'inclusive',
    amount: live.number('amount'),
    taxable: live.numberOrNull('taxable_amount') ?? 0,
    reason: reasons.find((one) => one === reason) ?? 'standard_rated',
  }
}

const reasons = ['standard_rated', 'reverse_charge', 'customer_exempt', 'not_collecting'] as const
