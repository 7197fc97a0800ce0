import { expect, test, vi } from 'vitest'
import { tell } from './simulate.ts'

// Whole worlds in sequence: slow on a busy machine, but never waiting.
vi.setConfig({ testTimeout: 120_000 })

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
      sides.old === 'live' ? real.decideCancel(sides) : { do: 'nothing', reason: 'already_cancelled' },
  }
})

test('the simulation finds that a settled old subscription counts as a cancelled member', async () => {
  const { broken } = await tell(
    0,
    [{ since: '2026-09-20T09:15:00Z' }],
    [
      { do: 'stage', member: 0, stage: 'target' },
      { do: 'apply', diesAt: undefined, faults: undefined },
      { do: 'days', days: 20 },
      { do: 'stage', member: 0, stage: 'settled' },
      { do: 'apply', diesAt: undefined, faults: undefined },
      { do: 'cancel', member: 0, by: 'signal', arrives: 'once', diesAt: undefined },
    ],
  )
  expect(broken).toMatch(/^promise 9/)
})
