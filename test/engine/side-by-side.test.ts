import { expect, test } from 'vitest'
import { groupsSideBySide } from '../../src/engine/side-by-side.ts'

const queues = (name: string, many: number): string[][] => Array.from({ length: many }, (_, n) => [`${name}${n}`])

test('the customers of every source are in progress from the beginning, each source within its own limit', async () => {
  const now = { us: 0, intl: 0 }
  const most = { us: 0, intl: 0 }
  await groupsSideBySide([queues('us', 9), queues('intl', 9)], 3, async (one) => {
    const source = one.startsWith('us') ? 'us' : 'intl'
    most[source] = Math.max(most[source], ++now[source])
    await new Promise((resolve) => setImmediate(resolve))
    now[source]--
    return true
  })
  expect(most).toEqual({ us: 3, intl: 3 })
})

test('what stops one source stops them all after what is in progress, and the first error is thrown', async () => {
  const done: string[] = []
  const groups = [queues('us', 9), queues('intl', 9)]
  await groupsSideBySide(groups, 2, async (one) => {
    await new Promise((resolve) => setImmediate(resolve))
    done.push(one)
    return one !== 'intl0'
  })
  expect(done.length).toBeLessThan(7)
  const failing = groupsSideBySide(groups, 2, async (one) => {
    await new Promise((resolve) => setImmediate(resolve))
    if (one === 'us0') throw new Error('us0 failed')
    done.push(one)
    return true
  })
  await expect(failing).rejects.toThrow('us0 failed')
  expect(done.length).toBeLessThan(14)
})
