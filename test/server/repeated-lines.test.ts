import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { openLog } from '../../src/server/log.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('a failure of each second is one line, then one a minute with the count; other lines are all written', () => {
  const written: Record<string, unknown>[] = []
  const log = openLog({ write: (text) => void written.push(JSON.parse(text) as Record<string, unknown>) })
  for (let second = 0; second < 150; second++) {
    log({ level: 'error', event: 'duty_failed', error: 'CommandError' })
    if (second % 50 === 0) log({ level: 'error', event: 'duty_failed', error: 'TypeError' })
    vi.advanceTimersByTime(1_000)
  }
  const failures = written.filter(({ error }) => error === 'CommandError')
  expect(failures.map(({ repeated = 0 }) => repeated)).toEqual([0, 59, 0, 59, 0])
  vi.advanceTimersByTime(60_000)
  expect(written.at(-1)).toMatchObject({ event: 'duty_failed', repeated: 29 })
  expect(written.filter(({ error }) => error === 'TypeError')).toHaveLength(3)

  const before = written.length
  for (let n = 0; n < 3; n++) log({ level: 'info', event: 'signal', id: 'sig_1' })
  expect(written).toHaveLength(before + 3)
})
