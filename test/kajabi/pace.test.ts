import { describe, expect, test } from 'vitest'
import { Pace } from '../../src/kajabi/pace.ts'

/** Starts of this many requests, one ready as soon as the one before has started. */
function starts(pace: Pace, count: number, from = 0): readonly number[] {
  const all: number[] = []
  let now = from
  for (let i = 0; i < count; i++) {
    now = pace.start(now)
    all.push(now)
    pace.accepted()
  }
  return all
}

describe('the pace of requests', () => {
  test('is even without another limit', () => {
    expect(starts(new Pace({ spacing: 500 }), 60).at(-1)).toBe(59 * 500)
  })

  test('rises to the fastest while nothing is refused', () => {
    const all = starts(new Pace({ spacing: 1_000, fastest: 600 }), 300)
    expect((all[1] ?? 0) - (all[0] ?? 0)).toBe(1_000)
    expect((all.at(-1) ?? 0) - (all.at(-2) ?? 0)).toBe(600)
  })

  test('a refusal halves it, waits as long as it asks, and is remembered', () => {
    const pace = new Pace({ spacing: 1_000, fastest: 500 })
    const before = starts(pace, 300)
    const now = before.at(-1) ?? 0
    pace.refused(now, 30)
    const after = starts(pace, 200, now)
    expect((after[0] ?? 0) - now).toBe(30_000)
    expect((after[2] ?? 0) - (after[1] ?? 0)).toBe(1_000)
    // A fifth slower than the rate that was refused, for the rest of the run.
    expect((after.at(-1) ?? 0) - (after.at(-2) ?? 0)).toBe(600)
  })

  test('never stops for good, however often it is refused', () => {
    const pace = new Pace({ spacing: 1_000 })
    for (let i = 0; i < 20; i++) pace.refused(0, 0)
    const [first = 0, second = 0] = starts(pace, 2)
    expect(second - first).toBeLessThanOrEqual(30_000)
  })
})
