import { expect, test } from 'vitest'
import { simulate, storyOf } from './simulate.ts'

/** Small stories in which two subscriptions of one customer share a credit. */
const seeds = [1, 26, 202]

test.each(seeds)(
  'the promises hold where subscriptions share money of their customer (SEED=%i)',
  async (seed) => {
    expect(storyOf(seed, 'shared').people.some(({ credit }) => credit !== undefined)).toBe(true)
    const { broken, lines } = await simulate(seed, undefined, 'shared')
    expect(broken === undefined ? [] : [broken, ...lines]).toEqual([])
  },
  240_000,
)
