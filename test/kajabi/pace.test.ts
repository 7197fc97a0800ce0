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

  test('a refusal halves it, and is remembered', () => {
    const pace = new Pace({ spacing: 1_000, fastest: 500 })
    const before = starts(pace, 300)
    const now = before.at(-1) ?? 0
    pace.refused(now)
    const after = starts(pace, 200, now)
    expect((after[0] ?? 0) - now).toBe(1_000)
    expect((after[2] ?? 0) - (after[1] ?? 0)).toBe(1_000)
    // A fifth slower than the rate that was refused.
    expect((after.at(-1) ?? 0) - (after.at(-2) ?? 0)).toBe(600)
  })

  test('holds no request back for longer than five seconds, and comes back to the first rate', () => {
    const pace = new Pace({ spacing: 1_000, fastest: 600 })
    for (let i = 0; i < 20; i++) pace.refused(0)
    const all = starts(pace, 40)
    expect((all[1] ?? 0) - (all[0] ?? 0)).toBe(5_000)
    expect((all.at(-1) ?? 0) - (all.at(-2) ?? 0)).toBe(1_000)
  })

  test('a rate that the project sets is kept, also after a refusal', () => {
    const pace = new Pace({ spacing: 10_000 })
    pace.refused(0)
    expect(starts(pace, 2)).toEqual([10_000, 20_000])
  })
})
