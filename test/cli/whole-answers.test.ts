import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Diagnostic } from '../../src/core/diagnostic.ts'
import { findingsText } from '../../src/cli/report-error.ts'
import { crossbill } from './crossbill.ts'

describe('one answer says all of it', () => {
  let folder = ''
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'crossbill-answers-'))))
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  test('every missing environment variable, with the place that names it', async () => {
    await crossbill(['init', '--target', 'acct_1New', '--source', 'us=acct_1Us', '--quiet'], folder)
    const { code, stderr } = await crossbill(['doctor'], folder)
    expect(code).toBe(1)
    expect(stderr).toContain(
      '2 environment variables are not set: STRIPE_KEY_TARGET (accounts.target.key), STRIPE_KEY_US (accounts.us.key)',
    )
  })

  test('where a signing secret went, and what explain is about', async () => {
    await crossbill(['init', '--sandbox', '--quiet'], folder)
    const project = join(folder, 'catalog/project.yaml')
    writeFileSync(project, readFileSync(project, 'utf8').replace('subscribers: 60', 'subscribers: 1'))
    writeFileSync(
      join(folder, 'catalog/webhooks.yaml'),
      'webhook_endpoints: { hook: { url: "https://school.example/h", enabled_events: [charge.failed], secret_to: { env_file: .env, name: HOOK } } }\n',
    )
    const { stderr } = await crossbill(['apply', '--yes'], folder)
    expect(stderr).toContain('A signing secret of Stripe was stored in .env as HOOK.')
    const explained = await crossbill(['explain', 'webhook_endpoint.hook'], folder)
    expect(explained.stderr).toContain('not_a_subscriber')
    expect(explained.stderr).toContain('crossbill plan --target webhook_endpoint.hook')
  })
})

test('findings of one rule in one file are folded after the first ten', () => {
  const finding = (line: number, file: string): Diagnostic => ({
    severity: 'error',
    rule: 'duplicate-subscriber',
    message: `number ${line} is declared twice`,
    fix: 'keep it in one wave',
    at: { file, line, column: 3 },
  })
  const all = Array.from({ length: 30 }, (_, line) => finding(line + 1, 'a.yaml'))
  const text = findingsText([...all, finding(1, 'b.yaml')])
  expect(text.match(/is declared twice/g)).toHaveLength(11)
  expect(text).toContain('a.yaml: error duplicate-subscriber: 20 more like these (--format json lists all)')
  expect(text).toContain('31 errors in the catalog.')
})
