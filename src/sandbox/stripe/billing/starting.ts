// The start of a subscription: the anchor, the trial, the first periods, and what the first invoice
// charges for. https://docs.stripe.com/billing/subscriptions/billing-cycle, …/backdating, …/trials
import type { Context } from '../../kernel/context.ts'
import { invalid } from '../../kernel/errors.ts'
import type { CreateGiven } from '../subscription-params.ts'
import {
  anchorFromConfig,
  monthsOf,
  nextBoundary,
  oneStepAfter,
  periodAround,
  type Anchor,
  type Cadence,
  type Period,
} from './calendar.ts'
import { cadenceOf, shortest } from './items.ts'
import type { PriceFacts } from './lookups.ts'
import type { AnchorConfigRow, SubscriptionRow } from './rows.ts'

const longestTrial = 730 * 86_400

export interface Start {
  readonly start: number
  readonly anchor: Anchor
  readonly config: AnchorConfigRow | null
  readonly trialEnd: number | null
  /**
   * The instant of the first full invoice when it is in the future; the time until then is part of
   * a period. Null: a full period starts at once.
   */
  readonly firstFull: number | null
}

export type StartGiven = Pick<
  CreateGiven,
  | 'backdate_start_date'
  | 'billing_cycle_anchor'
  | 'billing_cycle_anchor_config'
  | 'proration_behavior'
  | 'trial_end'
  | 'trial_from_plan'
  | 'trial_period_days'
  | 'trial_settings'
>

/**
 * Reads and checks the start (allowed combinations: the documents of billing-cycle, backdating and
 * trials).
 */
export function startOf(
  context: Context,
  given: StartGiven,
  about: { prices: readonly PriceFacts[]; mode: SubscriptionRow['billing_mode'] },
): Start {
  const { now } = context
  const start = given.backdate_start_date ?? now
  if (start > now) throw invalid('`backdate_start_date` must be in the past.', { param: 'backdate_start_date' })
  if (given.proration_behavior === 'always_invoice')
    throw invalid('`proration_behavior` of `always_invoice` is not supported when creating a subscription.', {
      param: 'proration_behavior',
    })
  const trialEnd = trialOf(context, given, about.prices)
  const least = shortest(about.prices)
  const config = configOf(given, about.prices)
  const { unsure } = context.world
  if (config !== null) {
    if (trialEnd !== null && !unsure.config_with_trial)
      throw invalid('You cannot set `billing_cycle_anchor_config` together with a trial.', {
        param: 'billing_cycle_anchor_config',
      })
    const reading = monthsOf(least) % 12 === 0 ? unsure.config_year_of_long_prices : unsure.config_month_of_odd_prices
    const found = anchorFromConfig(config, least, trialEnd ?? now, reading === 'next_occurrence')
    const { first } = found
    const anchor = unsure.config_anchor_at_first_invoice ? { ...found.anchor, at: first } : found.anchor
    return { start, anchor, config, trialEnd, firstFull: first > (trialEnd ?? now) ? first : null }
  }
  const asked = given.billing_cycle_anchor
  if (asked !== undefined) {
    checkAnchor(asked, { now, trialEnd, least })
    const firstFull = asked > (trialEnd ?? now) ? asked : null
    return { start, anchor: { at: asked }, config: null, trialEnd, firstFull }
  }
  const keeps = given.trial_settings?.end_behavior.billing_cycle_anchor === 'unchanged'
  if (trialEnd !== null) {
    const old = { at: start }
    const kept = unsure.unchanged_trial_keeps_month_end ? old : { at: nextBoundary(old, least, trialEnd) }
    return { start, anchor: keeps ? kept : { at: trialEnd }, config: null, trialEnd, firstFull: null }
  }
  return { start, anchor: { at: about.mode === 'flexible' ? start : now }, config: null, trialEnd, firstFull: null }
}

function checkAnchor(asked: number, about: { now: number; trialEnd: number | null; least: Cadence }): void {
  const { now, trialEnd, least } = about
  if (asked < now)
    throw invalid('Invalid timestamp: `billing_cycle_anchor` must be an integer Unix timestamp in the future.', {
      param: 'billing_cycle_anchor',
    })
  if (trialEnd !== null && asked <= trialEnd)
    throw invalid('`billing_cycle_anchor` must be after `trial_end`.', { param: 'billing_cycle_anchor' })
  if (asked > oneStepAfter(trialEnd ?? now, least))
    throw invalid(
      `billing_cycle_anchor cannot be later than next natural billing date (${oneStepAfter(trialEnd ?? now, least)}) for plan`,
      { param: 'billing_cycle_anchor' },
    )
}

function configOf(given: StartGiven, prices: readonly PriceFacts[]): AnchorConfigRow | null {
  const config = given.billing_cycle_anchor_config
  if (config === undefined) return null
  if (given.billing_cycle_anchor !== undefined)
    throw invalid('You may only specify one of these parameters: billing_cycle_anchor, billing_cycle_anchor_config.', {
      param: 'billing_cycle_anchor_config',
    })
  if (given.backdate_start_date !== undefined)
    throw invalid('`billing_cycle_anchor_config` cannot be used with `backdate_start_date`.', {
      param: 'billing_cycle_anchor_config',
    })
  if (prices.some((price) => !['month', 'year'].includes(cadenceOf(price).interval)))
    throw invalid('`billing_cycle_anchor_config` is only supported for prices with `month` or `year` intervals.', {
      param: 'billing_cycle_anchor_config',
    })
  return {
    day_of_month: config.day_of_month,
    hour: config.hour ?? null,
    minute: config.minute ?? null,
    month: config.month ?? null,
    second: config.second ?? null,
  }
}

function trialOf(context: Context, given: StartGiven, prices: readonly PriceFacts[]): number | null {
  const { trial_end: end, trial_period_days: days, trial_from_plan: fromPlan } = given
  const ways = [
    end !== undefined && 'trial_end',
    days !== undefined && 'trial_period_days',
    fromPlan === true && 'trial_from_plan',
  ].filter((way) => way !== false)
  if (ways.length > 1)
    throw invalid(`You may only specify one of these parameters: ${ways.join(', ')}.`, { param: ways[1] ?? '' })
  if (end === 'now') return null
  const at = trialAt(context.now, end, days ?? (fromPlan === true ? longestOf(prices) : undefined))
  if (at === null) return null
  if (at <= context.now)
    throw invalid('Invalid timestamp: must be an integer Unix timestamp in the future.', { param: 'trial_end' })
  if (at > context.now + longestTrial)
    throw invalid('The maximum number of trial period days is 730 (2 years).', { param: 'trial_end' })
  return at
}

function trialAt(now: number, end: number | undefined, days: number | undefined): number | null {
  if (end !== undefined) return end
  return days === undefined || days === 0 ? null : now + days * 86_400
}

function longestOf(prices: readonly PriceFacts[]): number | undefined {
  const days = prices.flatMap((price) => price.trialDays ?? [])
  return days.length === 0 ? undefined : Math.max(...days)
}

interface Stretch {
  readonly period: Period
  /** The period that contains it. */
  readonly whole: Period
}

/** The time of one line; several parts when they are charged as one line. */
export interface Charged {
  readonly period: Period
  readonly parts: readonly Stretch[]
}

/**
 * The time for which the first invoice charges an item, period by period, and the item's current
 * period.
 */
export interface FirstPeriods {
  readonly charged: readonly Charged[]
  readonly current: Period
}

export function firstPeriods(
  begin: Start,
  cadence: Cadence,
  about: { now: number; free: boolean; mode: SubscriptionRow['billing_mode']; cancelAt: number | null },
): FirstPeriods {
  const { start, anchor, trialEnd, firstFull } = begin
  const stub = firstFull !== null
  const { now, free, mode, cancelAt } = about
  const cut = (period: Period): Period =>
    cancelAt !== null && cancelAt > period.start && cancelAt < period.end ? { ...period, end: cancelAt } : period
  if (trialEnd !== null) return { charged: [], current: cut({ start, end: trialEnd }) }
  const around = periodAround(anchor, cadence, now)
  const backdated = start < now
  const current = cut({
    start: stub || backdated ? Math.max(start, around.start) : now,
    end: firstFull ?? around.end,
  })
  if (free && (stub || (backdated && mode === 'flexible'))) return { charged: [], current }
  // In flexible mode with `none`, a first period that `cancel_at` ends early is not prorated
  // (billing mode comparison).
  const whole = free && mode === 'flexible' ? current : around
  const ordinary: Charged = { period: current, parts: [{ period: current, whole }] }
  if (!backdated) return { charged: [ordinary], current }
  if (mode === 'classic') return { charged: classicPast({ start, cadence, stub, free }, ordinary), current }
  const past = free ? [] : stretches(anchor, cadence, { start, end: current.start })
  return { charged: [...past.map((part) => ({ period: part.period, parts: [part] })), ordinary], current }
}

/**
 * Classic mode charges backdated time as one line, in imagined periods from the backdated start:
 * until the anchor when it is ahead, otherwise until now, before the first full period
 * (https://docs.stripe.com/billing/subscriptions/backdating).
 */
function classicPast(
  about: { start: number; cadence: Cadence; stub: boolean; free: boolean },
  first: Charged,
): readonly Charged[] {
  const { start, cadence, stub } = about
  if (about.free) return [first]
  const period = { start, end: stub ? first.period.end : first.period.start }
  const past: Charged = { period, parts: stretches({ at: start }, cadence, period) }
  return stub ? [past] : [past, first]
}

/** A span, split at the boundaries of the cadence. */
function stretches(anchor: Anchor, cadence: Cadence, span: Period): Stretch[] {
  const pieces: Stretch[] = []
  for (let at = span.start; at < span.end;) {
    const whole = periodAround(anchor, cadence, at)
    const end = Math.min(whole.end, span.end)
    pieces.push({ period: { start: at, end }, whole })
    at = end
  }
  return pieces
}
