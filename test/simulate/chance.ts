/** A seeded random source: the same seed gives the same story. (Mulberry32.) */
export interface Chance {
  /** In [0, 1). */
  next(): number
  /** From `low` to `high`, both included. */
  between(low: number, high: number): number
  one<T>(of: readonly T[]): T
  /** True with this probability. */
  happens(probability: number): boolean
}

export function chance(seed: number): Chance {
  let state = (seed * 0x9e3779b1) >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const between = (low: number, high: number): number => low + Math.floor(next() * (high - low + 1))
  return {
    next,
    between,
    one: (of) => of[between(0, of.length - 1)] as (typeof of)[number],
    happens: (probability) => next() < probability,
  }
}
