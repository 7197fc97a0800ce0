import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseArguments } from '../../src/cli/arguments.ts'
import { commandTable } from '../../src/cli/commands.ts'
import { root } from '../house/sources.ts'
import { commandLines, words } from './command-lines.ts'

const documents = [
  'README.md',
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
]
const lines = documents.flatMap((path) =>
  commandLines(readFileSync(join(root, path), 'utf8')).map((line) => ({ path, line })),
)

describe('every command in the documents exists', () => {
  test('the check finds the existing commands', () => {
    expect(commandLines('```sh\n$ npx crossbill plan --out x # save\n```\nand `crossbill verify`')).toEqual([
      'crossbill plan --out x',
      'crossbill verify',
    ])
    expect(lines.length).toBeGreaterThan(10)
  })

  test('an unknown command is found', async () => {
    await expect(parseArguments(words('crossbill plan --ouut x'), commandTable)).rejects.toThrow('no flag --ouut')
  })

  test.each(lines)('$path: $line', async ({ line }) => {
    const problem = await parseArguments(words(line), commandTable).then(
      () => '',
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    )
    // A sentence may name a command without its arguments.
    expect(problem.replace(/^.*" needs <.*$/, '')).toBe('')
  })
})
