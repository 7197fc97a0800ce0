import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import Stripe from 'stripe'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createSandbox, type Sandbox } from '../../src/sandbox/sandbox.ts'
import { serveSandbox } from '../../src/sandbox/server.ts'
import { root } from '../house/sources.ts'

const accounts = ['target', 'us', 'intl']
const launcher = join(root, 'src/bin/crossbill.js')

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/**
 * A separately served sandbox, a project that reaches it by `api_base`, and the program as its own
 * process.
 */
describe('over HTTP, with the program as its own process', { timeout: 600_000 }, () => {
  let folder = ''
  let sandbox: Sandbox
  let server: { url: string; close(): Promise<void> }
  /** Called for every request that changes something, once before it is done and once after. */
  let watch: (side: 'before' | 'after') => void = () => {}
  /** Called before every request that only reads. */
  let reading: () => void = () => {}

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'crossbill-http-'))
    sandbox = createSandbox({ accounts, population: { name: 'school', subscribers: 12 }, copied: ['us', 'intl'] })
    const fetch: typeof globalThis.fetch = async (input, init) => {
      const changes = init?.method !== 'GET' && !(input as URL).pathname.endsWith('create_preview')
      if (changes) watch('before')
      else reading()
      const response = await sandbox.fetch(input, init)
      if (changes) watch('after')
      return response
    }
    server = await serveSandbox({ ...sandbox, fetch }, { port: 0 })
    const config = accounts.map(
      (name) =>
        `  ${name}: { key: { env: KEY_${name.toUpperCase()} }, account: ${sandbox.ready.accounts[name]?.id}, livemode: false, api_base: "${server.url}" }`,
    )
    mkdirSync(join(folder, 'catalog'))
    writeFileSync(join(folder, 'catalog/project.yaml'), ['project: school', 'accounts:', ...config, ''].join('\n'))
    for (const from of ['us', 'intl']) {
      const copy = await sandbox.fetch('http://sandbox/_sandbox/copy', {
        method: 'POST',
        body: JSON.stringify({ from, to: 'target' }),
      })
      writeFileSync(join(folder, `${from}.csv`), await copy.text())
    }
  })
  afterEach(async () => {
    watch = () => {}
    reading = () => {}
    await server.close()
    rmSync(folder, { recursive: true, force: true })
  })

  function crossbill(
    words: readonly string[],
    started: (stop: (signal: 'SIGKILL' | 'SIGINT') => void) => void = () => {},
  ): Promise<Ended> {
    const keys = Object.fromEntries(accounts.map((name) => [`KEY_${name.toUpperCase()}`, `sk_test_sandbox_${name}`]))
    const child = spawn(process.execPath, [launcher, ...words, '--quiet'], {
      cwd: folder,
      env: { ...process.env, ...keys },
    })
    let [stdout, stderr] = ['', '']
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
    started((signal) => child.kill(signal))
    return new Promise((done) => child.on('exit', (code) => done({ code, stdout, stderr })))
  }

  async function ready(): Promise<void> {
    expect((await crossbill(['pull'])).code).toBe(0)
    expect((await crossbill(['copy-map', 'import', 'us.csv', 'intl.csv'])).code).toBe(0)
    for (const source of ['us', 'intl'])
      for (const name of readdirSync(join(folder, 'catalog/subscribers', source))) {
        const path = join(folder, 'catalog/subscribers', source, name)
        writeFileSync(path, readFileSync(path, 'utf8').replace('stage: source', 'stage: target'))
      }
  }

  /** The marks of all objects in the target. Each must exist once. */
  async function marks(): Promise<string[]> {
    const stripe = new Stripe('sk_test_sandbox_target', { httpClient: Stripe.createFetchHttpClient(sandbox.fetch) })
    const lists = await Promise.all([
      stripe.products.list({ limit: 100 }).autoPagingToArray({ limit: 1_000 }),
      stripe.prices.list({ limit: 100 }).autoPagingToArray({ limit: 1_000 }),
      stripe.subscriptions.list({ limit: 100, status: 'all' }).autoPagingToArray({ limit: 1_000 }),
    ])
    return lists.flat().map(({ metadata }) => metadata['crossbill_address'] ?? metadata['crossbill_from'] ?? 'unmarked')
  }

  test('pull, copy map, cards, plan, apply, verify', async () => {
    await ready()
    const { code, stdout } = await crossbill(['cards', 'check'])
    expect(stdout).toMatch(/^\d+ of \d+ renewals in the target will probably fail\n/)
    expect(code).toBe(stdout.startsWith('0 of ') ? 0 : 2)
    expect((await crossbill(['plan', '--detailed-exitcode'])).code).toBe(2)
    const applied = await crossbill(['apply', '--yes'])
    expect(applied).toMatchObject({ code: 0, stderr: '' })
    expect((await crossbill(['plan', '--detailed-exitcode'])).code).toBe(0)
    expect((await crossbill(['verify'])).code).toBe(0)
  })

  test.each([
    ['after', 9],
    ['before', 48],
    ['after', 55],
  ] as const)(
    'killed with -9 %s request %i: the next apply makes nothing twice, and verify finds no violation',
    async (side, request) => {
      await ready()
      let [seen, died] = [0, false]
      const killed = await crossbill(['apply', '--yes'], (kill) => {
        watch = (now) => {
          if (now === side) seen += 1
          if (now !== side || seen !== request) return
          died = true
          kill('SIGKILL')
        }
      })
      watch = () => {}
      expect({ code: killed.code, died }).toEqual({ code: null, died: true })

      const again = await crossbill(['apply', '--yes'])
      expect(again).toMatchObject({ code: 0, stderr: '' })
      expect((await crossbill(['verify'])).code).toBe(0)
      expect((await crossbill(['plan', '--detailed-exitcode'])).code).toBe(0)
      const found = await marks()
      expect(found).not.toContain('unmarked')
      expect(found.toSorted()).toEqual([...new Set(found)].toSorted())
    },
  )

  test('Ctrl-C ends with 130 after the request in flight; the next apply continues', async () => {
    await ready()
    let seen = 0
    const stopped = await crossbill(['apply', '--yes', '--format', 'json'], (stop) => {
      watch = (now) => {
        if (now === 'before' && (seen += 1) === 45) stop('SIGINT')
      }
    })
    expect(stopped.code).toBe(130)
    expect(stopped.stderr).toContain('Stopping after the request in flight')
    expect(JSON.parse(stopped.stdout)).toMatchObject({ ok: false, interrupted: true })
    const before = await marks()
    expect(before).toEqual([...new Set(before)])

    expect(await crossbill(['apply', '--yes'])).toMatchObject({ code: 0, stderr: '' })
    expect((await crossbill(['verify'])).code).toBe(0)
    expect((await crossbill(['plan', '--detailed-exitcode'])).code).toBe(0)
  })

  test('Ctrl-C in a command that reads leaves every file as it was; the same command then starts again', async () => {
    await ready()
    for (const words of [['pull'], ['plan', '--out', 'plans/all.plan.json'], ['report']]) {
      const before = files()
      let seen = 0
      const stopped = await crossbill(words, (stop) => {
        reading = () => {
          if ((seen += 1) === 20) stop('SIGINT')
        }
      })
      reading = () => {}
      expect({ words, code: stopped.code }).toEqual({ words, code: 130 })
      expect(files()).toEqual(before)
      expect({ words, code: (await crossbill(words)).code }).toEqual({ words, code: 0 })
    }
    expect(files().map(([path]) => path)).toContain('plans/all.plan.json')
  })

  /** Every file of the project with its text, except the store and its caches. */
  function files(): readonly (readonly [path: string, text: string])[] {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((one) => one.isFile())
      .map((one) => relative(folder, join(one.parentPath, one.name)))
      .filter((path) => !path.startsWith('state/'))
      .toSorted()
      .map((path) => [path, readFileSync(join(folder, path), 'utf8')])
  }
})
