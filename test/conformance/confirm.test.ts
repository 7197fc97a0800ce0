import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { RecordedAnswer } from '../../src/assumptions/record.ts'
import { assumedReading, question, rows } from '../../src/assumptions/questions.ts'
import { cases } from '../../src/confirm/cases.ts'
import { keyPermissions } from '../../src/confirm/permissions.ts'
import {
  defaultWorld,
  randomWorld,
  readings,
  switches,
  switchNames,
  worldText,
  type SwitchName,
  type Unsure,
} from '../../src/sandbox/kernel/unsure.ts'
import { createSandbox } from '../../src/sandbox/sandbox.ts'
import { serveSandbox } from '../../src/sandbox/server.ts'
import { crossbill, type Ran } from '../cli/crossbill.ts'

const folder = mkdtempSync(join(tmpdir(), 'crossbill-confirm-'))
mkdirSync(join(folder, 'catalog/subscribers/us'), { recursive: true })
writeFileSync(
  join(folder, 'catalog/project.yaml'),
  'project: school\naccounts:\n  target: { sandbox: true }\n  us: { sandbox: true }\n',
)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const confirm = (env: Record<string, string>, ...words: readonly string[]): Promise<Ran> =>
  crossbill(['confirm', ...words], folder, env)

const key = { CROSSBILL_STRIPE_TEST_KEY: 'sk_test_sandbox_us' }

interface Printed {
  readonly answers: readonly RecordedAnswer[]
  readonly ok: boolean
  readonly left: readonly string[]
}

/** Runs the command over HTTP against a simulated Stripe in one possible world. */
async function inWorld(unsure: Unsure): Promise<{ ran: Ran; printed: Printed; kept: Record<string, number> }> {
  const sandbox = createSandbox({ unsure })
  const server = await serveSandbox(sandbox, { port: 0 })
  try {
    const ran = await confirm(key, '--url', server.url, '--format', 'json')
    return { ran, printed: JSON.parse(ran.stdout) as Printed, kept: sandbox.world.counts()['us'] ?? {} }
  } finally {
    await server.close()
  }
}

/** Rows that a test account can answer, with the switch of the simulated Stripe. */
const asked = switchNames.filter((name) => question(rowOf(name)).readings !== undefined)

function rowOf(name: SwitchName): (typeof rows)[number] {
  const { row } = switches[name]
  return rows.find((one) => one === row) ?? 1
}

const flipped = { ...defaultWorld(), ...Object.fromEntries(asked.map((name) => [name, readings(name)[1]])) } as Unsure

describe('confirm asks an account and reports exactly how it answers', () => {
  it.each([
    ['the default world', defaultWorld()],
    ['the world with every question answered otherwise', flipped],
    ['a random world', randomWorld(7)],
  ] as const)(
    'in %s',
    async (_, unsure) => {
      const { ran, printed } = await inWorld(unsure)
      const wanted = asked
        .filter((name) => unsure[name] !== switches[name].default)
        .map((name) => `${rowOf(name)}=${unsure[name]}`)
      const otherwise = printed.answers
        .filter(({ verdict }) => verdict !== 'as_assumed')
        .map(({ row, reading, verdict, seen }) => (verdict === 'different' ? `${row}=${reading}` : `${row} ${seen}`))
      expect(otherwise.toSorted()).toEqual(wanted.toSorted())
      expect([ran.code, printed.ok]).toEqual(wanted.length === 0 ? [0, true] : [2, false])
      expect(printed.answers).toHaveLength(cases.length)
      expect(printed.left).toEqual([])
      const record = JSON.parse(readFileSync(join(folder, 'state/confirmed.json'), 'utf8')) as Printed
      expect(record.answers).toEqual(printed.answers)
    },
    90_000,
  )

  it('with a restricted key that has only the documented permissions', async () => {
    const sandbox = createSandbox()
    const server = await serveSandbox(sandbox, { port: 0 })
    try {
      const permissions = Object.fromEntries(
        keyPermissions.map(([, name]) => (name.endsWith(':read') ? [name.split(':')[0], 'read'] : [name, 'write'])),
      )
      const made = await sandbox.fetch('http://sandbox/_sandbox/keys', {
        method: 'POST',
        body: JSON.stringify({ account: 'us', permissions }),
      })
      const { key: restricted } = (await made.json()) as { key: string }
      const ran = await confirm({ CROSSBILL_STRIPE_TEST_KEY: restricted }, '--url', server.url)
      expect(ran.stdout).not.toMatch(/^Failed/m)
      expect(ran.code).toBe(0)
    } finally {
      await server.close()
    }
  }, 90_000)
})

it('puts away everything that it created', async () => {
  const sandbox = createSandbox()
  const server = await serveSandbox(sandbox, { port: 0 })
  try {
    expect((await confirm(key, '--url', server.url)).code).toBe(0)
    const read = async (path: string): Promise<readonly unknown[]> => {
      const answer = await sandbox.fetch(`http://sandbox/v1/${path}`, {
        headers: { authorization: `Bearer ${key.CROSSBILL_STRIPE_TEST_KEY}` },
      })
      return ((await answer.json()) as { data: unknown[] }).data
    }
    const lists = ['customers', 'subscriptions', 'coupons', 'webhook_endpoints', 'test_helpers/test_clocks']
    const active = ['products?active=true', 'promotion_codes?active=true', 'tax_rates?active=true']
    for (const path of [...lists, ...active]) expect([path, await read(path)]).toEqual([path, []])
    // The default price of an archived product cannot be archived, and is the only one left.
    expect(await read('prices?active=true')).toHaveLength(1)
  } finally {
    await server.close()
  }
}, 90_000)

describe('confirm ends with one sentence, exit 1, and no file', () => {
  const out = ['--out', join(folder, 'never.json')]
  const told = async (env: Record<string, string>, ...words: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await confirm(env, ...words, ...out)
    expect([code, stdout]).toEqual([1, ''])
    expect(() => readFileSync(join(folder, 'never.json'))).toThrow(/ENOENT/)
    return stderr
  }

  it.each([
    ['a missing key', {}, /is not set/],
    ['a live key', { CROSSBILL_STRIPE_TEST_KEY: 'sk_live_1234' }, /holds a live key/],
    ['another secret', { CROSSBILL_STRIPE_TEST_KEY: 'whsec_1' }, /holds no key of Stripe/],
  ] as const)('for %s', async (_, env, message) => {
    const stderr = await told({ ...env }, '--url', 'http://127.0.0.1:9')
    expect(stderr).toMatch(message)
    expect(stderr).toContain('No request was sent to Stripe')
  })

  it('for an address on another machine', async () => {
    expect(await told(key, '--url', 'http://stripe.example')).toContain('keys go to Stripe and nowhere else')
    expect(await told(key, '--url', 'nothing')).toContain('keys go to Stripe and nowhere else')
  })

  it('for an address where nobody listens', async () => {
    expect(await told(key, '--url', 'http://127.0.0.1:49')).toMatch(/did not answer/)
  })

  it('for a key that may only read the account', async () => {
    const sandbox = createSandbox()
    const server = await serveSandbox(sandbox, { port: 0 })
    try {
      const made = await sandbox.fetch('http://sandbox/_sandbox/keys', {
        method: 'POST',
        body: JSON.stringify({ account: 'us', permissions: { account: 'read' } }),
      })
      const { key: restricted } = (await made.json()) as { key: string }
      const stderr = await told({ CROSSBILL_STRIPE_TEST_KEY: restricted }, '--url', server.url)
      expect(stderr).toContain('the test account refused the first requests')
      expect(stderr).toContain('docs/to-confirm.md')
    } finally {
      await server.close()
    }
  })

  it.each([
    ['answers nothing', 200, ''],
    ['answers HTML', 200, '<html>hello</html>'],
    ['answers HTML with an error', 502, '<html>bad gateway</html>'],
    ['refuses the key', 401, '{"error":{"type":"invalid_request_error","message":"Invalid API Key provided"}}'],
  ] as const)('for a server that %s', async (_, status, body) => {
    const server = createServer((_request, response) => void response.writeHead(status).end(body))
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    try {
      const stderr = await told(key, '--url', `http://127.0.0.1:${(server.address() as AddressInfo).port}`)
      expect(stderr).toContain('the test account: Stripe')
      expect(stderr).toContain('Nothing was created in the account')
    } finally {
      server.close()
    }
  })
})

describe('a question that a test account can answer', () => {
  it('has a case with the same readings as its switch', () => {
    const known = asked.map((name) => [rowOf(name), readings(name).map(String)] as const)
    for (const [row, values] of known) expect([row, Object.keys(question(row).readings ?? {})]).toEqual([row, values])
    const inCases = new Set(cases.flatMap((one) => (one.grade === 'assumed' ? one.row : [])))
    expect([...inCases].toSorted((a, b) => a - b)).toEqual(rows.filter((row) => question(row).readings !== undefined))
    const open = cases.flatMap((one) => (one.grade === 'assumed' ? one : []))
    for (const { name, row, otherwise } of open)
      expect([name, [assumedReading(row), ...Object.keys(otherwise)]]).toEqual([
        name,
        Object.keys(question(row).readings ?? {}),
      ])
  })

  it('is a switch of the simulated Stripe', () => {
    const switched = new Set(asked.map(rowOf))
    expect(rows.filter((row) => question(row).readings !== undefined && !switched.has(row))).toEqual([])
    expect(worldText(flipped).split(' ')).toHaveLength(asked.length)
  })
})
