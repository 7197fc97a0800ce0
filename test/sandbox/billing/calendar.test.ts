import fc from 'fast-check'
import { Temporal } from 'temporal-polyfill'
import { describe, expect, test } from 'vitest'
import {
  addMonths,
  anchorFromConfig,
  boundary,
  nextBoundary,
  periodAround,
  type Interval,
} from '../../../src/sandbox/stripe/billing/calendar.ts'

const at = (iso: string): number => Date.parse(iso) / 1_000
const iso = (seconds: number): string => new Date(seconds * 1_000).toISOString().slice(0, 19)

describe('billing dates count from the anchor', () => {
  test('an anchor on 31 January bills on 28 February, 31 March, 30 April (docs.stripe.com/billing/subscriptions/billing-cycle)', () => {
    const anchor = { at: at('2027-01-31T09:15:00Z') }
    const dates = [1, 2, 3].map((index) => iso(boundary(anchor, { interval: 'month', count: 1 }, index)))
    expect(dates).toEqual(['2027-02-28T09:15:00', '2027-03-31T09:15:00', '2027-04-30T09:15:00'])
  })

  test('an anchor on 31 January bills on 29 February of a leap year', () => {
    expect(iso(boundary({ at: at('2028-01-31T00:00:00Z') }, { interval: 'month', count: 1 }, 1))).toBe(
      '2028-02-29T00:00:00',
    )
  })

  test('an anchor on 29 February bills yearly on 28 February and returns to the 29th', () => {
    const dates = [1, 2, 3, 4].map((index) =>
      iso(boundary({ at: at('2024-02-29T12:00:00Z') }, { interval: 'year', count: 1 }, index)).slice(0, 10),
    )
    expect(dates).toEqual(['2025-02-28', '2026-02-28', '2027-02-28', '2028-02-29'])
  })

  test('an anchor on 30 April stays on the 30th permanently: it does not contain the 31st', () => {
    expect(
      iso(
        nextBoundary({ at: at('2027-04-30T00:00:00Z') }, { interval: 'month', count: 1 }, at('2027-04-30T00:00:00Z')),
      ),
    ).toBe('2027-05-30T00:00:00')
  })

  test('every boundary is the calendar sum of an independent library, for all anchors, cadences and steps', () => {
    const intervals: Interval[] = ['day', 'week', 'month', 'year']
    fc.assert(
      fc.property(
        fc.integer({ min: at('1999-01-01T00:00:00Z'), max: at('2040-01-01T00:00:00Z') }),
        fc.constantFrom(...intervals),
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: -40, max: 80 }),
        (anchor, interval, count, index) => {
          const zoned = Temporal.Instant.fromEpochMilliseconds(anchor * 1_000).toZonedDateTimeISO('UTC')
          const expected = zoned.add({ [`${interval}s`]: index * count }).epochMilliseconds / 1_000
          expect(boundary({ at: anchor }, { interval, count }, index)).toBe(expected)
        },
      ),
      { numRuns: 2_000 },
    )
  })

  test('every instant is in exactly one period, without gaps', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: at('2015-01-01T00:00:00Z'), max: at('2030-01-01T00:00:00Z') }),
        fc.constantFrom<Interval>('day', 'week', 'month', 'year'),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: at('2010-01-01T00:00:00Z'), max: at('2035-01-01T00:00:00Z') }),
        (anchor, interval, count, now) => {
          const period = periodAround({ at: anchor }, { interval, count }, now)
          expect(period.start).toBeLessThanOrEqual(now)
          expect(period.end).toBeGreaterThan(now)
          expect(periodAround({ at: anchor }, { interval, count }, period.end).start).toBe(period.end)
        },
      ),
      { numRuns: 2_000 },
    )
  })
})

describe('an anchor config is the next occurrence of its day and time', () => {
  const config = { day_of_month: 31, month: null, hour: 9, minute: 15, second: 0 }
  const monthly = { interval: 'month', count: 1 } as const

  test('day 31, requested in February, bills on 28 February first and on 31 March next', () => {
    const { first, anchor } = anchorFromConfig(config, monthly, at('2027-02-10T00:00:00Z'))
    expect(iso(first)).toBe('2027-02-28T09:15:00')
    expect(iso(anchor.at)).toBe('2027-03-31T09:15:00')
    expect(iso(periodAround(anchor, monthly, first).start)).toBe('2027-02-28T09:15:00')
  })

  test('the documented case: two-monthly, made in February, day 31: first full invoice on 28 February, anchor on 31 August', () => {
    const twoMonthly = { interval: 'month', count: 2 } as const
    const { first, anchor } = anchorFromConfig(config, twoMonthly, at('2027-02-10T00:00:00Z'))
    expect([iso(first), iso(anchor.at)]).toEqual(['2027-02-28T09:15:00', '2027-08-31T09:15:00'])
    expect(iso(periodAround(anchor, twoMonthly, first).end)).toBe('2027-04-30T09:15:00')
  })

  test('a yearly 29 February waits for a leap year; a day that its month never has becomes the last day', () => {
    const yearly = { interval: 'year', count: 1 } as const
    const leap = anchorFromConfig({ ...config, day_of_month: 29, month: 2 }, yearly, at('2026-06-01T00:00:00Z'))
    expect([iso(leap.first), iso(leap.anchor.at)]).toEqual(['2027-02-28T09:15:00', '2028-02-29T09:15:00'])
    const never = anchorFromConfig({ ...config, day_of_month: 30, month: 2 }, yearly, at('2026-06-01T00:00:00Z'))
    expect(iso(boundary(never.anchor, yearly, 1))).toBe('2028-02-29T09:15:00')
  })

  test('the default time of day is that of the creation', () => {
    const { anchor } = anchorFromConfig(
      { ...config, hour: null, minute: null, second: null },
      monthly,
      at('2027-01-31T10:20:30Z'),
    )
    expect(iso(anchor.at)).toBe('2027-01-31T10:20:30')
  })

  test('a month sets the phase of longer prices and the first full invoice falls within one period', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 31 }),
        fc.integer({ min: 1, max: 12 }),
        fc.constantFrom(1, 2, 3, 4, 6, 12),
        fc.integer({ min: at('2020-01-01T00:00:00Z'), max: at('2032-01-01T00:00:00Z') }),
        (day, month, count, now) => {
          const cadence = { interval: 'month', count } as const
          const { first, anchor } = anchorFromConfig({ ...config, day_of_month: day, month }, cadence, now)
          expect(first).toBeGreaterThanOrEqual(now)
          expect(first).toBeLessThanOrEqual(addMonths(now, count) + 4 * 86_400)
          expect((new Date(first * 1_000).getUTCMonth() + 1 - month) % count).toBeCloseTo(0)
          expect(periodAround(anchor, cadence, first).start).toBe(first)
        },
      ),
      { numRuns: 2_000 },
    )
  })
})
