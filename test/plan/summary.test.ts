import { expect, test } from 'vitest'
import { summaryOf as applySummary } from '../../src/engine/apply/summary.ts'
import { summaryOf } from '../../src/plan/assemble.ts'

const blockedFor = (address: string, code: string) => ({ address, code, message: '', fix: '' })

test('an entry that is blocked for several reasons counts once in the plan, as in what apply reports', () => {
  const blocked = [
    blockedFor('subscriber.us/sub_1', 'past_due'),
    blockedFor('subscriber.us/sub_1', 'customer_not_copied'),
    blockedFor('subscriber.us/sub_2', 'past_due'),
    blockedFor('price.a', 'outside_missing'),
    blockedFor('price.a', 'needs_blocked'),
  ]
  const later = { address: 'subscriber.us/sub_3', until: '2026-12-01T00:00:00Z' }
  const deferred = [
    { ...later, code: 'too_early' },
    { ...later, code: 'renewal_close' },
  ]
  const planned = summaryOf({ changes: [], drift: [], deferred, blocked })
  const applied = applySummary({ deferred, blocked }, { changes: [], recovered: [] })
  expect(planned).toMatchObject({ deferred: 1, blocked: 3 })
  expect(applied).toMatchObject({ deferred: { count: 1 }, blocked: { count: 2 }, resources_blocked: { count: 1 } })
})
