// Phases of a schedule: read from a request, applied at their start.
// https://docs.stripe.com/billing/subscriptions/subscription-schedules
import { instant } from '../../../core/instant.ts'
import { present } from '../../../core/assert.ts'
import type { Context } from '../../kernel/context.ts'
import { invalid } from '../../kernel/errors.ts'
import { mergeMetadata } from '../../kernel/params.ts'
import type { PhaseGiven } from '../schedule-params.ts'
import type { CreateGiven, ItemChange, UpdateGiven } from '../subscription-params.ts'
import { applyChange } from './applying.ts'
import { boundary } from './calendar.ts'
import { planChange } from './changing.ts'
import { create, layOut } from './creating.ts'
import { endSubscription } from './ending.ts'
import { checkedRates } from './items.ts'
import { usablePriceFacts } from './lookups.ts'
import { realMint } from './mint.ts'
import { subscriptions, type SubscriptionRow } from './rows.ts'
import { schedules, type PhaseGivenRow, type PhaseRow, type ScheduleRow } from './schedule-rows.ts'

/** Reads the phases of a request in order, the first from `start`. */
export function phasesOf(context: Context, given: readonly PhaseGiven[], start: number): PhaseRow[] {
  const phases: PhaseRow[] = []
  given.forEach((one, index) => {
    const at = `phases[${index}]`
    const begins = phases.at(-1)?.end_date ?? start
    const ends = endOfPhase(one, begins, { at, last: index === given.length - 1 })
    if (ends <= begins)
      throw invalid('The end date of a phase must be after its start date.', { param: `${at}[end_date]` })
    const prices = one.items.map((item, place) =>
      usablePriceFacts(context, item.price, `${at}[items][${place}][price]`),
    )
    phases.push({
      start_date: begins,
      end_date: ends,
      currency: one.currency ?? prices[0]?.currency ?? context.account.settings.default_currency,
      given: phaseGiven(context, one, { begins, ends, at }),
    })
  })
  return phases
}

function endOfPhase(one: PhaseGiven, begins: number, about: { at: string; last: boolean }): number {
  if (one.end_date !== undefined && one.duration !== undefined)
    throw invalid('You may only specify one of these parameters: duration, end_date.', {
      param: `${about.at}[duration]`,
    })
  if (one.end_date !== undefined) return one.end_date
  const { interval, interval_count: count } = one.duration ?? { interval: 'month' as const, interval_count: 1 }
  if (one.duration === undefined && !about.last)
    throw invalid('Every phase but the last must have an `end_date` or a `duration`.', {
      param: `${about.at}[end_date]`,
    })
  return boundary({ at: begins }, { interval, count: count ?? 1 }, 1)
}

function phaseGiven(
  context: Context,
  one: PhaseGiven,
  about: { begins: number; ends: number; at: string },
): PhaseGivenRow {
  const { at } = about
  if (one.trial === true && one.trial_end !== undefined)
    throw invalid('You may only specify one of these parameters: trial, trial_end.', { param: `${at}[trial]` })
  const trial = one.trial === true ? about.ends : (one.trial_end ?? null)
  if (trial !== null && one.billing_cycle_anchor === 'phase_start')
    throw invalid('`billing_cycle_anchor` cannot be `phase_start` in a phase with a trial.', {
      param: `${at}[billing_cycle_anchor]`,
    })
  return {
    items: one.items.map((item, index) => ({
      price: item.price,
      quantity: item.quantity ?? null,
      metadata: mergeMetadata({}, item.metadata),
      tax_rates: checkedRates(context, item.tax_rates, `${at}[items][${index}][tax_rates]`),
      discounts: item.discounts ?? [],
    })),
    discounts: one.discounts === undefined ? null : (one.discounts ?? []),
    proration_behavior: one.proration_behavior ?? 'create_prorations',
    billing_cycle_anchor: one.billing_cycle_anchor ?? null,
    collection_method: one.collection_method ?? null,
    days_until_due: one.invoice_settings?.days_until_due ?? null,
    default_payment_method: one.default_payment_method ?? null,
    default_tax_rates: checkedRates(context, one.default_tax_rates, `${at}[default_tax_rates]`),
    automatic_tax: one.automatic_tax?.enabled ?? null,
    description: one.description ?? null,
    metadata: mergeMetadata({}, one.metadata),
    trial_end: trial,
  }
}

/** The phase that contains an instant. */
export function phaseAt(row: ScheduleRow, at: number): PhaseRow | undefined {
  return row.phases.find((phase) => phase.start_date <= at && at < phase.end_date)
}

/** Writes a schedule and puts its next boundary on the clock. */
export function keepSchedule(context: Context, row: ScheduleRow): ScheduleRow {
  const runs = row.status === 'active' || row.status === 'not_started'
  const next = row.phases
    .flatMap((phase) => [phase.start_date, phase.end_date])
    .filter((at) => at > context.now)
    .toSorted((a, b) => a - b)
    .at(0)
  if (runs && next !== undefined) context.schedule(instant(next), 'schedule.phase', row.id)
  else if (context.scheduled('schedule.phase', row.id) !== undefined) context.unschedule('schedule.phase', row.id)
  return context.table(schedules).put(row)
}

/** The clock has reached a boundary of a schedule. */
export function phaseOnTime(context: Context, id: string): void {
  const row = context.table(schedules).get(id)
  if (row === undefined || (row.status !== 'active' && row.status !== 'not_started')) return
  const phase = phaseAt(row, context.now)
  if (phase === undefined) finish(context, row)
  else enter(context, row, phase)
}

/** Starts a phase: creates the subscription if the schedule has none yet, otherwise changes it. */
export function enter(context: Context, row: ScheduleRow, phase: PhaseRow): ScheduleRow {
  const subscription = row.subscription === null ? undefined : context.table(subscriptions).get(row.subscription)
  if (subscription === undefined) {
    const given = creationOf(row, phase)
    // The first invoice of a schedule's subscription is a draft (SDK, Subscriptions.create).
    const made = create(context, given, layOut(context, given, realMint(context)), { draftFirst: true })
    context
      .table(subscriptions)
      .put({ ...present(context.table(subscriptions).get(made.id), made.id), schedule: row.id })
    return keepSchedule(context, { ...row, status: 'active', subscription: made.id })
  }
  const given = changeOf(row, phase, subscription)
  applyChange(context, {
    before: subscription,
    change: planChange(context, subscription, given, realMint(context)),
    given,
  })
  return keepSchedule(context, { ...row, status: 'active' })
}

function finish(context: Context, row: ScheduleRow): void {
  const subscription = row.subscription === null ? undefined : context.table(subscriptions).get(row.subscription)
  if (row.end_behavior === 'cancel') {
    context.table(schedules).put({ ...row, status: 'completed', completed_at: context.now })
    if (subscription !== undefined) endSubscription(context, { ...subscription, schedule: null }, { how: 'scheduled' })
    return
  }
  releaseSchedule(context, row)
}

/** Releases the subscription from its schedule. */
export function releaseSchedule(context: Context, row: ScheduleRow): ScheduleRow {
  const subscription = row.subscription === null ? undefined : context.table(subscriptions).get(row.subscription)
  if (subscription !== undefined) context.table(subscriptions).put({ ...subscription, schedule: null })
  return keepSchedule(context, {
    ...row,
    status: 'released',
    released_at: context.now,
    released_subscription: row.subscription,
    subscription: null,
  })
}

/**
 * The creation parameters that a phase has; an update accepts all of them except the first four.
 */
type PhaseTerms = Pick<
  CreateGiven,
  | 'billing_mode'
  | 'currency'
  | 'customer'
  | 'items'
  | 'automatic_tax'
  | 'collection_method'
  | 'days_until_due'
  | 'default_payment_method'
  | 'default_tax_rates'
  | 'description'
  | 'discounts'
  | 'metadata'
  | 'proration_behavior'
  | 'trial_end'
>

function creationOf(row: ScheduleRow, phase: PhaseRow): PhaseTerms {
  const { given } = phase
  const { default_settings: common } = row
  const collection = given.collection_method ?? common.collection_method
  const days = given.days_until_due ?? common.days_until_due
  const method = given.default_payment_method ?? common.default_payment_method
  const description = given.description ?? common.description
  return {
    customer: row.customer,
    currency: phase.currency,
    items: given.items.map((item) => ({
      price: item.price,
      ...(item.quantity === null ? {} : { quantity: item.quantity }),
      metadata: item.metadata,
      tax_rates: item.tax_rates,
      ...(item.discounts.length === 0 ? {} : { discounts: item.discounts }),
    })),
    metadata: given.metadata,
    billing_mode: { type: row.billing_mode },
    proration_behavior: given.proration_behavior === 'none' ? 'none' : 'create_prorations',
    default_tax_rates: given.default_tax_rates,
    automatic_tax: { enabled: given.automatic_tax ?? common.automatic_tax },
    ...(given.discounts === null || given.discounts.length === 0 ? {} : { discounts: given.discounts }),
    ...(collection === null ? {} : { collection_method: collection }),
    ...(collection === 'send_invoice' ? { days_until_due: days ?? 30 } : {}),
    ...(method === null ? {} : { default_payment_method: method }),
    ...(description === null ? {} : { description }),
    ...(given.trial_end === null ? {} : { trial_end: instant(given.trial_end) }),
  }
}

/**
 * A phase as an update: items are matched in order; discounts, taxes and metadata are those of the
 * phase.
 */
function changeOf(row: ScheduleRow, phase: PhaseRow, subscription: SubscriptionRow): UpdateGiven {
  const made = creationOf(row, phase)
  const wanted = made.items ?? []
  const items = subscription.items.map((item, index): ItemChange => {
    const next = wanted[index]
    return next === undefined ? { id: item.id, deleted: true } : { ...next, id: item.id }
  })
  const { customer: _customer, currency: _currency, billing_mode: _mode, items: _items, discounts, ...rest } = made
  const anchor = phase.given.billing_cycle_anchor ?? row.default_settings.billing_cycle_anchor
  return {
    ...rest,
    items: [...items, ...wanted.slice(items.length)],
    discounts: discounts ?? null,
    proration_behavior: phase.given.proration_behavior,
    ...(anchor === 'phase_start' ? { billing_cycle_anchor: { type: 'now' as const } } : {}),
  }
}
