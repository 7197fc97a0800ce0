import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { chargeDate, cycleOf, nextChargeDate, type Cycle, type Recurrence } from '../../src/billing/calendar.ts'
import { discountForm, remainderOf, type CouponDuration } from '../../src/billing/discounts.ts'
import { formatInstant, instant, parseInstant, type Instant } from '../../src/core/instant.ts'
import { present } from '../../src/core/assert.ts'

const at = (text: string): Instant => present(parseInstant(text), text)
const monthly: Recurrence = { interval: 'month', count: 1 }

/**
 * Stripe's view: the discounted renewals of a subscription that is created at `now` without an
 * invoice.
 */
function discountedBy(duration: CouponDuration, renewals: readonly Instant[], now: Instant): Instant[] {
  if (duration.duration === 'forever') return [...renewals]
  if (duration.duration === 'once') return renewals.slice(0, 1)
  const start = new Date(now * 1_000)
  const month = start.getUTCMonth() + duration.duration_in_months
  const last = new Date(Date.UTC(start.getUTCFullYear(), month + 1, 0)).getUTCDate()
  const end =
    Date.UTC(
      start.getUTCFullYear(),
      month,
      Math.min(start.getUTCDate(), last),
      start.getUTCHours(),
      start.getUTCMinutes(),
      start.getUTCSeconds(),
    ) / 1_000
  return renewals.filter((renewal) => renewal < end)
}

interface Case {
  readonly cycle: Cycle
  readonly next: Instant
  readonly now: Instant
  readonly end: Instant
}

const aCase: fc.Arbitrary<Case> = fc
  .record({
    anchor: fc.integer({ min: at('2024-01-01T00:00:00Z'), max: at('2027-12-31T23:59:59Z') }).map(instant),
    recurrence: fc.oneof(
      fc.record({ interval: fc.constant('month' as const), count: fc.constantFrom(1, 1, 1, 2, 3, 6) }),
      fc.record({ interval: fc.constant('week' as const), count: fc.integer({ min: 1, max: 4 }) }),
      fc.record({ interval: fc.constant('year' as const), count: fc.constant(1) }),
    ),
    n: fc.integer({ min: 0, max: 20 }),
    where: fc.double({ min: 0, max: 0.999, noNaN: true }),
    // From the start of the subscription, from a renewal, or from any moment.
    months: fc.integer({ min: 1, max: 24 }),
    late: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 40 * 86_400 })),
  })
  .map(({ anchor, recurrence, n, where, months, late }) => {
    const cycle = cycleOf(anchor, recurrence)
    const from = chargeDate(cycle, n)
    const next = nextChargeDate(cycle, from)
    const now = instant(Math.floor(from + where * (next - from)))
    const start = new Date((from - 86_400 * 15 * (months % 5) + late) * 1_000)
    const end = instant(
      Math.floor(Date.UTC(start.getUTCFullYear(), start.getUTCMonth() + months, 1) / 1_000) +
        (start.getUTCDate() - 1) * 86_400 +
        (anchor % 86_400),
    )
    return { cycle, next, now, end }
  })

/** The errors of the form chosen for a case; empty when it is right. */
function problemOf({ cycle, next, now, end }: Case, inTrial: boolean): string {
  const old = { duration: 'repeating', end } as const
  const form = discountForm(remainderOf(old, cycle, next), cycle, now, inTrial)
  const renewals = [next]
  while (renewals.length < 130) renewals.push(nextChargeDate(cycle, present(renewals.at(-1), 'renewal')))
  const left = renewals.filter((renewal) => renewal < end)
  switch (form.form) {
    case 'drop':
      return left.length === 0 ? '' : 'a discount was dropped before its end'
    case 'carry': {
      const wrong = form.durations.filter((duration) => String(discountedBy(duration, renewals, now)) !== String(left))
      const once = inTrial && form.durations.some(({ duration }) => duration === 'once')
      return wrong.length === 0 && !once ? '' : `covers other renewals: ${JSON.stringify(wrong)}`
    }
    case 'wait': {
      const then = discountForm(remainderOf(old, cycle, nextChargeDate(cycle, form.until)), cycle, form.until, inTrial)
      const ahead = form.until > now && form.until < present(left.at(-1), 'last discounted renewal')
      return ahead && then.form === 'carry' ? '' : `waits in vain until ${formatInstant(form.until)}`
    }
    case 'refuse':
      return ''
  }
}

describe('a carried discount covers exactly the renewals that the old discount still covered', () => {
  test('exactly for every cycle, time and end; otherwise it waits or is refused', () => {
    const seen = { carry: 0, drop: 0, wait: 0, refuse: 0 }
    fc.assert(
      fc.property(aCase, fc.boolean(), ({ cycle, next, now, end }, inTrial) => {
        const remainder = remainderOf({ duration: 'repeating', end }, cycle, next)
        const form = discountForm(remainder, cycle, now, inTrial)
        seen[form.form] += 1
        expect(problemOf({ cycle, next, now, end }, inTrial)).toBe('')
      }),
      { numRuns: 1_500 },
    )
    expect(seen.carry).toBeGreaterThan(500)
    expect(seen.drop).toBeGreaterThan(20)
    expect(seen.wait).toBeGreaterThan(20)
  })
})

describe('examples of remaining discounts', () => {
  const cycle = cycleOf(at('2026-01-15T10:00:00Z'), monthly)
  const form = (end: string, next: string, now: string, inTrial = false) =>
    discountForm(remainderOf({ duration: 'repeating', end: at(end) }, cycle, at(next)), cycle, at(now), inTrial)

  test('a three-month coupon with one renewal left becomes one month, or once', () => {
    expect(form('2026-04-15T10:00:00Z', '2026-03-15T10:00:00Z', '2026-02-20T00:00:00Z')).toEqual({
      form: 'carry',
      durations: [{ duration: 'repeating', duration_in_months: 1 }, { duration: 'once' }],
    })
  })
  test('in trial, `once` is not offered, because a zero trial invoice may use it up', () => {
    expect(form('2026-04-15T10:00:00Z', '2026-03-15T10:00:00Z', '2026-02-20T00:00:00Z', true)).toEqual({
      form: 'carry',
      durations: [{ duration: 'repeating', duration_in_months: 1 }],
    })
  })
  test('an end exactly on a renewal leaves that renewal at full price', () => {
    expect(
      remainderOf({ duration: 'repeating', end: at('2026-05-15T10:00:00Z') }, cycle, at('2026-03-15T10:00:00Z')),
    ).toEqual({
      kind: 'renewals',
      count: 2,
      last: at('2026-04-15T10:00:00Z'),
      following: at('2026-05-15T10:00:00Z'),
    })
  })
  test('an end a few minutes after a renewal is uncertain and refused', () => {
    expect(form('2026-04-15T10:20:00Z', '2026-03-15T10:00:00Z', '2026-02-20T00:00:00Z').form).toBe('refuse')
  })
  test('an end before the next renewal leaves nothing to carry', () => {
    expect(form('2026-03-15T10:00:00Z', '2026-03-15T10:00:00Z', '2026-02-20T00:00:00Z')).toEqual({ form: 'drop' })
  })
  test('a yearly price keeps its discount for the one renewal within its months', () => {
    const yearly = cycleOf(at('2025-06-01T00:00:00Z'), { interval: 'year', count: 1 })
    const remainder = remainderOf(
      { duration: 'repeating', end: at('2026-07-01T00:00:00Z') },
      yearly,
      at('2026-06-01T00:00:00Z'),
    )
    expect(remainder).toMatchObject({ kind: 'renewals', count: 1 })
    expect(discountForm(remainder, yearly, at('2026-02-10T00:00:00Z'), false)).toMatchObject({
      durations: [{ duration: 'repeating', duration_in_months: 4 }, { duration: 'once' }],
    })
  })
  test('weekly renewals wait for the day on which whole months fit, or until one renewal is left', () => {
    const weekly = cycleOf(at('2026-03-02T00:00:00Z'), { interval: 'week', count: 1 })
    const remainder = remainderOf(
      { duration: 'repeating', end: at('2026-03-25T00:00:00Z') },
      weekly,
      at('2026-03-09T00:00:00Z'),
    )
    expect(remainder).toMatchObject({ count: 3, last: at('2026-03-23T00:00:00Z') })
    const choice = discountForm(remainder, weekly, at('2026-03-04T12:00:00Z'), false)
    expect(choice.form === 'wait' && formatInstant(choice.until)).toBe('2026-03-16T00:00:01Z')
  })
  test('`forever` stays; an unused `once` applies to the next renewal only', () => {
    expect(discountForm({ kind: 'forever' }, cycle, at('2026-02-20T00:00:00Z'), false)).toEqual({
      form: 'carry',
      durations: [{ duration: 'forever' }],
    })
    expect(remainderOf({ duration: 'once', end: null }, cycle, at('2026-03-15T10:00:00Z'))).toMatchObject({
      count: 1,
      last: at('2026-03-15T10:00:00Z'),
    })
  })
})
