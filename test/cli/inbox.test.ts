import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { instant } from '../../src/core/instant.ts'
import { openStore } from '../../src/store/open.ts'
import { root } from '../house/sources.ts'
import { crossbill, type Ran } from './crossbill.ts'

const at = instant(1_800_000_000)

describe('inbox: the commands for dead letters', () => {
  let folder = ''
  const ids: string[] = []

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'crossbill-inbox-'))
    cpSync(join(root, 'test/golden/projects/small'), folder, { recursive: true })
    const store = await openProjectStore()
    ids.length = 0
    for (const message of ['one', 'two', 'three']) {
      const signal = { source: 'relay', event: 'cancel', subscriber: 'us/sub_1', receivedAt: at, message } as const
      ids.push((await store.inbox.accept({ keys: [message], signal, at })).id)
    }
    for (const id of ids.slice(0, 2))
      await store.inbox.change(id, {
        now: { state: 'dead', reason: 'resource_missing: No such subscription' },
        note: { at, state: 'dead', text: 'given up' },
      })
    await store.close()
  })
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true })
  })

  async function openProjectStore(): Promise<Awaited<ReturnType<typeof openStore>>> {
    return await openStore({ file: join(folder, 'state/crossbill.db') })
  }
  const inbox = async (...words: string[]): Promise<Ran> => crossbill(['inbox', ...words], folder)
  const states = async (): Promise<string[]> => {
    const { stdout } = await inbox('list', '--format', 'json')
    const entries = JSON.parse(stdout) as { id: string; state: string }[]
    return ids.map((id) => entries.find((entry) => entry.id === id)?.state ?? 'gone')
  }

  test('list shows the signals that wait for a person', async () => {
    const { code, stdout } = await inbox('list', '--state', 'dead')
    expect(code).toBe(0)
    const [first, second, empty, ...meanings] = stdout.trimEnd().split('\n')
    expect(`${first}\n${second}`.match(/No such subscription$/gm)).toHaveLength(2)
    expect(empty).toBe('')
    expect(meanings).toEqual([
      expect.stringMatching(/^resource_missing: Stripe or Kajabi refused .* inbox redrive <id>$/),
    ])
  })

  test('show prints the history of one entry', async () => {
    const { stdout } = await inbox('show', ids[0] ?? '')
    expect(stdout).toContain('us/sub_1')
    expect(stdout).toContain('dead: given up')
    expect(stdout).toMatch(/^means {5}Stripe or Kajabi refused this permanently/m)
    expect(stdout).toMatch(/^command {3}crossbill inbox redrive sig_/m)
  })

  test('redrive retries one dead letter or all', async () => {
    expect((await inbox('redrive', ids[0] ?? '')).code).toBe(0)
    expect(await states()).toEqual(['received', 'dead', 'received'])
    expect((await inbox('redrive', '--all')).stdout).toContain('1 entry')
    expect(await states()).toEqual(['received', 'received', 'received'])
  })

  test('discard needs a reason and keeps it', async () => {
    expect((await inbox('discard', ids[1] ?? '')).code).toBe(1)
    expect((await inbox('discard', ids[1] ?? '', '--reason', 'was a test')).code).toBe(0)
    expect((await inbox('show', ids[1] ?? '')).stdout).toContain('was a test')
    expect(await states()).toEqual(['dead', 'ignored', 'received'])
  })

  test('an impossible request is refused and changes nothing', async () => {
    const received = await inbox('redrive', ids[2] ?? '')
    expect(received.code).toBe(1)
    expect(received.stderr).toContain('inbox_impossible')
    expect((await inbox('redrive')).stderr).toContain('which-entry')
    expect((await inbox('show', 'nobody')).stderr).toContain('inbox_unknown')
    expect(await states()).toEqual(['dead', 'dead', 'received'])
  })
})
