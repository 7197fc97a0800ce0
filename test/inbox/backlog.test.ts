import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { backlogged } from './backlogged.ts'

test('a fresh cancel is confirmed while most of a backlog still waits', { timeout: 60_000 }, async () => {
  const waiting = 1_500
  const { took, drained } = await backlogged({
    waiting,
    fresh: 5,
    store: { file: ':memory:' },
    call: () => sleep(20),
    pause: 20,
  })
  expect(took).toHaveLength(5)
  expect(drained).toBeLessThan(waiting / 2)
})
