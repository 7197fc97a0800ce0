import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Plan } from '../../src/plan/types.ts'
import { createSandbox } from '../../src/sandbox/sandbox.ts'
import { root } from '../house/sources.ts'
import { crossbill, type Ran } from './crossbill.ts'

describe("the repository's own catalog: the example school", { timeout: 60_000 }, () => {
  let folder = ''
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'crossbill-example-'))
    cpSync(join(root, 'catalog'), join(folder, 'catalog'), { recursive: true })
  })
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true })
  })
  const run = async (...words: string[]): Promise<Ran> => crossbill([...words, '--quiet'], folder)
  const planned = async (): Promise<{ code: number; plan: Plan }> => {
    const { code, stdout } = await run('plan', '--format', 'json', '--detailed-exitcode')
    return { code, plan: JSON.parse(stdout) as Plan }
  }

  test('plans something worth reading: a whole catalog, and the pilot moves without any change of a bill', async () => {
    const { code, plan } = await planned()
    expect(code).toBe(2)
    expect(plan.summary).toMatchObject({ move: 5, blocked: 0, deferred: 0 })
    expect(plan.summary.create).toBeGreaterThan(50)
    for (const { at, amount, currency, before } of plan.money.next_charges)
      expect({ at, amount, currency }).toEqual({ at: before.at, amount: before.amount, currency: before.currency })
  })

  // UPDATE_GOLDEN=1 writes them, should the simulated world ever change.
  test.each(['us', 'intl'])('keeps the copy map of %s that Stripe would hand out', async (from) => {
    const { fetch } = createSandbox({ population: { name: 'school', subscribers: 60 }, copied: ['us', 'intl'] })
    const copied = await fetch('http://sandbox/_sandbox/copy', {
      method: 'POST',
      body: JSON.stringify({ from, to: 'target' }),
    })
    const csv = await copied.text()
    const path = join(root, `catalog/copy-map/${from}.csv`)
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(path, csv)
    expect(readFileSync(path, 'utf8')).toBe(csv)
  })

  test('is what pull would write', async () => {
    expect((await run('pull')).stdout).toContain('catalog/ already says what the accounts hold.')
  })

  test('applies, is then as declared, and holds', async () => {
    expect((await run('apply', '--yes', '--format', 'json')).code).toBe(0)
    expect((await planned()).code).toBe(0)
    expect((await run('verify')).code).toBe(0)
    expect((await run('drift')).code).toBe(0)
  })

  test('no address, no name and no secret is in plan, state or catalog', async () => {
    const { plan } = await planned()
    const secret = /whsec_\w+/.exec(readFileSync(join(folder, '.env.webhooks'), 'utf8'))?.[0] ?? 'none was kept'
    expect(existsSync(join(folder, '.env.webhooks'))).toBe(true)
    const texts = [
      JSON.stringify(plan),
      readFileSync(join(folder, 'state/crossbill.db'), 'latin1'),
      ...readdirSync(join(folder, 'catalog'), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8')),
    ]
    for (const text of texts) {
      expect(text).not.toContain(secret)
      expect(text).not.toMatch(/[\w.]+@(example|[a-z-]+\.(test|example))/)
    }
  })
})
