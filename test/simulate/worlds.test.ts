import { expect, test } from 'vitest'
import { pairwiseWorlds, worldText } from '../../src/sandbox/kernel/unsure.ts'
import { simulate } from './simulate.ts'

/**
 * Together these worlds contain every pair of readings of Stripe's open questions.
 * `npm run simulate -- --worlds random` tries more.
 */
const seeds = [1_101, 1_102, 1_103, 1_104, 1_105, 1_106, 1_117, 1_108, 1_109, 1_110, 1_111, 1_112, 1_113, 1_114]
const worlds = pairwiseWorlds().map(
  (world, index) => [worldText(world) || 'as by default', world, seeds[index] ?? 1_200 + index] as const,
)

test.each(worlds)(
  'promises 1, 5 and 9 hold in the world %s',
  async (_, world, seed) => {
    const { broken, lines } = await simulate(seed, world)
    expect(broken === undefined ? [] : [broken, ...lines]).toEqual([])
  },
  180_000,
)
