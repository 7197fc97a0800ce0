import { present } from '../../core/assert.ts'
import { generator } from '../kernel/ids.ts'

/**
 * Random draws that depend only on the world's seed and a label, so that one member's life does not
 * change another's.
 */
export interface Chance {
  /** A whole number from `least` to `most`, both included. */
  whole(least: number, most: number): number
  /** True with this probability, 0 to 1. */
  happens(share: number): boolean
  pick<T>(from: readonly T[]): T
  /** One of the keys, with a probability in proportion to its weight. */
  weighted<K extends string>(weights: Readonly<Record<K, number>>): K
}

export function chanceOf(seed: number, label: string): Chance {
  const next = generator(seed, `population/${label}`)
  const whole = (least: number, most: number): number => least + Math.floor(next() * (most - least + 1))
  return {
    whole,
    happens: (share) => next() < share,
    pick: (from) => present(from[whole(0, from.length - 1)], 'something to pick from'),
    weighted<K extends string>(weights: Readonly<Record<K, number>>): K {
      const entries = Object.entries(weights) as [K, number][]
      let draw = next() * entries.reduce((sum, [, weight]) => sum + weight, 0)
      for (const [key, weight] of entries) {
        if (draw < weight) return key
        draw -= weight
      }
      return present(entries.at(-1), 'a last entry')[0]
    },
  }
}

/** The numbers from 0 to n−1 in an order that depends only on the seed. */
export function shuffled(seed: number, label: string, n: number): number[] {
  const chance = chanceOf(seed, label)
  const order = Array.from({ length: n }, (_, index) => index)
  for (let at = n - 1; at > 0; at--) {
    const other = chance.whole(0, at)
    const [a, b] = [present(order[at], 'entry'), present(order[other], 'entry')]
    order[at] = b
    order[other] = a
  }
  return order
}

/** A whole number below `limit` that depends only on an id: the same in every world and account. */
export function spread(id: string, limit: number): number {
  let sum = 0
  for (let at = 0; at < id.length; at++) sum = (sum * 31 + id.charCodeAt(at)) % 1_000_003
  return sum % limit
}
