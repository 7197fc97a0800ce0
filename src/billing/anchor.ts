import { instant, type Instant } from '../core/instant.ts'
import {
  addPeriods,
  cycleOf,
  chargeDatesAfter,
  civil,
  daysInMonth,
  dayOfMonth,
  isChargeDate,
  monthsOf,
  previousChargeDate,
  toInstant,
  type Cycle,
  type Recurrence,
} from './calendar.ts'

/**
 * How the new subscription is made to bill on the dates of the old one. Exactly one form reproduces
 * them, or none does yet, or none ever will.
 *
 * | T (next charge)             | within one period | form                                      |
 * |-----------------------------|-------------------|-------------------------------------------|
 * | not a date of the old cycle | any               | refuse                                    |
 * | on the cycle's own day      | yes               | plain: `billing_cycle_anchor` = T         |
 * | clamped by a short month    | yes, the next one | config: day, month*, hour, minute, second |
 * | clamped by a short month    | yes, a later one  | wait until the occurrence before T passed |
 * | any date of the cycle       | no                | wait until one period before T            |
 *
 * A daily or weekly T is always on the cycle's own day. "The next one" is the next occurrence of
 * the config's day and month.
 *
 * A config names a month and no year: prices of more than a year also wait for the year of T, in
 * which it has one meaning, and prices whose months do not divide a year wait for the last month
 * that it could also mean.
 *
 * (*) `month` for everything but one-month prices. Sources:
 * https://docs.stripe.com/billing/subscriptions/billing-cycle ("the first full invoice always falls
 * within one period"; a later anchor is refused with "cannot be later than next natural billing
 * date").
 */
export type AnchorChoice =
  | { readonly form: 'plain'; readonly anchor: Instant }
  | { readonly form: 'config'; readonly config: AnchorConfig; readonly anchor: Instant }
  | { readonly form: 'trial'; readonly trialEnd: Instant }
  | { readonly form: 'wait'; readonly until: Instant }
  | { readonly form: 'refuse'; readonly reason: string }

/**
 * `billing_cycle_anchor_config`, UTC. Hour, minute and second always: left out, they would be those
 * of the creation.
 */
export type AnchorConfig = {
  readonly day_of_month: number
  readonly month?: number
  readonly hour: number
  readonly minute: number
  readonly second: number
}

/**
 * Longest trial that can be created: 730 days
 * (https://docs.stripe.com/billing/subscriptions/trials).
 */
const trialSecondsMax = 730 * 86_400

/** The form for a paid subscription whose next charge is `next`. */
export function chooseAnchor(cycle: Cycle, next: Instant, now: Instant): AnchorChoice {
  if (next <= now) return { form: 'refuse', reason: 'the next charge is not in the future' }
  if (!isChargeDate(cycle, next))
    return { form: 'refuse', reason: 'the next charge does not fall on a date of the billing cycle' }
  const opens = earliestCreation(cycle, next)
  if (monthsOf(cycle) === undefined || dayOfMonth(next) === cycle.day)
    return now < opens ? { form: 'wait', until: opens } : { form: 'plain', anchor: next }
  const config = anchorConfig(cycle, next)
  const year = (monthsOf(cycle) ?? 0) > 12 ? toInstant({ ...civil(next), month: 1, day: 1, seconds: 0 }) : opens
  // At that second Stripe might still accept it.
  const until = instant(Math.max(opens, year, occurrenceBefore(cycle, config, next) + 1))
  return now < until ? { form: 'wait', until } : { form: 'config', config, anchor: next }
}

/**
 * The form for a subscription in trial: only the trial's end is given and becomes the anchor, so
 * the old cycle must run through it on its own day. (`trial_end` with an anchor config is unsure in
 * Stripe; not used.)
 */
export function chooseTrialAnchor(cycle: Cycle, trialEnd: Instant, now: Instant): AnchorChoice {
  if (trialEnd <= now) return { form: 'refuse', reason: 'the trial is over' }
  const onItsDay = monthsOf(cycle) === undefined || dayOfMonth(trialEnd) === cycle.day
  // An anchor after the trial's end would make the time between them a partial period.
  if (!onItsDay || cycle.anchor > trialEnd || !isChargeDate(cycle, trialEnd))
    return { form: 'refuse', reason: 'the billing cycle does not start at the end of the trial' }
  if (trialEnd - now > trialSecondsMax) return { form: 'wait', until: instant(trialEnd - trialSecondsMax) }
  return { form: 'trial', trialEnd }
}

/**
 * The instants that `billing_cycle_anchor` may show after a creation with this choice. With a
 * config there are two: the first full invoice, or the first date whose month has the day, as
 * https://docs.stripe.com/billing/subscriptions/billing-cycle says (every two months, day 31, made
 * in February: billed from 28 February, anchor 31 August). Both are dates of one and the same
 * cycle.
 */
export function anchorsShown(choice: AnchorChoice, recurrence: Recurrence): readonly Instant[] {
  if (choice.form === 'plain') return [choice.anchor]
  if (choice.form === 'trial') return [choice.trialEnd]
  if (choice.form !== 'config') return []
  const { anchor, config } = choice
  const dates = chargeDatesAfter(cycleOf(anchor, recurrence, config.day_of_month), anchor, datesUntilWhole)
  const whole = dates.find((date) => dayOfMonth(date) === config.day_of_month)
  return whole === undefined ? [anchor] : [anchor, whole]
}

/**
 * The longest wait for a month that has the day: 29 February by the year, around a century without
 * a leap day.
 */
const datesUntilWhole = 8

/** The cycle a creation with this choice gives; undefined for a choice that creates nothing. */
export function cycleCreated(choice: AnchorChoice, recurrence: Cycle): Cycle | undefined {
  switch (choice.form) {
    case 'plain':
      return cycleOf(choice.anchor, recurrence)
    case 'config':
      return cycleOf(choice.anchor, recurrence, choice.config.day_of_month)
    case 'trial':
      return cycleOf(choice.trialEnd, recurrence)
    case 'wait':
    case 'refuse':
      return undefined
  }
}

/**
 * The first second from which on Stripe accepts an anchor at `next`: one natural period from then,
 * and from every later second, reaches it. Clamping makes this more than a subtraction: Jan 28
 * 23:00 plus one month is Feb 28 23:00, but Jan 29 01:00 plus one month is Feb 28 01:00 again.
 */
function earliestCreation(cycle: Cycle, next: Instant): Instant {
  const months = monthsOf(cycle)
  if (months === undefined) return addPeriods(next, cycle, -1)
  const due = civil(next)
  const back = { ...due, month: due.month - months }
  const days = daysInMonth(back)
  // The month before is too short to have the day: all of it falls short, the month after does not.
  if (days < due.day) return toInstant({ year: due.year, month: back.month + 1, day: 1, seconds: 0 })
  // Later days of that month are clamped onto the due day, so only its last one is safe.
  return toInstant(due.day === daysInMonth(due) ? { ...back, day: days } : back)
}

function anchorConfig(cycle: Cycle, next: Instant): AnchorConfig {
  const { month, seconds } = civil(next)
  return {
    day_of_month: cycle.day,
    ...(monthsOf(cycle) === 1 ? {} : { month }),
    hour: Math.floor(seconds / 3_600),
    minute: Math.floor((seconds % 3_600) / 60),
    second: seconds % 60,
  }
}

/**
 * The last instant before `next` on which this config also falls: until then Stripe would take that
 * one. A month with a price of five months may mean that month, or any that lies whole periods from
 * it in some year, which is every month: what both readings agree on is sent.
 */
function occurrenceBefore({ interval, count }: Recurrence, config: AnchorConfig, next: Instant): Instant {
  const step = config.month === undefined ? 1 : commonDivisor(monthsOf({ interval, count }) ?? 1, 12)
  return previousChargeDate(cycleOf(next, { interval: 'month', count: step }, config.day_of_month), next)
}

function commonDivisor(a: number, b: number): number {
  return b === 0 ? a : commonDivisor(b, a % b)
}
