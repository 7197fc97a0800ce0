import { expect, test, vi } from 'vitest'
import { found, rehearsed } from './broken-rule.ts'

const broken = vi.hoisted(() => ({ now: false }))

// Without the month-end case: the next date becomes the anchor, regardless of the day of the old
// cycle.
vi.mock(import('../../src/billing/anchor.ts'), async (original) => {
  const real = await original()
  return {
    ...real,
    chooseAnchor: (cycle, next, now) => {
      const choice = real.chooseAnchor(cycle, next, now)
      return broken.now && choice.form === 'config' ? { form: 'plain', anchor: choice.anchor } : choice
    },
  }
})

test('the rehearsal finds a missing month-end case', async () => {
  // Moved while the next date is the last day of a short month: 30 November of a cycle on the 31st.
  const trial = { people: [{ since: '2026-08-31T10:00:00Z' }], now: '2026-11-05T12:00:00Z', months: 3 }
  expect(found(await rehearsed(trial))).toBe('nothing')
  broken.now = true
  expect(found(await rehearsed(trial))).toMatch(/date_differs|not_moved/)
})
