import { expect, test, vi } from 'vitest'
import { found, foundBySomeSeed, rehearsed } from './broken-rule.ts'

const broken = vi.hoisted(() => ({ now: false }))

// The subscription that the store names as the payer ends first, whatever is decided afterwards.
// Here the store names none.
vi.mock(import('../../src/engine/inbox/payer.ts'), async (original) => ({
  ...(await original()),
  payerOf: async () => undefined,
}))

// "Already cancelled" in the old account counts as success, without a search for a successor.
vi.mock(import('../../src/cancel/decide.ts'), async (original) => {
  const real = await original()
  return {
    ...real,
    decideCancel: (sides) =>
      !broken.now || sides.old === 'live' ? real.decideCancel(sides) : { do: 'nothing', reason: 'already_cancelled' },
  }
})

test('the rehearsal finds that a settled old subscription counts as a cancelled member', async () => {
  // With this seed a member cancels in Kajabi in the tenth week, two weeks after the old
  // subscription was settled.
  const people = Array.from({ length: 3 }, (_, index) => ({ since: `2026-09-${10 + index}T09:15:00Z` }))
  const trial = { people, months: 4, faults: true, seed: 5 }
  expect(found(await rehearsed(trial))).toBe('nothing')
  broken.now = true
  const report = await foundBySomeSeed(trial)
  expect(found(report)).toMatch(/double/)
  expect(report.differences[0]).toMatchObject({
    cause: 'The member had left and was still charged.',
    evidence: expect.stringMatching(/^cancels in Kajabi at /) as string,
  })
})
