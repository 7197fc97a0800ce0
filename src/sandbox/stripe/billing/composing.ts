// Builds an invoice from lines: totals, discounts, taxes. It is neither written nor collected here.
import type { Context } from '../../kernel/context.ts'
import type { Period } from './calendar.ts'
import { isFree, reductionsOf, running } from './discounts.ts'
import type { Reduction } from './discounting.ts'
import { pendingLine } from './lines.ts'
import { customerFacts } from './lookups.ts'
import {
  invoiceItems,
  subscriptions,
  type BillingReason,
  type InvoiceItemRow,
  type InvoiceRow,
  type PaymentSettingsRow,
  type SubscriptionRow,
} from './rows.ts'
import { addUp, type LineDraft } from './totals.ts'

/**
 * The discounts of an invoice of this subscription at an instant: those of the subscription or,
 * when it has none, those of its customer.
 */
export function sharedDiscounts(context: Context, subscription: SubscriptionRow, at: number): string[] {
  const free = ({ id }: { readonly id: string }): boolean => isFree(context, subscription.customer, id)
  const own = running(context, subscription.discounts, at)
  if (own.length > 0) return own.filter(free).map((row) => row.id)
  const { discount } = customerFacts(context, subscription.customer)
  return discount === null
    ? []
    : running(context, [discount], at)
        .filter(free)
        .map((row) => row.id)
}

/**
 * The customer's invoice items that an invoice of this subscription includes: items that name it,
 * and items without a subscription. "When set, scheduled invoices for subscriptions other than the
 * specified subscription will ignore the invoice item" (SDK, InvoiceItem.subscription), in both
 * billing modes.
 */
export function pendingFor(context: Context, subscription: SubscriptionRow): InvoiceItemRow[] {
  return context
    .table(invoiceItems)
    .by('pending', subscription.customer)
    .filter(
      (item) =>
        item.currency === subscription.currency &&
        (item.subscription === null || item.subscription === subscription.id || isLeftOver(context, item)),
    )
}

/**
 * In some worlds, an item that names a cancelled subscription is billed with another subscription.
 */
function isLeftOver(context: Context, item: InvoiceItemRow): boolean {
  if (context.world.unsure.items_after_cancel !== 'next_subscription' || item.subscription === null) return false
  return context.table(subscriptions).get(item.subscription)?.status === 'canceled'
}

export interface Composition {
  readonly id: string
  readonly reason: BillingReason
  readonly lines: readonly LineDraft[]
  readonly pending: readonly InvoiceItemRow[]
  readonly period: Period
  readonly at: number
  /**
   * The backdated start: discounts that ran then apply to the lines of that time
   * (docs.stripe.com/billing/subscriptions/backdating).
   */
  readonly since?: number
  /** Set by previews; otherwise the discounts of the subscription or of its customer. */
  readonly shared?: readonly Reduction[]
}

/** A draft invoice of a subscription. */
export function composeInvoice(context: Context, subscription: SubscriptionRow, made: Composition): InvoiceRow {
  const { at, pending, period } = made
  const since = Math.min(at, made.since ?? at)
  const shared = made.shared ?? reductionsOf(context, sharedDiscounts(context, subscription, since), since)
  const carried = pending.map((item) =>
    pendingLine(context, item, { subscription, customer: subscription.customer, at }),
  )
  const { customer, collection_method } = subscription
  return withTotals(context, {
    ...blank(context, customer, subscription.currency),
    id: made.id,
    created: at,
    subscription: subscription.id,
    subscription_metadata: subscription.metadata,
    billing_reason: made.reason,
    collection_method,
    days_until_due: subscription.days_until_due,
    auto_advance: true,
    period_start: period.start,
    period_end: period.end,
    default_tax_rates: subscription.default_tax_rates,
    automatic_tax: {
      enabled: subscription.automatic_tax.enabled,
      status: subscription.automatic_tax.enabled
        ? located(context, customer)
          ? 'complete'
          : 'requires_location_inputs'
        : null,
    },
    payment_settings: subscription.payment_settings,
    description: subscription.invoice_settings.description,
    footer: subscription.invoice_settings.footer,
    custom_fields: subscription.invoice_settings.custom_fields,
    drafts: [...carried, ...made.lines],
    shared,
  })
}

function located(context: Context, customer: string): boolean {
  return customerFacts(context, customer).place !== null
}

const noSettings: PaymentSettingsRow = {
  payment_method_options: null,
  payment_method_types: null,
  save_default_payment_method: 'off',
}

export type UnaddedInvoice = Omit<
  InvoiceRow,
  | 'lines'
  | 'discounts'
  | 'subtotal'
  | 'subtotal_excluding_tax'
  | 'total'
  | 'total_excluding_tax'
  | 'taken'
  | 'taxes'
  | 'starting_balance'
  | 'amount_due'
> & { readonly drafts: readonly LineDraft[]; readonly shared: readonly Reduction[] }

/** An invoice without lines. */
export function blank(
  context: Context,
  customer: string,
  currency: string,
): Omit<UnaddedInvoice, 'id' | 'drafts' | 'shared'> {
  return {
    created: context.now,
    customer,
    subscription: null,
    subscription_metadata: {},
    status: 'draft',
    currency,
    billing_reason: 'manual',
    collection_method: 'charge_automatically',
    auto_advance: false,
    finalizes_at: null,
    next_payment_attempt: null,
    attempt_count: 0,
    attempted: false,
    first_attempt: null,
    due_date: null,
    days_until_due: null,
    period_start: context.now,
    period_end: context.now,
    default_payment_method: null,
    default_source: null,
    default_tax_rates: [],
    automatic_tax: { enabled: false, status: null },
    payment_settings: noSettings,
    description: null,
    footer: null,
    custom_fields: null,
    statement_descriptor: null,
    metadata: {},
    number: null,
    ending_balance: null,
    amount_paid: 0,
    payment_intent: null,
    finalized_at: null,
    paid_at: null,
    voided_at: null,
    marked_uncollectible_at: null,
    webhooks_delivered_at: null,
    created_event: null,
  }
}

/**
 * Adds the lines up. Until finalization, the amount due is computed with the customer's present
 * balance.
 */
export function withTotals(context: Context, unadded: UnaddedInvoice): InvoiceRow {
  const { drafts, shared, ...rest } = unadded
  const totals = addUp(drafts, shared, rest.currency)
  const { balance } = customerFacts(context, rest.customer, rest.currency)
  return {
    ...rest,
    lines: totals.lines,
    discounts: shared.map((reduction) => reduction.discount),
    subtotal: totals.subtotal,
    subtotal_excluding_tax: totals.subtotalExcludingTax,
    total: totals.total,
    total_excluding_tax: totals.totalExcludingTax,
    taken: totals.taken,
    taxes: totals.taxes,
    starting_balance: balance,
    amount_due: Math.max(0, totals.total + balance),
  }
}
