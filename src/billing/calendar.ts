import { assert } from '../core/assert.ts'
import { instant, secondsPerDay, type Instant } from '../core/instant.ts'

/**
 * The billing calendar: when a subscription is charged, given its anchor and its price's interval.
 * All arithmetic is in UTC, as Stripe's is. Source:
 * https://docs.stripe.com/billing/subscriptions/billing-cycle
 */
export interface Recurrence {
  readonly interval: 'day' | 'week' | 'month' | 'year'
  /** Every n intervals, at least 1. */
  readonly count: number
}

/**
 * A billing cycle: dates repeat every `count` intervals through `anchor`. `day` is the day of the
 * month it aims at, 1–31: months that lack it bill on their last day. It is the anchor's own day,
 * except where Stripe keeps another in `billing_cycle_anchor_config` (anchor Feb 28, day 31).
 */
export interface Cycle extends Recurrence {
  readonly anchor: Instant
  readonly day: number
}

const secondsPerWeek = 7 * secondsPerDay

/**
 * A day in UTC and the seconds into it. Months count from 1; a month outside 1–12 means the years
 * around.
 */
export interface Civil {
  readonly year: number
  readonly month: number
  readonly day: number
  readonly seconds: number
}

// Whole days and months over `Date.UTC`: a plan for 100,000 subscribers counts millions of dates,
// for which Temporal takes minutes. Temporal is the judge in the tests.
export function civil(at: Instant): Civil {
  const date = new Date(at * 1_000)
  const day = { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() }
  return { ...day, seconds: at - Date.UTC(day.year, day.month - 1, day.day) / 1_000 }
}

export function daysInMonth({ year, month }: Pick<Civil, 'year' | 'month'>): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate()
}

/** The instant of a civil time, its day clamped to the month. */
export function toInstant({ year, month, day, seconds }: Civil): Instant {
  return instant(Date.UTC(year, month - 1, Math.min(day, daysInMonth({ year, month }))) / 1_000 + seconds)
}

export function dayOfMonth(at: Instant): number {
  return civil(at).day
}

export function cycleOf(anchor: Instant, recurrence: Recurrence, day = dayOfMonth(anchor)): Cycle {
  assert(Number.isInteger(recurrence.count) && recurrence.count >= 1, `interval count ${recurrence.count}`)
  return { anchor, interval: recurrence.interval, count: recurrence.count, day }
}

/** Months in one period; undefined for days and weeks, which are a fixed number of seconds. */
export function monthsOf({ interval, count }: Recurrence): number | undefined {
  if (interval === 'month') return count
  return interval === 'year' ? 12 * count : undefined
}

/** The cycle's `n`-th date: 0 is the anchor's own, negative ones lie before it. */
export function chargeDate(cycle: Cycle, n: number): Instant {
  const months = monthsOf(cycle)
  if (months === undefined) {
    const seconds = cycle.count * (cycle.interval === 'week' ? secondsPerWeek : secondsPerDay)
    return instant(cycle.anchor + n * seconds)
  }
  const start = civil(cycle.anchor)
  // Always counted from the anchor, so that a short month on the way never shortens the later ones.
  return toInstant({ ...start, month: start.month + n * months, day: cycle.day })
}

/** Index of the first date strictly after `after`. */
export function indexAfter(cycle: Cycle, after: Instant): number {
  const months = monthsOf(cycle)
  const seconds =
    months === undefined
      ? cycle.count * (cycle.interval === 'week' ? secondsPerWeek : secondsPerDay)
      : (months * 365.2425 * secondsPerDay) / 12
  // A guess one or two periods early, then at most a few steps: month lengths differ by three days
  // only.
  let n = Math.floor((after - cycle.anchor) / seconds) - 2
  while (chargeDate(cycle, n) <= after) n += 1
  return n
}

/** The first charge date strictly after `after`. */
export function nextChargeDate(cycle: Cycle, after: Instant): Instant {
  return chargeDate(cycle, indexAfter(cycle, after))
}

/** The last charge date strictly before `before`. */
export function previousChargeDate(cycle: Cycle, before: Instant): Instant {
  return chargeDate(cycle, indexAfter(cycle, instant(before - 1)) - 1)
}

/** `count` charge dates from the first one strictly after `after`. */
export function chargeDatesAfter(cycle: Cycle, after: Instant, count: number): readonly Instant[] {
  const first = indexAfter(cycle, after)
  return Array.from({ length: count }, (_, i) => chargeDate(cycle, first + i))
}

/** Whether the cycle has a date exactly at `at`. */
export function isChargeDate(cycle: Cycle, at: Instant): boolean {
  return nextChargeDate(cycle, instant(at - 1)) === at
}

/**
 * `from` plus `n` periods (negative: before), as Stripe counts one natural period from a creation
 * time: the day clamped to the month.
 */
export function addPeriods(from: Instant, recurrence: Recurrence, n = 1): Instant {
  const months = monthsOf(recurrence)
  return months === undefined ? chargeDate(cycleOf(from, recurrence), n) : addMonths(from, n * months)
}

/**
 * Calendar months later (negative: earlier), the day clamped to the month. Discounts run in these.
 */
export function addMonths(from: Instant, months: number): Instant {
  const start = civil(from)
  return toInstant({ ...start, month: start.month + months })
}

/** The shortest of several recurrences, by the time one period takes. */
export function shortest(recurrences: readonly [Recurrence, ...Recurrence[]]): Recurrence {
  return recurrences.reduce((least, one) => (lengthInDays(one) < lengthInDays(least) ? one : least))
}

export function sameRecurrence(a: Recurrence, b: Recurrence): boolean {
  // 12 months and 1 year fall on the same dates, but Stripe counts them as different intervals; so
  // do we.
  return a.interval === b.interval && a.count === b.count
}

/** A typical length, for ordering and for windows; never for dates. */
export function lengthInDays({ interval, count }: Recurrence): number {
  const days = { day: 1, week: 7, month: 30.436875, year: 365.2425 }
  return days[interval] * count
}
