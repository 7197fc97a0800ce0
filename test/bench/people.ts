import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { milliseconds, type Figure } from './figure.ts'
import type { Measured } from './plan-of.ts'

const launcher = fileURLToPath(new URL('../../src/bin/crossbill.js', import.meta.url))
const measurer = fileURLToPath(new URL('plan-of.ts', import.meta.url))
const mostMemory = 2_048
const githubComment = 65_536

/**
 * A school that moves as a whole in one plan: read, planned, shown, saved, read again, compared
 * with its basis, verified. The accounts run in a separate process. Time is processor time, which
 * excludes that of the accounts.
 */
export async function people(): Promise<Figure[]> {
  const figures: Figure[] = []
  let tenth: Measured | undefined
  for (const subscribers of [10_000, 100_000]) {
    const population = ['--population', 'school', '--subscribers', String(subscribers)]
    const world = spawn(process.execPath, ['--max-old-space-size=12000', launcher, 'sandbox'].concat(population))
    const { url } = JSON.parse(await firstLine(world)) as { url: string }
    const measured = await measure(url)
    world.kill()
    figures.push(...figuresOf(subscribers, measured, tenth))
    tenth = measured
  }
  return figures
}

async function measure(url: string): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), 'crossbill-bench-'))
  const pulling = spawn(process.execPath, [measurer, url, folder, 'pull'], { stdio: 'inherit' })
  await once(pulling, 'exit')
  const child = spawn(process.execPath, [measurer, url, folder], { stdio: ['ignore', 'pipe', 'inherit'] })
  const measured = JSON.parse(await firstLine(child)) as Measured
  rmSync(folder, { recursive: true })
  return measured
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('a child without output')
  const lines = createInterface({ input: child.stdout })
  const [line] = (await Promise.race([once(lines, 'line'), once(lines, 'close')])) as [string | undefined]
  if (line === undefined) throw new Error('a process of the bench ended without a word')
  return line
}

function figuresOf(subscribers: number, measured: Measured, tenth: Measured | undefined): Figure[] {
  const { moves, memory, fileMegabytes, markdown, text, stages, reads } = measured
  const about = `${moves} moves of a school of ${subscribers}`
  const all = Object.values(stages).reduce((sum, one) => sum + one, 0)
  const before = tenth === undefined ? 0 : Object.values(tenth.stages).reduce((sum, one) => sum + one, 0)
  const ratio = tenth === undefined ? '' : `, ${(all / before).toFixed(1)} × a tenth`
  const parts = Object.entries(stages).map(([name, took]) => `${name} ${milliseconds(took)}`)
  return [
    {
      what: `one plan of ${about} (processor time)`,
      reach: tenth === undefined ? '≤ 180 s' : '≤ 180 s, ≤ 11 × a tenth',
      measured: `${milliseconds(all)}${ratio}: ${parts.join(', ')}`,
      ok: all <= 180_000 && (tenth === undefined || all <= before * 11),
    },
    {
      what: `memory at most to plan and save ${about}`,
      reach: `≤ ${mostMemory} MiB`,
      measured: `${memory.plan} MiB, ${memory.apply} MiB with apply's own reading and plan beside the saved one`,
      ok: memory.apply <= mostMemory,
    },
    {
      what: `size of that plan (file ${fileMegabytes} MB): Markdown and text, characters`,
      reach: `Markdown < ${githubComment}`,
      measured: `${markdown}, ${text}`,
      ok: markdown < githubComment,
    },
    { what: `reads of one verify, school of ${subscribers}`, reach: 'lists of a hundred', measured: reads, ok: true },
  ]
}
