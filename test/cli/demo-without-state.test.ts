import { appendFileSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { PassThrough } from 'node:stream'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { begins, tellStory, type Reckoning } from '../../src/cli/demo/story.ts'
import { openSchool } from '../../src/cli/demo/school.ts'
import { hintsFor } from '../../src/cli/hints.ts'
import { commandTable } from '../../src/cli/commands.ts'
import { run } from '../../src/cli/main.ts'
import type { GlobalFlags } from '../../src/cli/flags.ts'
import { openShell } from '../../src/cli/shell.ts'
import type { Surroundings } from '../../src/cli/surroundings.ts'

const subscribers = Number(process.env['CROSSBILL_SUBSCRIBERS'] ?? 10)
const months = Number(process.env['CROSSBILL_MONTHS'] ?? 3)

interface Told {
  readonly lines: readonly string[]
  readonly reckoning: Reckoning
  /** How often there was a state to lose. */
  readonly lost: number
}

/** The demo's whole story. If `isLost`, the state is deleted before each command. */
async function told(isLost: boolean): Promise<Told> {
  const dir = mkdtempSync(join(tmpdir(), 'crossbill-demo-state-'))
  let lost = 0
  const losing: typeof run = async (words, surroundings) => {
    if (isLost) lost += loseState(join(dir, 'state'))
    const code = await run(words, surroundings)
    // Before a move, only the copy map knows who was copied: a checkout keeps it as a file.
    if (words[0] === 'copy-map' && words[1] === 'import')
      appendFileSync(
        join(dir, 'catalog/project.yaml'),
        '\ncopy_maps: { us: [../copy-map/us.csv], intl: [../copy-map/intl.csv] }\n',
      )
    return code
  }
  const lines: string[] = []
  const surroundings: Surroundings = {
    cwd: dir,
    env: { NO_COLOR: '1' },
    stdin: new PassThrough(),
    stdout: { write: () => true },
    stderr: { write: () => true },
    onStop: () => () => {},
    abort: () => {},
    leave: () => {},
  }
  const flags: GlobalFlags = { project: '.', format: 'text', quiet: true, 'no-color': true, 'no-pager': true }
  const shell = await openShell(flags, surroundings, { run: losing, hints: hintsFor(commandTable, '.', surroundings) })
  const school = await openSchool({ dir, subscribers, seed: 1, clock: begins }, shell)
  try {
    const reckoning = await tellStory(
      school,
      {
        act: (title) => void lines.push(title),
        say: (...said) => void lines.push(...said),
        command: (words, printed) => void lines.push(`$ ${words.join(' ')}`, ...printed.split('\n')),
      },
      months,
    )
    return { lines: lines.map((line) => line.replaceAll(dir, '<dir>')), reckoning, lost }
  } finally {
    school.close()
    rmSync(dir, { recursive: true })
  }
}

/** Deletes everything but the simulated accounts. @returns 1 when there was something to lose */
function loseState(folder: string): number {
  if (!existsSync(folder)) return 0
  const files = readdirSync(folder).filter((name) => !name.includes('.sandbox'))
  for (const name of files) rmSync(join(folder, name), { recursive: true })
  return files.length > 0 ? 1 : 0
}

/** A line without the id of a plan, which contains the lineage of the state. */
function unnumbered(line: string): string {
  return line.replace(/^Plan \w{12}, /, 'Plan, ')
}

test(
  'promise 8: the demo prints the same without its state, and makes every charge',
  { timeout: 120_000 + 30_000 * months },
  async () => {
    const whole = await told(false)
    const without = await told(true)
    expect(without.lost).toBeGreaterThan(10)
    expect(without.lines.map(unnumbered)).toEqual(whole.lines.map(unnumbered))
    for (const { reckoning } of [whole, without]) {
      expect(reckoning.differences).toEqual([])
      expect(reckoning.made).toBe(reckoning.expected)
    }
  },
)
