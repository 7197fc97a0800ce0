import { afterAll, vi } from 'vitest'
import type { Sandbox } from '../../src/sandbox/sandbox.ts'
import { describeApi } from './description.ts'
import { watchedFetch } from './watched-fetch.ts'

/**
 * Runs before every test file. It watches each sandbox that a test creates and compares every
 * request and every answer with the SDK's description, and every answer of the Kajabi site with the
 * site's description. A difference fails the file in which it occurred.
 */
const watched = watchedByWorker()
let api: ReturnType<typeof describeApi> | undefined

/** Files that share their modules share the replaced sandbox too, but each runs this file again. */
function watchedByWorker(): ReturnType<typeof watchedFetch>[] {
  const shared = globalThis as { crossbillWatched?: ReturnType<typeof watchedFetch>[] }
  shared.crossbillWatched ??= []
  return shared.crossbillWatched
}

function watchOver(sandbox: Sandbox): Sandbox {
  api ??= describeApi()
  const watch = watchedFetch(sandbox.fetch, api)
  watched.push(watch)
  return Object.defineProperty(sandbox, 'fetch', { value: watch.fetch })
}

vi.mock(import('../../src/sandbox/sandbox.ts'), async (original) => {
  const real = await original()
  return {
    ...real,
    createSandbox: (options) => watchOver(real.createSandbox(options)),
    cloneSandbox: (sandbox) => watchOver(real.cloneSandbox(sandbox)),
  }
})

afterAll(() => {
  const all = new Map<string, number>()
  for (const { differences } of watched.splice(0))
    for (const [line, count] of differences()) all.set(line, (all.get(line) ?? 0) + count)
  if (all.size === 0) return
  const lines = [...all].map(([line, count]) => `  ${line} (${count}×)`)
  throw new Error(`the sandbox and the descriptions of Stripe and Kajabi differ:\n${lines.join('\n')}`)
})
