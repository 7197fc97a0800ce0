import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { commandTable } from '../../src/cli/commands.ts'
import { root } from '../house/sources.ts'
import { crossbill } from './crossbill.ts'

const readme = readFileSync(join(root, 'README.md'), 'utf8')

interface Shown {
  readonly line: string
  /** The output that the README shows; `…` replaces omitted parts. */
  readonly output: readonly string[]
}

/** The commands of all `console` blocks, in order, with what is shown below each. */
function tour(text: string): Shown[] {
  const lines = [...text.matchAll(/```console\n([\s\S]*?)```/g)].flatMap((match) =>
    (match[1] ?? '').trimEnd().split('\n'),
  )
  const shown: { line: string; output: string[] }[] = []
  for (const line of lines)
    if (line.startsWith('$ ')) shown.push({ line: line.slice(2), output: [] })
    else shown.at(-1)?.output.push(line)
  return shown
}

/**
 * The shown output as a pattern: a line of `…` skips lines, `…` within a line skips the rest of a
 * word or more.
 */
function pattern(output: readonly string[]): RegExp {
  const quoted = output.map((line) =>
    line === '…'
      ? '(?:.*\n)*?.*'
      : line
          .split('…')
          .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
          .join('.*'),
  )
  return new RegExp(`^${quoted.join('\n')}`, 'm')
}

describe('the tour of the README, as printed', { timeout: 120_000 }, () => {
  let outer = ''
  let folder = ''
  beforeAll(() => {
    outer = mkdtempSync(join(tmpdir(), 'crossbill-readme-'))
    // The README also makes a project beside the clone.
    folder = join(outer, 'clone')
    cpSync(join(root, 'catalog'), join(folder, 'catalog'), { recursive: true })
  })
  afterAll(() => {
    rmSync(outer, { recursive: true, force: true })
  })

  test('contains commands with their output', () => {
    expect(tour(readme).map((shown) => shown.line)).toContain('npx crossbill apply --yes')
    expect(pattern(['a …b', '…', 'd']).test('a very b\nc\nc\nd')).toBe(true)
    expect(pattern(['a', 'd']).test('a\nc\nd')).toBe(false)
  })

  // The order matters, because each step needs the state that the steps before it left.
  test.each(tour(readme))('$line', async ({ line, output }) => {
    const [program = '', ...words] = (line.match(/'[^']*'|\S+/g) ?? []).map((word) => word.replaceAll("'", ''))
    const printed =
      program === 'npx'
        ? (await crossbill([...words.slice(1), '--quiet'], folder)).stdout
        : execFileSync(program, words, { cwd: folder, encoding: 'utf8' })
    expect(printed).toMatch(pattern(output))
  })

  test('the table of commands has every command', () => {
    const table = readme
      .split('\n')
      .filter((line) => line.startsWith('| `'))
      .join('\n')
    const names = commandTable.map(({ usage }) => usage.split(' ')[0] ?? '')
    expect(names.filter((name) => !new RegExp(`\`${name}( |\`)`).test(table))).toEqual([])
  })

  test('every link has a target', () => {
    const links = [...readme.matchAll(/\]\(([^)#]+)\)/g)]
      .map((match) => match[1] ?? '')
      .filter((link) => !link.includes('://'))
    expect(links.length).toBeGreaterThan(8)
    expect(links.filter((link) => !existsSync(join(root, link)))).toEqual([])
  })
})
