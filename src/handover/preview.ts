import type Stripe from 'stripe'
import { isJsonObject, type JsonObject } from '../core/json.ts'
import type { Failure } from '../core/outcome.ts'
import { blocked, stopped } from './reasons.ts'
import type { HandoverPlan, Reason } from './types.ts'

/**
 * Previews the next invoice on both sides before anything is changed. The new one is previewed on
 * the target's customer with an anchor at T, without side effects
 * (https://docs.stripe.com/api/invoices/create_preview). A trial's first invoice is zero, and its
 * end may be further ahead than an anchor may be. It is therefore previewed as if the trial were
 * over, and only its amounts are compared.
 */
export function previewParams(plan: HandoverPlan): { readonly old: JsonObject; readonly new: JsonObject } {
  const {
    customer,
    currency,
    items,
    discounts,
    default_tax_rates: rates,
    automatic_tax: tax,
    billing_mode: mode,
    cancel_at: end,
  } = createParams(plan)
  return {
    old: { subscription: plan.expect.old },
    new: {
      customer,
      currency,
      ...(tax === undefined ? {} : { automatic_tax: tax }),
      ...(discounts === undefined ? {} : { discounts }),
      subscription_details: {
        items: Array.isArray(items) ? items.map(withoutMetadata) : [],
        ...(rates === undefined ? {} : { default_tax_rates: rates }),
        ...(mode === undefined ? {} : { billing_mode: mode }),
        // An end within the next period shortens the invoice on both sides.
        ...(end === undefined ? {} : { cancel_at: end }),
        ...(plan.expect.next === null || isTrial(plan)
          ? {}
          : { billing_cycle_anchor: { type: 'timestamp', timestamp: plan.expect.next } }),
        proration_behavior: 'none',
      },
    },
  }
}

function isTrial({ expect }: HandoverPlan): boolean {
  return expect.proof?.status === 'trialing'
}

function createParams({ steps }: HandoverPlan): JsonObject {
  return steps.find(({ id }) => id === 'create')?.params ?? {}
}

function withoutMetadata(item: JsonObject): JsonObject {
  const { metadata: _, ...rest } = item
  return rest
}

/**
 * Why Stripe refused a preview. Open quotes and Checkout sessions, which our lists do not show,
 * also fix a customer's currency. Stripe has no code for it, only this text.
 */
export function previewRefused({ message, code }: Pick<Failure, 'message' | 'code'>): Reason {
  return message.startsWith('You cannot combine currencies')
    ? blocked('currency_conflict', message)
    : stopped('preview_failed', `${message} (${code})`)
}

/**
 * An undefined preview means that the read failed. Only the subscription's own lines are compared:
 * pending items have their own policy.
 */
export function comparePreviews(
  plan: HandoverPlan,
  old: Stripe.Invoice | undefined,
  created: Stripe.Invoice | undefined,
): Reason | null {
  if (old === undefined || created === undefined)
    return stopped('preview_failed', 'the next invoice could not be previewed')
  const before = linesOf(withoutUsage(plan, old))
  const after = linesOf(withoutUsage(plan, created))
  // A preview takes no anchor config, so it cannot know that the period after a short month is
  // longer. The proof compares those dates.
  const isConfig = createParams(plan)['billing_cycle_anchor_config'] !== undefined
  const unknown = isTrial(plan) ? ['period start', 'period end'] : isConfig ? ['period end'] : []
  const differing = fieldsDiffering(before, after).filter((field) => !unknown.includes(field))
  if (old.currency !== created.currency) differing.unshift('currency')
  if (differing.length > 0)
    return stopped(
      'preview_differs',
      `the next invoices differ in ${differing.join(', ')}: ${told(old, before)} before, ${told(created, after)} after`,
    )
  const tax =
    before
      .map(({ taxes }) => taxes)
      .toSorted()
      .join() ===
    after
      .map(({ taxes }) => taxes)
      .toSorted()
      .join()
  if (tax || plan.expect.tax === 'recompute') return null
  return blocked('tax_differs', `tax before: ${taxTold(before)}, after: ${taxTold(after)}`)
}

/**
 * Without the usage of the period that ends: only the old account has it, and bills it. Lines of
 * usage are for the past period; all others are for the next one.
 */
function withoutUsage(plan: HandoverPlan, invoice: Stripe.Invoice): Stripe.Invoice {
  const { by_usage: byUsage, next } = plan.expect
  if (byUsage !== true || next === null) return invoice
  // A trial bills no usage, and its preview has other periods.
  const isOfNext = ({ period, amount }: Stripe.InvoiceLineItem): boolean =>
    isTrial(plan) ? amount !== 0 : period.start >= next
  const data = invoice.lines.data.filter(isOfNext)
  return { ...invoice, lines: { ...invoice.lines, data } }
}

interface Line {
  readonly amount: number
  readonly start: number
  readonly end: number
  readonly discount: number
  /** Amount and inclusiveness of each tax. */
  readonly taxes: string
}

function linesOf(invoice: Stripe.Invoice): readonly Line[] {
  return regularLines(invoice).map((line) => ({
    amount: line.amount,
    start: line.period.start,
    end: line.period.end,
    discount: (line.discount_amounts ?? []).reduce((total, { amount }) => total + amount, 0),
    taxes: (line.taxes ?? [])
      .filter(({ amount }) => amount !== 0)
      .map(({ amount, tax_behavior: behavior }) => `${amount} ${behavior}`)
      .toSorted()
      .join('+'),
  }))
}

/** The lines of the subscription's own items for the period, without pending items. */
export function regularLines(invoice: Stripe.Invoice): readonly Stripe.InvoiceLineItem[] {
  return invoice.lines.data.filter(isRegular)
}

function isRegular({ parent }: Stripe.InvoiceLineItem): boolean {
  return isJsonObject(parent?.subscription_item_details) && parent?.subscription_item_details?.proration !== true
}

function fieldsDiffering(before: readonly Line[], after: readonly Line[]): string[] {
  const fields = ['amount', 'start', 'end', 'discount'] as const
  const all = (lines: readonly Line[], field: (typeof fields)[number]): string =>
    lines
      .map((line) => line[field])
      .toSorted((a, b) => a - b)
      .join()
  return fields
    .filter((field) => all(before, field) !== all(after, field))
    .map((field) => (field === 'start' || field === 'end' ? `period ${field}` : field))
}

function told({ currency }: Stripe.Invoice, lines: readonly Line[]): string {
  return (
    lines.map(({ amount, discount }) => `${amount}${discount === 0 ? '' : ` − ${discount}`} ${currency}`).join(' + ') ||
    'nothing'
  )
}

function taxTold(lines: readonly Line[]): string {
  return lines.map(({ taxes }) => taxes || 'none').join(', ')
}
