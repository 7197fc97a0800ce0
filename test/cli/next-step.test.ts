import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { crossbill } from './crossbill.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'crossbill-next-step-'))
})
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

test('the next step that init names is said so that it works from where init was started', async () => {
  const elsewhere = await crossbill(['init', '--sandbox', '--project', 'practice'], folder)
  expect(elsewhere.stderr).toContain('Next: crossbill pull --project practice\n')
  const here = await crossbill(['init', '--target', 'acct_1New', '--source', 'us=acct_1Us'], folder)
  expect(here.stderr).toMatch(/then: crossbill doctor$/m)
})
