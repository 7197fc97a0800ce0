import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { crossbill } from './crossbill.ts'
import { copyProject } from './project-world.ts'

interface Writer {
  readonly words: readonly string[]
  /** A file that it writes, among others. */
  readonly file: string
  /** What it refuses to do, besides writing. */
  readonly notDone: string
  /** Whether it cannot finish here, because it needs an account. */
  readonly refusesOnly?: true
}

const writers: readonly Writer[] = [
  { words: ['plan', '--out', 'plans/a.plan.json'], file: 'plans/a.plan.json', notDone: 'no plan was made' },
  { words: ['plan', '--out', 'plans/a.plan.json'], file: 'plans/a.md', notDone: 'no plan was made' },
  { words: ['rehearse', '--months', '1', '--out', 'a.html'], file: 'a.html', notDone: 'nothing was rehearsed' },
  { words: ['rehearse', '--months', '1'], file: 'report/rehearsal.html', notDone: 'nothing was rehearsed' },
  { words: ['rehearse', '--months', '1'], file: 'report/rehearsal.json', notDone: 'nothing was rehearsed' },
  { words: ['report', '--out', 'docs'], file: 'docs/runbook.md', notDone: 'nothing was written' },
  { words: ['report'], file: 'report/evidence.html', notDone: 'nothing was written' },
  { words: ['report'], file: 'report/report.json', notDone: 'nothing was written' },
  { words: ['schema', '--out', 'schemas'], file: 'schemas/project.schema.json', notDone: 'nothing was written' },
  { words: ['pull'], file: '.schemas/resources.schema.json', notDone: 'nothing was written' },
  { words: ['confirm'], file: 'state/confirmed.json', notDone: 'no account was asked', refusesOnly: true },
  { words: ['confirm', '--out', 'x.json'], file: 'x.json', notDone: 'no account was asked', refusesOnly: true },
  { words: ['state', 'backup', 'x.backup'], file: 'x.backup', notDone: 'nothing was written', refusesOnly: true },
]

describe('a command replaces only its own earlier output', () => {
  let folder = ''
  beforeEach(() => (folder = copyProject('small')))
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  /** Three subscribers, whose migration can be rehearsed. */
  const withSubscribers = async (): Promise<void> => {
    rmSync(join(folder, 'catalog'), { recursive: true })
    await crossbill(['init', '--sandbox', '--quiet'], folder)
    const project = join(folder, 'catalog/project.yaml')
    writeFileSync(project, readFileSync(project, 'utf8').replace('subscribers: 60', 'subscribers: 3'))
    await crossbill(['pull', '--quiet'], folder)
  }

  /** The files below the folder, without the store. */
  const files = (): readonly string[] =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => !/\.db|^state$/.test(path))

  test.each(writers)('$words keeps $file of another program', async ({ words, file, notDone }) => {
    const path = join(folder, file)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, '# Mine\n')
    const before = files()
    const { code, stdout, stderr } = await crossbill([...words, '--quiet'], folder)
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain('out_taken')
    expect(stderr).toContain(file)
    expect(stderr.toLowerCase()).toContain(notDone)
    expect(readFileSync(path, 'utf8')).toBe('# Mine\n')
    expect(files()).toEqual(before)
  })

  test.each(writers.filter(({ refusesOnly }) => refusesOnly !== true))(
    '$words replaces its own $file',
    async ({ words, file }) => {
      const path = join(folder, file)
      if (words[0] === 'pull') await crossbill(['schema', '--out', '.schemas', '--quiet'], folder)
      if (words[0] === 'rehearse') await withSubscribers()
      for (const _run of [1, 2]) {
        const { code, stderr } = await crossbill([...words, '--quiet'], folder)
        expect(stderr).not.toContain('out_taken')
        expect(code).not.toBe(1)
        expect(existsSync(path)).toBe(true)
      }
    },
  )

  test.each([
    ['plan', '--out', 'catalog/a.plan.json'],
    ['rehearse', '--months', '1', '--out', 'catalog/a.html'],
    ['report', '--out', 'catalog'],
    ['report', '--out', 'catalog/evidence/2026-12'],
    ['schema', '--out', 'catalog/schemas'],
    ['confirm', '--out', 'catalog/x.json'],
    ['state', 'backup', 'catalog/x.backup'],
  ])('no file among the YAML: %s %s %s %s', async (...words) => {
    const before = files()
    const { code, stdout, stderr } = await crossbill([...words, '--quiet'], folder)
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain('out_in_catalog')
    expect(files()).toEqual(before)
  })

  test.each([
    [['plan', '--format', 'html', '--out', 'x.html'], 'a plan, whose name ends in .json or .json.gz'],
    [['plan', '--out', 'x.md'], 'a plan, whose name ends in .json or .json.gz'],
    [['rehearse', '--out', 'x.json'], 'the page of a rehearsal, whose name ends in .html or .htm'],
    [['confirm', '--out', 'x.yaml'], 'a file of answers, whose name ends in .json'],
  ])('no file under the name of another kind: %s', async (words, expected) => {
    const before = files()
    const { code, stdout, stderr } = await crossbill([...words, '--quiet'], folder)
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain('out_name')
    expect(stderr).toContain(expected)
    expect(files()).toEqual(before)
  })

  test('a plan may have any other name', async () => {
    const saved = await crossbill(['plan', '--out', 'wave-1.plan', '--quiet'], folder)
    expect(saved.code).toBe(0)
    expect((await crossbill(['show', 'wave-1.plan'], folder)).code).toBe(0)
  })

  test('init keeps a schema of another program, and makes no project', async () => {
    rmSync(join(folder, 'catalog'), { recursive: true })
    const path = join(folder, '.schemas/project.schema.json')
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, '{}')
    const { code, stderr } = await crossbill(['init', '--sandbox', '--quiet'], folder)
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining('out_taken') as string })
    expect(readFileSync(path, 'utf8')).toBe('{}')
    expect(existsSync(join(folder, 'catalog'))).toBe(false)
  })
})
