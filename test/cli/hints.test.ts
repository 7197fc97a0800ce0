import { describe, expect, test } from 'vitest'
import { commandTable } from '../../src/cli/commands.ts'
import { completions } from '../../src/cli/completions.ts'
import { hintsFor } from '../../src/cli/hints.ts'
import { crossbill } from './crossbill.ts'

const surroundings = { cwd: '/srv/school' } as Parameters<typeof hintsFor>[2]

describe('a command that a message names works when it is pasted', () => {
  const hint = hintsFor(commandTable, '../a school', surroundings)

  test('the flag of the project is added once, after the words of the command', () => {
    expect(hint('Run "crossbill plan --out x", then `crossbill state rebuild`.')).toBe(
      `Run "crossbill plan --project '../a school' --out x", then \`crossbill state rebuild --project '../a school'\`.`,
    )
    expect(hint('crossbill cancel-link us/sub_1')).toBe("crossbill cancel-link --project '../a school' us/sub_1")
    expect(hint('crossbill apply --project b x.json')).toBe('crossbill apply --project b x.json')
  })

  test('commands without a project and text that is no command stay', () => {
    for (const text of [
      'crossbill demo',
      'crossbill plans 3 steps',
      'See: crossbill plan --help',
      './crossbill plan',
      'made with crossbill 0.1.0',
    ])
      expect(hint(text)).toBe(text)
  })

  test('in a checkout the program is started with npx', () => {
    const there = hintsFor(commandTable, '.', { ...surroundings, program: 'npx crossbill' })
    expect(there('Next, run: crossbill pull. See npx crossbill plan')).toBe(
      'Next, run: npx crossbill pull. See npx crossbill plan',
    )
  })

  test('errors that stop a command before it begins carry the flag as well', async () => {
    const { stderr } = await crossbill(['plan', '--project', 'no/school'], '/tmp')
    expect(stderr).toMatch(/crossbill init --project \S*no\/school/)
    expect((await crossbill(['plan', '--project=no/school'], '/tmp')).stderr).toMatch(/init --project \S*no\/school/)
  })
})

describe('completion', () => {
  const after = async (line: string): Promise<readonly string[]> => completions(line.split(' '), commandTable)

  test('knows commands, families, flags and the values of a flag', async () => {
    expect(await after('pl')).toEqual(['plan'])
    expect(await after('--project x copy-map ')).toEqual(['import', 'check'])
    expect(await after('plan --o')).toEqual(['--out'])
    expect(await after('verify --format ')).toContain('json')
    expect(await after('kajabi hooks ')).toEqual(['ensure'])
    expect(await after('completion ')).toEqual(['bash', 'zsh', 'fish'])
    expect(await after('nothing ')).toEqual([])
  })

  test.each(['bash', 'zsh', 'fish'])('the script for %s asks the program', async (shell) => {
    const { stdout } = await crossbill(['completion', shell], '/tmp')
    expect(stdout).toContain('crossbill __complete')
    expect((await crossbill(['__complete', 'rehe'], '/tmp')).stdout).toBe('rehearse\n')
  })
})
