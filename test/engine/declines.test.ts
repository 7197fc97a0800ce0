import { expect, test } from 'vitest'
import { DeclinesBreaker } from '../../src/engine/apply/declines.ts'
import type { Live } from '../../src/live/accounts.ts'

test('the rate of the sources is read once for a run, however many subscribers move', () => {
  let reads = 0
  const source = {
    get subscriptions() {
      reads++
      return []
    },
  }
  const live = { sources: new Map([['us', source]]) } as unknown as Live
  const breaker = new DeclinesBreaker(live, {}, [])
  const move = { address: 'subscriber.us/sub_1', action: 'move' } as const
  const skipped = Array.from({ length: 100 }, () => {
    breaker.note({ ...move, outcome: 'done', code: 'setup_failed' })
    return breaker.skipped(move)?.code
  })
  expect([skipped.at(0), skipped.at(-1), reads]).toEqual([undefined, 'declines', 1])
})
