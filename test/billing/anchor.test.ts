import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { chooseAnchor, chooseTrialAnchor, cycleCreated, type AnchorChoice } from '../../src/billing/anchor.ts'
import {
  addPeriods,
  chargeDate,
  chargeDatesAfter,
  cycleOf,
  indexAfter,
  nextChargeDate,
  type Cycle,
  type Recurrence,
} from '../../src/billing/calendar.ts'
import { formatInstant, instant, parseInstant, type Instant } from '../../src/core/instant.ts'
import { present } from '../../src/core/assert.ts'

const at = (text: string): Instant => present(parseInstant(text), text)
const monthly: Recurrence = { interval: 'month', count: 1 }

/**
 * Stripe's behaviour from its documentation, with JavaScript's dates only. The anchor must be
 * within one natural period. A config uses the next occurrence of its day (in its month), clamped
 * to short months, and keeps that day for later periods.
 */
function stripeDates(choice: AnchorChoice, recurrence: Recurrence, now: Instant, count: number): number[] | 'refused' {
  if (choice.form !== 'plain' && choice.form !== 'config' && choice.form !== 'trial') return 'refused'
  if (choice.form === 'trial')
    return series(choice.trialEnd, new Date(choice.trialEnd * 1_000).getUTCDate(), recurrence, count)
  if (choice.form === 'plain') {
    if (choice.anchor <= now || choice.anchor > series(now, new Date(now * 1_000).getUTCDate(), recurrence, 2)[1]!)
      return 'refused'
    return series(choice.anchor, new Date(choice.anchor * 1_000).getUTCDate(), recurrence, count)
  }
  const { day_of_month: day, month, hour, minute, second } = choice.config
  const start = new Date(now * 1_000)
  for (let ahead = 0; ahead < 60; ahead++) {
    const first = new Date(Date.UTC(start.getUTCFullYear(), start.getUTCMonth() + ahead, 1))
    if (month !== undefined && first.getUTCMonth() + 1 !== month) continue
    const last = new Date(Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + 1, 0)).getUTCDate()
    const found =
      Date.UTC(first.getUTCFullYear(), first.getUTCMonth(), Math.min(day, last), hour, minute, second) / 1_000
    if (found <= now) continue
    return found > series(now, start.getUTCDate(), recurrence, 2)[1]!
      ? 'refused'
      : series(found, day, recurrence, count)
  }
  return 'refused'
}

function series(anchor: number, day: number, { interval, count: every }: Recurrence, count: number): number[] {
  return Array.from({ length: count }, (_, n) => {
    if (interval === 'day' || interval === 'week') return anchor + n * every * (interval === 'day' ? 86_400 : 604_800)
    const start = new Date(anchor * 1_000)
    const month = start.getUTCMonth() + n * every * (interval === 'year' ? 12 : 1)
    const last = new Date(Date.UTC(start.getUTCFullYear(), month + 1, 0)).getUTCDate()
    return (
      Date.UTC(
        start.getUTCFullYear(),
        month,
        Math.min(day, last),
        start.getUTCHours(),
        start.getUTCMinutes(),
        start.getUTCSeconds(),
      ) / 1_000
    )
  })
}

const aRecurrence: fc.Arbitrary<Recurrence> = fc.oneof(
  {
    weight: 1,
    arbitrary: fc.record({ interval: fc.constant('day' as const), count: fc.integer({ min: 1, max: 365 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ interval: fc.constant('week' as const), count: fc.integer({ min: 1, max: 52 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      interval: fc.constant('month' as const),
      count: fc.constantFrom(1, 1, 1, 2, 3, 4, 5, 6, 7, 12, 18, 24, 36),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ interval: fc.constant('year' as const), count: fc.integer({ min: 1, max: 3 }) }),
  },
)
/** Many anchors are at the ends of months, where errors are likely. */
const anAnchor = fc
  .record({
    year: fc.integer({ min: 2018, max: 2032 }),
    month: fc.integer({ min: 0, max: 11 }),
    day: fc.oneof(fc.integer({ min: 27, max: 31 }), fc.integer({ min: 1, max: 31 })),
    second: fc.oneof(fc.constantFrom(0, 86_399), fc.integer({ min: 0, max: 86_399 })),
  })
  .map(({ year, month, day, second }) => {
    const last = new Date(Date.UTC(year, month + 1, 0)).getUTCDate()
    return instant(Date.UTC(year, month, Math.min(day, last)) / 1_000 + second)
  })
const aCycle = fc
  .record({ anchor: anAnchor, recurrence: aRecurrence, config: fc.boolean() })
  .map(({ anchor, recurrence, config }) => {
    const last = new Date(anchor * 1_000)
    const isLast = new Date((anchor + 86_400) * 1_000).getUTCDate() === 1
    const byMonth = recurrence.interval === 'month' || recurrence.interval === 'year'
    // A config in a short month created some of the anchors.
    return cycleOf(anchor, recurrence, config && isLast && byMonth ? 31 : last.getUTCDate())
  })
/** Now: anywhere in the current period, often right after a renewal or right before the next. */
const aMoment = fc
  .record({
    cycle: aCycle,
    n: fc.integer({ min: 0, max: 60 }),
    where: fc.oneof(fc.constantFrom(0, 0.000_001, 0.5, 0.999_99), fc.double({ min: 0, max: 0.999_999, noNaN: true })),
  })
  .map(({ cycle, n, where }) => {
    const from = chargeDate(cycle, n)
    const next = nextChargeDate(cycle, from)
    return { cycle, next, now: instant(Math.min(next - 1, Math.floor(from + where * (next - from)))) }
  })

describe('the new subscription bills on the old one’s next 24 dates', () => {
  test('in every form, Stripe computes exactly the old dates, or the move waits', () => {
    const seen = { plain: 0, config: 0, wait: 0, trial: 0, refuse: 0 }
    fc.assert(
      fc.property(aMoment, ({ cycle, next, now }) => {
        const choice = chooseAnchor(cycle, next, now)
        seen[choice.form] += 1
        expect(choice.form).not.toBe('refuse')
        if (choice.form === 'wait') return
        expect(stripeDates(choice, cycle, now, 24)).toEqual(chargeDatesAfter(cycle, now, 24))
        const created = present(cycleCreated(choice, cycle), 'created cycle')
        expect(chargeDatesAfter(created, now, 24)).toEqual(chargeDatesAfter(cycle, now, 24))
      }),
      { numRuns: 8_000 },
    )
    expect(seen.plain).toBeGreaterThan(1_000)
    // The average is about 115 of 8,000, so this limit does not fail by chance.
    expect(seen.config).toBeGreaterThan(50)
    expect(seen.wait).toBeGreaterThan(20)
  })
  test('waiting ends exactly at the named second, before the renewal', () => {
    let waits = 0
    fc.assert(
      fc.property(aMoment, ({ cycle, next, now }) => {
        const choice = chooseAnchor(cycle, next, now)
        if (choice.form !== 'wait') return
        waits += 1
        expect(choice.until).toBeGreaterThan(now)
        expect(choice.until).toBeLessThan(next)
        expect(chooseAnchor(cycle, next, instant(choice.until - 1)).form).toBe('wait')
        expect(['plain', 'config']).toContain(chooseAnchor(cycle, next, choice.until).form)
      }),
      { numRuns: 8_000 },
    )
    expect(waits).toBeGreaterThan(20)
  })
  test('an anchor that is allowed now stays allowed until the renewal, so that a plan does not expire by itself', () => {
    fc.assert(
      fc.property(aMoment, fc.double({ min: 0, max: 1, noNaN: true }), ({ cycle, next, now }, share) => {
        if (chooseAnchor(cycle, next, now).form === 'wait') return
        const later = instant(Math.floor(now + share * (next - 1 - now)))
        expect(chooseAnchor(cycle, next, later)).toEqual(chooseAnchor(cycle, next, now))
      }),
      { numRuns: 3_000 },
    )
  })
  test('a date outside the cycle is refused and never adjusted', () => {
    fc.assert(
      fc.property(aMoment, fc.integer({ min: 1, max: 3_600 }), ({ cycle, next, now }, off) => {
        expect(chooseAnchor(cycle, instant(next + off), now).form).toBe('refuse')
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('cases in which other migrations lost money', () => {
  const anchored31 = cycleOf(at('2025-01-31T09:15:00Z'), monthly)
  const choose = (next: string, now: string, cycle: Cycle = anchored31) => chooseAnchor(cycle, at(next), at(now))

  test('anchored on the 31st, moved in April: uses an anchor config, because a plain 30 April would always bill on the 30th', () => {
    expect(choose('2026-04-30T09:15:00Z', '2026-04-10T00:00:00Z')).toEqual({
      form: 'config',
      anchor: at('2026-04-30T09:15:00Z'),
      config: { day_of_month: 31, hour: 9, minute: 15, second: 0 },
    })
  })
  test('anchored on the 31st, moved right after the February renewal: waits, because 31 March is more than one month ahead', () => {
    const choice = choose('2026-03-31T09:15:00Z', '2026-02-28T10:00:00Z')
    expect(choice).toEqual({ form: 'wait', until: at('2026-03-01T00:00:00Z') })
    expect(choose('2026-03-31T09:15:00Z', '2026-03-01T00:00:00Z')).toEqual({
      form: 'plain',
      anchor: at('2026-03-31T09:15:00Z'),
    })
  })
  test('yearly from a leap day: uses an anchor config with its month', () => {
    const cycle = cycleOf(at('2024-02-29T12:00:00Z'), { interval: 'year', count: 1 })
    expect(choose('2027-02-28T12:00:00Z', '2026-12-01T00:00:00Z', cycle)).toEqual({
      form: 'config',
      anchor: at('2027-02-28T12:00:00Z'),
      config: { day_of_month: 29, month: 2, hour: 12, minute: 0, second: 0 },
    })
  })
  test('every three years from a leap day: waits for the year of the renewal, when the config is unambiguous', () => {
    const cycle = cycleOf(at('2024-02-29T12:00:00Z'), { interval: 'year', count: 3 })
    expect(choose('2027-02-28T12:00:00Z', '2024-06-01T00:00:00Z', cycle)).toEqual({
      form: 'wait',
      until: at('2027-01-01T00:00:00Z'),
    })
  })
  test('exactly one period ahead is allowed, one second more is not', () => {
    const cycle = cycleOf(at('2026-01-15T08:00:00Z'), monthly)
    const next = at('2026-03-15T08:00:00Z')
    expect(chooseAnchor(cycle, next, at('2026-02-15T08:00:00Z')).form).toBe('plain')
    expect(chooseAnchor(cycle, next, at('2026-02-15T07:59:59Z'))).toEqual({
      form: 'wait',
      until: at('2026-02-15T08:00:00Z'),
    })
    expect(addPeriods(at('2026-02-15T08:00:00Z'), monthly)).toBe(next)
  })
})

describe('a subscription in trial is anchored by the end of its trial only', () => {
  test('the dates after the trial are the old ones, for every cycle that begins there', () => {
    fc.assert(
      fc.property(aMoment, ({ cycle, next, now }) => {
        const choice = chooseTrialAnchor(cycle, next, now)
        const offDay = new Date(next * 1_000).getUTCDate() !== cycle.day
        const byMonth = cycle.interval === 'month' || cycle.interval === 'year'
        expect(choice.form === 'refuse').toBe(offDay && byMonth)
        if (choice.form === 'refuse') return
        const then = choice.form === 'wait' ? choice.until : now
        expect(choice.form === 'wait').toBe(then > now)
        const opened = chooseTrialAnchor(cycle, next, then)
        expect(stripeDates(opened, cycle, then, 24)).toEqual(chargeDatesAfter(cycle, instant(next - 1), 24))
      }),
      { numRuns: 3_000 },
    )
  })
  test('an anchor that does not move to the end of the trial is refused', () => {
    const cycle = cycleOf(at('2026-01-31T09:15:00Z'), monthly)
    expect(chooseTrialAnchor(cycle, at('2026-02-28T09:15:00Z'), at('2026-02-10T00:00:00Z')).form).toBe('refuse')
    expect(chooseTrialAnchor(cycle, at('2026-02-14T09:15:00Z'), at('2026-02-10T00:00:00Z')).form).toBe('refuse')
    expect(indexAfter(cycle, at('2026-02-10T00:00:00Z'))).toBe(1)
    expect(formatInstant(nextChargeDate(cycle, at('2026-02-10T00:00:00Z')))).toBe('2026-02-28T09:15:00Z')
  })
})
