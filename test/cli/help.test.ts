import { describe, expect, test } from 'vitest'
import type { CommandEntry } from '../../src/cli/command.ts'
import { commandTable } from '../../src/cli/commands.ts'
import { crossbill } from './crossbill.ts'

function paths(table: readonly CommandEntry[], before: readonly string[] = []): string[][] {
  return table.flatMap((entry) => {
    const here = [...before, entry.usage.split(' ')[0] ?? '']
    return entry.family === undefined ? [here] : paths(entry.family, here)
  })
}

describe('help', () => {
  test('names every command', async () => {
    const { code, stdout, stderr } = await crossbill(['--help'], '.')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    for (const entry of commandTable) expect(stdout).toContain(`crossbill ${entry.usage.split(' ')[0]}`)
  })

  test.each(paths(commandTable).map((words) => words.join(' ')))('of %s shows an example', async (path) => {
    const { code, stdout, stderr } = await crossbill([...path.split(' '), '--help'], '.')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/Examples:\n\s+crossbill /)
  })

  test('every command in the table has an example and a description', () => {
    const all = (table: readonly CommandEntry[]): readonly CommandEntry[] =>
      table.flatMap((entry) => [entry, ...all(entry.family ?? [])])
    for (const entry of all(commandTable)) expect(entry.about.length).toBeGreaterThan(10)
  })
})
