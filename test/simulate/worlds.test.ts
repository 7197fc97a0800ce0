import { expect, test } from 'vitest'
import { pairwiseWorlds, worldText } from '../../src/sandbox/kernel/unsure.ts'
import { simulate } from './simulate.ts'

/** Every pair of readings of what Stripe's documents leave open occurs in one of these worlds; `npm run simulate -- --worlds random` tries more. */
const worlds = pairwiseWorlds().map(
  (world, index) => [worldText(world) || 'as by default', world, 1_101 + index] as const,
)

test.each(worlds)(
  'promises 1, 5 and 9 hold in the world %s',
  async (_, world, seed) => {
    const { broken, lines } = await simulate(seed, world)
    expect(broken === undefined ? [] : [broken, ...lines]).toEqual([])
  },
  180_000,
)
