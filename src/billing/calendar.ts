import { Temporal } from 'temporal-polyfill'
import { assert } from '../core/assert.ts'
import { instant, secondsPerDay, type Instant } from '../core/instant.ts'

/**
 * The billing calendar: when a subscription is charged, given its anchor and its price's interval.
 * All arithmetic is in UTC, as Stripe's is. Source: https://docs.stripe.com/billing/subscriptions/billing-cycle
 */
export interface Recurrence {
  readonly interval: 'day' | 'week' | 'month' | 'year'
  /** Every n intervals, at least 1. */
  readonly count: number
}

/**
 * A billing cycle: dates repeat every `count` intervals through `anchor`. `day` is the day of the month it aims at, 1–31: months that lack it
 * bill on their last day. It is the anchor's own day, except where Stripe keeps another in `billing_cycle_anchor_config`
 * (anchor Feb 28, day 31).
 */
export interface Cycle extends Recurrence {
  readonly anchor: Instant
  readonly day: number
}

const secondsPerWeek = 7 * secondsPerDay

export function dateTime(at: Instant): Temporal.PlainDateTime {
  return Temporal.Instant.fromEpochMilliseconds(at * 1_000)
    .toZonedDateTimeISO('UTC')
    .toPlainDateTime()
}

export function toInstant(at: Temporal.PlainDateTime): Instant {
  return instant(at.toZonedDateTime('UTC').epochMilliseconds / 1_000)
}

export function dayOfMonth(at: Instant): number {
  return dateTime(at).day
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
  const start = dateTime(cycle.anchor)
  // Counted from the first of the month, so that a short month on the way never shortens the later ones.
  const month = start.with({ day: 1 }).add({ months: n * months })
  return toInstant(month.with({ day: Math.min(cycle.day, month.daysInMonth) }))
}

/** Index of the first date strictly after `after`. */
export function indexAfter(cycle: Cycle, after: Instant): number {
  const months = monthsOf(cycle)
  const seconds =
    months === undefined
      ? cycle.count * (cycle.interval === 'week' ? secondsPerWeek : secondsPerDay)
      : (months * 365.2425 * secondsPerDay) / 12
  // A guess one or two periods early, then at most a few steps: month lengths differ by three days only.
  let n = Math.floor((after - cycle.anchor) / seconds) - 2
  while (chargeDate(cycle, n) <= after) n += 1
  return n
}

/** The first charge date strictly after `after`. */
export function nextChargeDate(cycle: Cycle, after: Instant): Instant {
  return chargeDate(cycle, indexAfter(cycle, after))
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

/** `from` plus `n` periods (negative: before), as Stripe reckons one natural period from a creation time: the day clamped to the month. */
export function addPeriods(from: Instant, recurrence: Recurrence, n = 1): Instant {
  const months = monthsOf(recurrence)
  return months === undefined ? chargeDate(cycleOf(from, recurrence), n) : addMonths(from, n * months)
}

/** Calendar months later (negative: earlier), the day clamped to the month. Discounts run in these. */
export function addMonths(from: Instant, months: number): Instant {
  return toInstant(dateTime(from).add({ months }))
}

/** The shortest of several recurrences, by the time one period takes. */
export function shortest(recurrences: readonly [Recurrence, ...Recurrence[]]): Recurrence {
  return recurrences.reduce((least, one) => (lengthInDays(one) < lengthInDays(least) ? one : least))
}

export function sameRecurrence(a: Recurrence, b: Recurrence): boolean {
  // 12 months and 1 year fall on the same dates, but Stripe counts them as different intervals; so do we.
  return a.interval === b.interval && a.count === b.count
}

/** A typical length, for ordering and for windows; never for dates. */
export function lengthInDays({ interval, count }: Recurrence): number {
  const days = { day: 1, week: 7, month: 30.436875, year: 365.2425 }
  return days[interval] * count
}
