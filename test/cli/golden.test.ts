import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parseScript, play } from './golden.ts'

const scripts = fileURLToPath(new URL('../golden', import.meta.url))
const update = process.env['UPDATE_GOLDEN'] === '1'

// UPDATE_GOLDEN=1 npm run unit -- test/cli/golden.test.ts writes the present output. Review it as a
// diff.
describe('golden scripts: the real command line, its output and its exit code', () => {
  let folder = ''
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'crossbill-golden-'))
  })
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true })
  })

  const names = readdirSync(scripts).filter((name) => name.endsWith('.golden'))

  test('scripts exist, and each has commands', () => {
    expect(names.length).toBeGreaterThan(0)
    for (const name of names)
      expect(parseScript(readFileSync(join(scripts, name), 'utf8')).steps.length).toBeGreaterThan(0)
  })

  test.each(names)('%s', { timeout: 120_000 }, async (name) => {
    const path = join(scripts, name)
    const written = readFileSync(path, 'utf8')
    const now = await play(written, folder)
    if (update) writeFileSync(path, now)
    expect(now).toBe(update ? now : written)
  })
})
