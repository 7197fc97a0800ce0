import { expect, test, vi } from 'vitest'
import { tell } from './simulate.ts'

// Whole worlds one after the other: slow on a busy machine, never waiting for anything.
vi.setConfig({ testTimeout: 120_000 })

// The month-end case dropped: the next date is taken for the anchor, whatever day the old cycle is
// on.
vi.mock(import('../../src/billing/anchor.ts'), async (original) => {
  const real = await original()
  return {
    ...real,
    chooseAnchor: (cycle, next, now) => {
      const choice = real.chooseAnchor(cycle, next, now)
      return choice.form === 'config' ? { form: 'plain', anchor: choice.anchor } : choice
    },
  }
})

test('the simulation finds that the month-end case is dropped', async () => {
  const { broken } = await tell(
    0,
    [{ since: '2026-08-31T10:00:00Z' }],
    [
      { do: 'days', days: 30 },
      { do: 'stage', member: 0, stage: 'target' },
      { do: 'apply', diesAt: undefined, faults: undefined },
    ],
  )
  expect(broken).toMatch(/^(promise 2|clean run)/)
})
