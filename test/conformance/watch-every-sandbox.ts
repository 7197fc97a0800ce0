import { afterAll, vi } from 'vitest'
import { describeApi } from './description.ts'
import { watchedFetch } from './watched-fetch.ts'

/**
 * Runs before every test file: each sandbox a test makes is watched, so that every request any test sends and every answer the sandbox gives is held
 * against the SDK's description. What differs fails the file that met it.
 */
const watched: ReturnType<typeof watchedFetch>[] = []
let api: ReturnType<typeof describeApi> | undefined

vi.mock(import('../../src/sandbox/sandbox.ts'), async (original) => {
  const real = await original()
  return {
    ...real,
    createSandbox: (options) => {
      const sandbox = real.createSandbox(options)
      api ??= describeApi()
      const watch = watchedFetch(sandbox.fetch, api)
      watched.push(watch)
      return Object.defineProperty(sandbox, 'fetch', { value: watch.fetch })
    },
  }
})

afterAll(() => {
  const all = new Map<string, number>()
  for (const { differences } of watched)
    for (const [line, count] of differences()) all.set(line, (all.get(line) ?? 0) + count)
  if (all.size === 0) return
  const lines = [...all].map(([line, count]) => `  ${line} (${count}×)`)
  throw new Error(`the sandbox and the SDK's description of Stripe differ:\n${lines.join('\n')}`)
})
