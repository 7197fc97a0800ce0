import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect, test, vi } from 'vitest'
import { changeText } from '../../src/files/change-text.ts'

// A slow process removes what it found a while ago.
vi.mock(import('node:fs/promises'), async (original) => {
  const real = await original()
  let calls = 0
  return {
    ...real,
    rm: async (...[path, options]: Parameters<typeof real.rm>) => {
      await sleep((calls++ % 7) * 9)
      await real.rm(path, options)
    },
  }
})

const folder = mkdtempSync(join(tmpdir(), 'crossbill-lock-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('no change is lost when several writers find the lock that a killed process left', async () => {
  const writers = Array.from({ length: 12 }, (_none, at) => `${at}\n`)
  for (let round = 0; round < 5; round++) {
    const path = join(folder, `${round}.env`)
    writeFileSync(join(folder, `.${round}.env.lock`), '')
    utimesSync(join(folder, `.${round}.env.lock`), 1, 1)
    await Promise.all(writers.map((line) => changeText(path, (before) => before + line)))
    expect(readFileSync(path, 'utf8').split('\n').toSorted()).toEqual(
      [...writers.map((line) => line.trim()), ''].toSorted(),
    )
  }
  expect(readdirSync(folder).filter((name) => name.includes('.lock'))).toEqual([])
})
