import fc from 'fast-check'
import { expect, test } from 'vitest'
import { chooseAnchor, type AnchorChoice } from '../../src/billing/anchor.ts'
import { chargeDate, chargeDatesAfter, cycleOf, nextChargeDate, type Cycle } from '../../src/billing/calendar.ts'
import { discountForm, remainderOf, type CouponDuration } from '../../src/billing/discounts.ts'
import { instant, type Instant } from '../../src/core/instant.ts'
import { anchorFromConfig, boundary, oneStepAfter, type Cadence } from '../../src/sandbox/stripe/billing/calendar.ts'
import { discountEnd, discountRuns } from '../../src/sandbox/stripe/billing/discounting.ts'

// Compares the arithmetic of the plan with that of the sandbox, which shares no code with it.

const recurrences: fc.Arbitrary<Cadence> = fc
  .constantFrom<readonly [Cadence['interval'], number]>(
    ['month', 1],
    ['month', 1],
    ['month', 2],
    ['month', 3],
    ['month', 5],
    ['month', 6],
    ['month', 12],
    ['month', 18],
    ['year', 1],
    ['year', 2],
    ['year', 3],
    ['week', 1],
    ['week', 2],
    ['day', 1],
    ['day', 10],
    ['day', 90],
  )
  .map(([interval, count]) => ({ interval, count }))

/**
 * A cycle that begins on any day, often at the end of a month, and a time in one of its periods,
 * often near its ends.
 */
const moments = fc
  .record({
    recurrence: recurrences,
    year: fc.integer({ min: 2019, max: 2031 }),
    month: fc.integer({ min: 0, max: 11 }),
    day: fc.oneof(fc.integer({ min: 28, max: 31 }), fc.integer({ min: 1, max: 31 })),
    second: fc.oneof(fc.constantFrom(0, 86_399), fc.integer({ min: 0, max: 86_399 })),
    n: fc.integer({ min: 0, max: 40 }),
    after: fc.oneof(fc.constantFrom(0, 1, -1, 86_400), fc.integer({ min: 0, max: 400 * 86_400 })),
  })
  .map(({ recurrence, year, month, day, second, n, after }) => {
    const last = new Date(Date.UTC(year, month + 1, 0)).getUTCDate()
    const cycle = cycleOf(instant(Date.UTC(year, month, Math.min(day, last)) / 1_000 + second), recurrence)
    const from = chargeDate(cycle, n)
    const until = nextChargeDate(cycle, from)
    const now = instant(Math.min(until - 1, after < 0 ? until + after : from + after))
    return { cycle, now, next: nextChargeDate(cycle, now) }
  })

/**
 * The first 24 charge dates of the sandbox; undefined when it refuses the creation.
 */
function judged(choice: AnchorChoice, cycle: Cycle, now: Instant): readonly number[] | undefined {
  const series = (anchor: Parameters<typeof boundary>[0], first: number): readonly number[] => {
    let index = 0
    while (boundary(anchor, cycle, index) > first) index -= 1
    while (boundary(anchor, cycle, index) < first) index += 1
    return Array.from({ length: 24 }, (_, at) => boundary(anchor, cycle, index + at))
  }
  if (choice.form === 'plain') {
    const allowed = choice.anchor > now && choice.anchor <= oneStepAfter(now, cycle)
    return allowed ? series({ at: choice.anchor }, choice.anchor) : undefined
  }
  if (choice.form !== 'config') return undefined
  const { first, anchor } = anchorFromConfig({ month: null, ...choice.config }, cycle, now)
  return series(anchor, first)
}

test('24 charge dates: the sandbox charges on exactly the old dates, or the plan waits until it would', () => {
  const seen: Record<string, number> = {}
  fc.assert(
    fc.property(moments, ({ cycle, now, next }) => {
      const choice = chooseAnchor(cycle, next, now)
      seen[choice.form] = (seen[choice.form] ?? 0) + 1
      const then = choice.form === 'wait' ? choice.until : now
      const chosen = choice.form === 'wait' ? chooseAnchor(cycle, next, then) : choice
      expect(judged(chosen, cycle, then)).toEqual(chargeDatesAfter(cycle, now, 24))
    }),
    { numRuns: 6_000 },
  )
  for (const form of ['plain', 'config', 'wait']) expect(seen[form]).toBeGreaterThan(40)
})

const couponEnds = fc.record({ months: fc.integer({ min: 1, max: 24 }), late: fc.integer({ min: -400, max: 60 }) })

test('remaining discounts: the sandbox discounts exactly the renewals that the old coupon still covered', () => {
  let carried = 0
  fc.assert(
    fc.property(moments, couponEnds, ({ cycle, now, next }, { months, late }) => {
      // The coupon of an old subscription began with a renewal or on another day.
      const began = late % 3 === 0 ? next : next + late * 86_400
      const end = discountEnd('repeating', months, began)
      const old = { duration: 'repeating', end: end === null ? null : instant(end) } as const
      const form = discountForm(remainderOf(old, cycle, next), cycle, now, false)
      const renewals = chargeDatesAfter(cycle, now, 400)
      const left = renewals.filter((at) => discountRuns(end, at))
      expect(form.form === 'drop').toBe(left.length === 0)
      if (form.form !== 'carry') return
      carried += 1
      const taken = (one: CouponDuration): readonly Instant[] => {
        if (one.duration !== 'repeating') return renewals.slice(0, 1)
        const ends = discountEnd('repeating', one.duration_in_months, now)
        return renewals.filter((at) => discountRuns(ends, at))
      }
      for (const duration of form.durations) expect(taken(duration)).toEqual(left)
    }),
    { numRuns: 2_000 },
  )
  expect(carried).toBeGreaterThan(500)
})
