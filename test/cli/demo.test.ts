import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { crossbill } from './crossbill.ts'

describe('the demo', { timeout: 120_000 }, () => {
  let folder = ''
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'crossbill-demo-test-'))
  })
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true })
  })

  test('makes exactly the charges of the control run and prints one JSON document', async () => {
    const { code, stdout } = await crossbill(
      ['demo', '--dir', folder, '--subscribers', '24', '--months', '4', '--format', 'json', '--quiet'],
      '.',
    )
    const result = JSON.parse(stdout) as { charges: { expected: number; made: number } }
    expect({ code, ...result }).toMatchObject({
      code: 0,
      double: 0,
      missed: 0,
      amount_differs: 0,
      date_differs: 0,
      dir: folder,
    })
    expect(result.charges.expected).toBeGreaterThan(40)
    expect(result.charges.made).toBe(result.charges.expected)
  })

  test('leaves a project that works', async () => {
    const { stdout } = await crossbill(
      ['demo', '--dir', folder, '--subscribers', '10', '--months', '1', '--quiet'],
      '.',
    )
    // The printed command works in the folder where the demo was started, because npx finds no
    // crossbill in a temporary folder.
    const told = [...stdout.matchAll(/^ {2}crossbill (.+)$/gm)].map(([, words = '']) => words.split(' '))
    expect(told).toHaveLength(3)
    for (const words of told) expect((await crossbill([...words, '--quiet'], '.')).code).toBe(0)
    expect((await crossbill(['demo', '--dir', folder], '.')).stderr).toContain('project_exists')
  })
})
