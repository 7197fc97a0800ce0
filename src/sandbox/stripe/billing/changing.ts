// Changes a subscription: first the change is planned (previews stop there), then it is written,
// billed and paid. https://docs.stripe.com/api/subscriptions/update,
// …/billing/subscriptions/prorations
import type { Context } from '../../kernel/context.ts'
import { invalid } from '../../kernel/errors.ts'
import { mergeMetadata } from '../../kernel/params.ts'
import type { UpdateGiven } from '../subscription-params.ts'
import { chooseDiscounts, takeUp } from './discounts.ts'
import { addedItems } from './extras.ts'
import { changeItems } from './item-changes.ts'
import { checkedRates } from './items.ts'
import { liveCustomer, priceFacts } from './lookups.ts'
import type { Mint } from './mint.ts'
import { proration } from './prorating.ts'
import { restart, type Restart } from './restarting.ts'
import type { InvoiceItemRow, SubscriptionRow } from './rows.ts'
import { mustLocate } from './tax-of.ts'
import { checkMethods, endOf, nextPending, settingsGiven } from './terms.ts'
import type { LineDraft } from './totals.ts'
import { creditFor } from './unused.ts'

export interface Change {
  readonly row: SubscriptionRow
  /** New pending items: prorations and `add_invoice_items`. */
  readonly items: readonly InvoiceItemRow[]
  /** Lines of a period that starts now. */
  readonly lines: readonly LineDraft[]
  /** Whether an invoice is created at once. */
  readonly bill: boolean
}

/** Plans the change that a request asks for. Writes only discounts. */
export function planChange(context: Context, row: SubscriptionRow, given: UpdateGiven, mint: Mint): Change {
  if (row.status === 'canceled' || row.status === 'incomplete_expired') return afterTheEnd(row, given)
  checkChange(context, row, given)
  const settled = plainChanges(context, withDiscounts(context, row, given, mint), given)
  const changed = changeItems(context, settled, given, mint)
  const again = restart(context, changed.row, given, { fresh: changed.restarts, before: row })
  const ended = endOf(context, given, again.row)
  const added = addedItems(context, given.add_invoice_items, { subscription: ended, mint })
  const prorate = (given.proration_behavior ?? 'create_prorations') !== 'none'
  const early = endsEarly(context, row, ended, mint)
  const prorations = prorate ? [...changed.prorations, ...again.credits(mint), ...early] : []
  const every = given.pending_invoice_item_interval
  const settledRow = every === undefined ? ended : { ...ended, next_pending: nextPending(context, ended) }
  return {
    row: followEnd(classicEnd(context, row, settledRow)),
    items: [...prorations, ...added],
    lines: again.lines,
    bill: bills(given, { again, prorations }),
  }
}

function bills(given: UpdateGiven, about: { again: Restart; prorations: readonly InvoiceItemRow[] }): boolean {
  return about.again.lines.length > 0 || (given.proration_behavior === 'always_invoice' && about.prorations.length > 0)
}

/**
 * A new `cancel_at` inside a paid period credits the rest of it when prorations are enabled (API
 * reference, `cancel_at`).
 */
function endsEarly(
  context: Context,
  before: SubscriptionRow,
  after: SubscriptionRow,
  mint: Mint,
): readonly InvoiceItemRow[] {
  const end = after.cancel_at
  if (end === null || end === before.cancel_at || after.status === 'trialing') return []
  return after.items.flatMap((item) => {
    if (end >= item.current_period_end || end <= item.current_period_start) return []
    const period = { start: end, end: item.current_period_end }
    const amount = creditFor(context, before, item, period)
    if (amount === 0) return []
    const price = priceFacts(context, item.price)
    return [proration(context, { id: mint.id('ii'), subscription: after, item, price, amount, period })]
  })
}

/**
 * When `cancel_at` comes before the next renewal, classic mode moves more than the request names:
 * the anchor to now, and the end of a trial to the cancellation (billing mode comparison). Flexible
 * mode leaves both.
 */
function classicEnd(context: Context, before: SubscriptionRow, after: SubscriptionRow): SubscriptionRow {
  const end = after.cancel_at
  if (after.billing_mode === 'flexible' || end === null || end === before.cancel_at || after.cancel_at_period_end)
    return after
  if (after.status === 'trialing' && after.trial_end !== null && end < after.trial_end)
    return { ...after, trial_end: end, items: after.items.map((item) => ({ ...item, current_period_end: end })) }
  const renewal = Math.min(...after.items.map((item) => item.current_period_end))
  return after.status !== 'trialing' && end < renewal ? { ...after, billing_cycle_anchor: context.now } : after
}

/** `cancel_at_period_end` moves with the period. */
function followEnd(row: SubscriptionRow): SubscriptionRow {
  if (!row.cancel_at_period_end) return row
  return { ...row, cancel_at: Math.min(...row.items.map((item) => item.current_period_end)) }
}

const stillOpen = new Set(['metadata', 'cancellation_details'])

/** "You can still update its metadata and cancellation_details" (SDK, Subscriptions.cancel). */
function afterTheEnd(row: SubscriptionRow, given: UpdateGiven): Change {
  const others = Object.keys(given).filter((key) => !stillOpen.has(key))
  if (others.length > 0)
    throw invalid('A canceled subscription can only update its cancellation_details and metadata.', {
      code: 'invalid_canceled_subscription_fields',
      param: others[0] ?? '',
    })
  return {
    row: {
      ...row,
      metadata: mergeMetadata(row.metadata, given.metadata),
      cancellation_details: detailsGiven(row, given),
    },
    items: [],
    lines: [],
    bill: false,
  }
}

/** Adds a customer's cancellation details to the existing ones. */
export function detailsGiven(
  row: SubscriptionRow,
  given: Pick<UpdateGiven, 'cancellation_details'>,
): SubscriptionRow['cancellation_details'] {
  const details = given.cancellation_details
  if (details === undefined) return row.cancellation_details
  const { comment, feedback, feedback_option } = details
  return {
    ...row.cancellation_details,
    ...(comment === undefined ? {} : { comment }),
    ...(feedback === undefined ? {} : { feedback }),
    ...(feedback_option === undefined ? {} : { feedback_option }),
  }
}

function checkChange(context: Context, row: SubscriptionRow, given: UpdateGiven): void {
  if (row.schedule !== null && (given.cancel_at !== undefined || given.cancel_at_period_end !== undefined))
    throw managed(row.schedule)
  if (row.status === 'incomplete' && (given.items !== undefined || given.pause_collection !== undefined))
    throw invalid(
      `Can't update the subscription because it's in status \`incomplete\`. Only its metadata and payment method can be updated.`,
    )
  if (given.payment_behavior === 'pending_if_incomplete')
    throw invalid('This sandbox does not support `pending_if_incomplete`; use another `payment_behavior`.', {
      param: 'payment_behavior',
    })
  checkMethods(context, given, row.customer)
  const customer = liveCustomer(context, row.customer, 'customer')
  if (given.automatic_tax?.enabled === true) mustLocate(context, customer)
  const method = given.collection_method ?? row.collection_method
  const days = given.days_until_due ?? row.days_until_due
  if (method === 'send_invoice' && days === null)
    throw invalid('You must pass `days_until_due` when `collection_method` is `send_invoice`.', {
      code: 'parameter_missing',
      param: 'days_until_due',
    })
  if (method === 'charge_automatically' && given.days_until_due !== undefined)
    throw invalid('`days_until_due` can only be set if `collection_method` is `send_invoice`.', {
      param: 'days_until_due',
    })
  const resumes = given.pause_collection?.resumes_at
  if (resumes !== undefined && resumes <= context.now)
    throw invalid('`pause_collection[resumes_at]` must be in the future.', { param: 'pause_collection[resumes_at]' })
}

/** A subscription with a schedule is cancelled through the schedule. */
export function managed(schedule: string): Error {
  return invalid(
    `The subscription is managed by the subscription schedule \`${schedule}\`, and updating any cancelation behavior directly is not allowed. Please update the schedule instead.`,
  )
}

/**
 * `discounts`: an array replaces them, an empty string clears them, without it they stay. Unsure in
 * Stripe itself (the page of the migration toolkit): with a future anchor and no proration, any
 * update removes them unless it sends them again.
 */
function withDiscounts(context: Context, row: SubscriptionRow, given: UpdateGiven, mint: Mint): SubscriptionRow {
  if (given.discounts === null) return { ...row, discounts: [] }
  if (given.discounts !== undefined) {
    const { customer, id } = row
    const chosen = chooseDiscounts(context, given.discounts, { customer, mint, at: 'discounts' })
    return { ...row, discounts: takeUp(context, chosen, { customer, subscription: id, start: context.now }, mint) }
  }
  // A preview is not an update.
  const waits =
    !mint.preview && row.stub === 'none' && row.billing_cycle_anchor > context.now && row.latest_invoice === null
  return waits && context.world.unsure.discounts_unset_before_anchor ? { ...row, discounts: [] } : row
}

function plainChanges(context: Context, row: SubscriptionRow, given: UpdateGiven): SubscriptionRow {
  const behavior = given.trial_settings?.end_behavior
  const pause = given.pause_collection
  const method = given.collection_method ?? row.collection_method
  const keep = <T>(value: T | undefined, before: T): T => (value === undefined ? before : value)
  return {
    ...row,
    ...settingsGiven(given, row),
    metadata: mergeMetadata(row.metadata, given.metadata),
    cancellation_details: detailsGiven(row, given),
    description: keep(given.description, row.description),
    default_payment_method: keep(given.default_payment_method, row.default_payment_method),
    default_source: keep(given.default_source, row.default_source),
    default_tax_rates:
      given.default_tax_rates === undefined
        ? row.default_tax_rates
        : checkedRates(context, given.default_tax_rates, 'default_tax_rates'),
    automatic_tax:
      given.automatic_tax === undefined
        ? row.automatic_tax
        : { enabled: given.automatic_tax.enabled, disabled_reason: null },
    collection_method: method,
    days_until_due: method === 'send_invoice' ? (given.days_until_due ?? row.days_until_due) : null,
    pause_collection:
      pause === undefined
        ? row.pause_collection
        : pause === null
          ? null
          : { behavior: pause.behavior, resumes_at: pause.resumes_at ?? null },
    trial_missing: behavior?.missing_payment_method ?? row.trial_missing,
    trial_anchor: behavior?.billing_cycle_anchor ?? row.trial_anchor,
    on_behalf_of: keep(given.on_behalf_of, row.on_behalf_of),
    transfer_data: given.transfer_data === undefined ? row.transfer_data : given.transfer_data,
    application_fee_percent:
      given.application_fee_percent === undefined
        ? row.application_fee_percent
        : given.application_fee_percent === null
          ? null
          : Number(given.application_fee_percent),
  }
}
