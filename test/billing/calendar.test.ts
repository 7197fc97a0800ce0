import fc from 'fast-check'
import { Temporal } from 'temporal-polyfill'
import { describe, expect, test } from 'vitest'
import {
  addPeriods,
  chargeDate,
  chargeDatesAfter,
  cycleOf,
  isChargeDate,
  lengthInDays,
  nextChargeDate,
  sameRecurrence,
  shortest,
  type Recurrence,
} from '../../src/billing/calendar.ts'
import { formatInstant, instant, parseInstant, type Instant } from '../../src/core/instant.ts'
import { present } from '../../src/core/assert.ts'

const at = (text: string): Instant => present(parseInstant(text), text)
const dates = (anchor: string, recurrence: Recurrence, count: number, day?: number): string[] =>
  Array.from({ length: count }, (_, n) => formatInstant(chargeDate(cycleOf(at(anchor), recurrence, day), n)))

describe('charge dates are those of Stripe’s documentation', () => {
  test('a monthly anchor on 31 January bills on the last day of shorter months and returns to the 31st', () => {
    expect(dates('2026-01-31T09:15:00Z', { interval: 'month', count: 1 }, 5)).toEqual([
      '2026-01-31T09:15:00Z',
      '2026-02-28T09:15:00Z',
      '2026-03-31T09:15:00Z',
      '2026-04-30T09:15:00Z',
      '2026-05-31T09:15:00Z',
    ])
  })
  test('a yearly anchor on 29 February bills on the 28th in common years and on the 29th in leap years', () => {
    expect(dates('2024-02-29T00:00:01Z', { interval: 'year', count: 1 }, 5)).toEqual([
      '2024-02-29T00:00:01Z',
      '2025-02-28T00:00:01Z',
      '2026-02-28T00:00:01Z',
      '2027-02-28T00:00:01Z',
      '2028-02-29T00:00:01Z',
    ])
  })
  test('a weekly anchor keeps its weekday and time', () => {
    expect(dates('2026-06-05T23:59:59Z', { interval: 'week', count: 2 }, 3)).toEqual([
      '2026-06-05T23:59:59Z',
      '2026-06-19T23:59:59Z',
      '2026-07-03T23:59:59Z',
    ])
  })
  test('an anchor that Stripe computed in February aims at the day of its anchor config', () => {
    expect(dates('2026-02-28T09:15:00Z', { interval: 'month', count: 1 }, 3, 31)).toEqual([
      '2026-02-28T09:15:00Z',
      '2026-03-31T09:15:00Z',
      '2026-04-30T09:15:00Z',
    ])
  })
})

/** The same calendar by Temporal, as an independent check. */
function byTemporal(anchor: Instant, { interval, count }: Recurrence, n: number): number {
  const start = Temporal.Instant.fromEpochMilliseconds(anchor * 1_000).toZonedDateTimeISO('UTC')
  return start.add({ [`${interval}s`]: n * count }).epochMilliseconds / 1_000
}

const anInstant = fc.integer({ min: at('2015-01-01T00:00:00Z'), max: at('2040-12-31T23:59:59Z') }).map(instant)
const aRecurrence: fc.Arbitrary<Recurrence> = fc.oneof(
  fc.record({ interval: fc.constant('day' as const), count: fc.integer({ min: 1, max: 365 }) }),
  fc.record({ interval: fc.constant('week' as const), count: fc.integer({ min: 1, max: 52 }) }),
  fc.record({ interval: fc.constant('month' as const), count: fc.integer({ min: 1, max: 36 }) }),
  fc.record({ interval: fc.constant('year' as const), count: fc.integer({ min: 1, max: 3 }) }),
)

describe('the calendar is right for every anchor, interval and time', () => {
  test('every date equals the one that Temporal computes', () => {
    fc.assert(
      fc.property(anInstant, aRecurrence, fc.integer({ min: -40, max: 40 }), (anchor, recurrence, n) => {
        expect(chargeDate(cycleOf(anchor, recurrence), n)).toBe(byTemporal(anchor, recurrence, n))
      }),
      { numRuns: 4_000 },
    )
  })
  test('the next date is after now and is the first date of the cycle after now', () => {
    fc.assert(
      fc.property(anInstant, aRecurrence, anInstant, (anchor, recurrence, now) => {
        const cycle = cycleOf(anchor, recurrence)
        const next = nextChargeDate(cycle, now)
        expect(next).toBeGreaterThan(now)
        expect(isChargeDate(cycle, next)).toBe(true)
        expect(isChargeDate(cycle, instant(next + 1))).toBe(false)
        const [first, second] = chargeDatesAfter(cycle, instant(next - 1), 2)
        expect(first).toBe(next)
        expect(second).toBe(nextChargeDate(cycle, next))
        const before = chargeDatesAfter(cycle, instant(now - 40 * 86_400 * Math.ceil(lengthInDays(recurrence))), 400)
        expect(before.filter((one) => one > now && one < next)).toEqual([])
      }),
      { numRuns: 100 },
    )
  })
  test('adding a period clamps the day to the month and keeps the time of day', () => {
    fc.assert(
      fc.property(anInstant, aRecurrence, (from, recurrence) => {
        expect(addPeriods(from, recurrence)).toBe(byTemporal(from, recurrence, 1))
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('recurrences', () => {
  test('the shortest of several recurrences is the one whose period ends first', () => {
    expect(
      shortest([
        { interval: 'year', count: 1 },
        { interval: 'month', count: 3 },
        { interval: 'week', count: 14 },
      ]),
    ).toEqual({ interval: 'month', count: 3 })
  })
  test('three months and one month are different recurrences, and so are twelve months and a year', () => {
    expect(sameRecurrence({ interval: 'month', count: 3 }, { interval: 'month', count: 1 })).toBe(false)
    expect(sameRecurrence({ interval: 'month', count: 12 }, { interval: 'year', count: 1 })).toBe(false)
    expect(sameRecurrence({ interval: 'month', count: 3 }, { interval: 'month', count: 3 })).toBe(true)
  })
})
