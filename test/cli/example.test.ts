import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { WavesProposed } from '../../src/engine/plan/waves.ts'
import type { Plan } from '../../src/plan/types.ts'
import type { Way } from '../../src/plan/way.ts'
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

  test('plans a whole catalog, and moves the pilot without a change of any charge', async () => {
    const { code, plan } = await planned()
    expect(code).toBe(2)
    expect(plan.summary).toMatchObject({ move: 5, blocked: 0, deferred: 0 })
    expect(plan.summary.create).toBeGreaterThan(50)
    for (const { at, amount, currency, before } of plan.money.next_charges)
      expect({ at, amount, currency }).toEqual({ at: before.at, amount: before.amount, currency: before.currency })
  })

  // UPDATE_GOLDEN=1 writes them after a change of the simulated world.
  test.each(['us', 'intl'])('keeps the copy map of %s as Stripe would provide it', async (from) => {
    const { code, stdout: csv } = await run('sandbox', '--copy', from)
    expect(code).toBe(0)
    const path = join(root, `catalog/copy-map/${from}.csv`)
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(path, csv)
    expect(readFileSync(path, 'utf8')).toBe(csv)
  })

  test('is what pull would write', async () => {
    expect((await run('pull')).stdout).toContain('catalog/ already matches us, intl.')
  })

  test('waves puts everybody who has not moved into exactly one wave, and leaves the pilot that has begun', async () => {
    const { waves, kept } = JSON.parse((await run('waves', '--size', '20', '--format', 'json')).stdout) as WavesProposed
    expect(kept.length).toBeGreaterThan(0)
    const all = waves.flatMap(({ subscribers }) => subscribers)
    expect(new Set(all).size).toBe(all.length)
    expect(waves.some(({ file }) => kept.includes(file))).toBe(false)
    const way = JSON.parse((await run('plan', '--summary', '--format', 'json')).stdout) as Way
    expect(way.rows.reduce((sum, { people }) => sum + people, 0)).toBe(way.people)
    expect((await run('plan', '--summary')).stdout).toContain(`The way of ${way.people} subscribers`)
  })

  test('applies, then matches the declaration and has no violation', async () => {
    expect((await run('apply', '--yes', '--format', 'json')).code).toBe(0)
    expect((await planned()).code).toBe(0)
    expect((await run('verify')).code).toBe(0)
    expect((await run('drift')).code).toBe(0)
  })

  test('a lost state is rebuilt from the marks on live objects, and nothing is left to do', async () => {
    const before = (await run('state', 'export', '--format', 'csv')).stdout
    // Crossbill's state is deleted, and the simulated accounts stay.
    for (const name of readdirSync(join(folder, 'state')))
      if (!name.includes('.sandbox')) rmSync(join(folder, 'state', name))
    expect((await run('state', 'rebuild')).code).toBe(0)
    expect((await planned()).code).toBe(0)
    expect((await run('verify')).code).toBe(0)
    expect((await run('state', 'export', '--format', 'csv')).stdout).toBe(before)
  })

  test('a saved plan that the accounts show as done sends nothing a second time', async () => {
    const wave = join(folder, 'catalog/subscribers/us/wave-02.yaml')
    writeFileSync(wave, readFileSync(wave, 'utf8').replace('stage: source', 'stage: target'))
    expect((await run('plan', '--out', 'plans/wave-02.plan.json')).code).toBe(0)
    const shown = await run('show', 'plans/wave-02.plan.json', '--format', 'markdown')
    expect(`${readFileSync(join(folder, 'plans/wave-02.md'), 'utf8')}`).toBe(shown.stdout)
    expect((await run('apply', 'plans/wave-02.plan.json')).code).toBe(0)
    const ids = async (): Promise<string> => (await run('state', 'export', '--format', 'csv')).stdout
    const before = await ids()
    const again = await run('apply', 'plans/wave-02.plan.json', '--format', 'json')
    expect(again.code).toBe(0)
    expect(JSON.parse(again.stdout)).toMatchObject({ ok: true, remaining: [], violations: [] })
    expect(await ids()).toBe(before)
    expect((await run('verify')).code).toBe(0)
  })

  test('a saved plan is refused when the catalog was edited after the review', async () => {
    const wave = join(folder, 'catalog/subscribers/us/wave-03.yaml')
    writeFileSync(wave, readFileSync(wave, 'utf8').replace('stage: source', 'stage: target'))
    await run('plan', '--out', 'plans/wave-03.plan.json')
    const products = join(folder, 'catalog/products.yaml')
    writeFileSync(products, readFileSync(products, 'utf8').replace('name: Ingredient Library', 'name: Library'))
    const refused = await run('apply', 'plans/wave-03.plan.json')
    expect(refused.code).toBe(1)
    expect(refused.stderr).toContain('plan_stale')
  })

  test('plan, state and catalog contain no address, name or secret', async () => {
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
