import { expect, test } from 'vitest'
import { simulate } from './simulate.ts'

/** A short run of what `npm run simulate` does at length; its seeds are fixed, so that a failure is the change's own. */
const seeds = Array.from({ length: 6 }, (_, index) => 1_001 + index)

test.each(seeds)('the promises hold in a random migration (SEED=%i)', async (seed) => {
  const { broken, lines } = await simulate(seed)
  expect(broken === undefined ? [] : [broken, ...lines]).toEqual([])
})
