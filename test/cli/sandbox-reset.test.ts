import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { root } from '../house/sources.ts'
import { crossbill } from './crossbill.ts'

test('sandbox reset leaves the clone as it was, and deletes nothing that Crossbill did not write', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'crossbill-reset-'))
  try {
    for (const name of ['catalog', '.gitignore']) cpSync(join(root, name), join(folder, name), { recursive: true })
    const git = (...words: string[]): string => execFileSync('git', words, { cwd: folder, encoding: 'utf8' })
    git('init', '-q')
    git('add', '.')
    expect((await crossbill(['report', '--quiet'], folder)).code).toBe(0)
    writeFileSync(join(folder, 'report/own-notes.md'), '# Mine\n')
    expect(readdirSync(join(folder, 'state'))).not.toEqual([])
    const { code, stdout } = await crossbill(['sandbox', 'reset'], folder)
    expect({ code, stdout }).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^Deleted \d+ files: .* 2026-12-01 12:00:00 UTC/),
    })
    expect(readdirSync(join(folder, 'state'))).toEqual([])
    expect(readdirSync(join(folder, 'report'))).toEqual(['own-notes.md'])
    expect(git('status', '--porcelain', '--ignored')).not.toMatch(/state/)
    expect(git('diff', '--stat')).toBe('')
    expect((await crossbill(['sandbox', 'reset'], folder)).stdout).toMatch(/^Deleted|^Nothing/)

    const project = join(folder, 'catalog/project.yaml')
    writeFileSync(
      project,
      readFileSync(project, 'utf8').replace(
        /us:[^\n]*(\n {4}.*)*/,
        'us: { account: acct_1Real00000000, livemode: false, key: { env: US } }',
      ),
    )
    const refused = await crossbill(['sandbox', 'reset'], folder)
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('Nothing was deleted') })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}, 120_000)
