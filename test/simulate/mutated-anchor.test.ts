import { expect, test, vi } from 'vitest'
import { tell } from './simulate.ts'

// Whole worlds in sequence: slow on a busy machine, but never waiting.
vi.setConfig({ testTimeout: 120_000 })

// Without the month-end case: the next date becomes the anchor, regardless of the day of the old
// cycle.
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

test('the simulation finds a missing month-end case', async () => {
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
