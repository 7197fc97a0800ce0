import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { documentWith, refuseTaken, writeOutput } from '../../src/files/outputs.ts'

describe('a command replaces only its own earlier output', () => {
  let folder = ''
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'crossbill-outputs-'))))
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  const kind = documentWith('a plan', 'created', 'expires')
  const text = `{"format":1,"tool":"crossbill 0.1.0","created":"x","expires":"y","plan":"z"}`

  test('a new file, then the same file again', async () => {
    const path = join(folder, 'deep/a.plan.json')
    await writeOutput({ path, kind }, text)
    await writeOutput({ path, kind }, JSON.stringify(JSON.parse(text), null, 4))
    await writeOutput({ path, kind }, text)
    expect(readFileSync(path, 'utf8')).toBe(text)
  })

  test.each([
    ['a text of another kind', 'prices: {}\n'],
    ['an empty file', ''],
    ['a document of another program', '{"format":1,"tool":"other 1","created":"x","expires":"y"}'],
    ['a document of another command', '{"format":1,"tool":"crossbill 0.1.0","at":"2026-11-30T00:00:00Z"}'],
    ['a long text that names a plan in its middle', `${'x'.repeat(9_000)}${text}${'x'.repeat(9_000)}`],
  ])('refused, and kept: %s', async (_what, foreign) => {
    const path = join(folder, 'mine.json')
    writeFileSync(path, foreign)
    await expect(writeOutput({ path, kind }, text)).rejects.toMatchObject({ code: 'out_taken' })
    expect(readFileSync(path, 'utf8')).toBe(foreign)
  })

  test('refused: a folder, a name below a file, a device', async () => {
    mkdirSync(join(folder, 'folder.json'))
    writeFileSync(join(folder, 'file'), 'mine')
    for (const path of [join(folder, 'folder.json'), join(folder, 'file/a.json'), '/dev/null'])
      await expect(refuseTaken([{ path, kind: { what: kind.what, isOne: kind.isOne } }])).rejects.toMatchObject({
        code: 'out_taken',
      })
  })

  test('the end of a long file is seen as well', async () => {
    const path = join(folder, 'page.md')
    const marked = { what: 'a page', isOne: (found: string) => found.endsWith('<!-- mark -->') }
    writeFileSync(path, `${'x'.repeat(20_000)}<!-- mark -->`)
    await expect(refuseTaken([{ path, kind: marked }])).resolves.toBeUndefined()
  })
})
