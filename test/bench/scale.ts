import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { guardNames } from '../../src/catalog/guards.ts'
import { milliseconds, type Figure } from './figure.ts'

const launcher = fileURLToPath(new URL('../../src/bin/crossbill.js', import.meta.url))
const usageModule = new URL('usage.js', import.meta.url).href
const mostMemory = 2_048
const sizes = [2_000, 20_000]
/** For eleven times the subscribers: the start of a command counts less in a large school. */
const growth = 1.1

interface Used {
  /** Milliseconds. */
  readonly took: number
  readonly processor: number
  /** Maximum of resident memory, MiB. */
  readonly memory: number
  readonly requests: number
}

/**
 * Every command of a migration, run as a person runs it, against accounts in another process. The
 * school moves as a whole in one plan. `CROSSBILL_BENCH_SUBSCRIBERS=2000,100000` chooses other
 * sizes, `CROSSBILL_BENCH_COMMANDS=plan,show` only some commands.
 */
export async function scale(): Promise<Figure[]> {
  const chosen = process.env['CROSSBILL_BENCH_SUBSCRIBERS']?.split(',').map(Number)
  const figures: Figure[] = []
  let before: { readonly subscribers: number; readonly used: ReadonlyMap<string, Used> } | undefined
  for (const subscribers of chosen ?? sizes) {
    const used = await school(subscribers)
    for (const [name, one] of used) figures.push(figureOf({ name, subscribers, used: one }, before))
    before = { subscribers, used }
  }
  return figures
}

function figureOf(
  { name, subscribers, used }: { readonly name: string; readonly subscribers: number; readonly used: Used },
  before: { readonly subscribers: number; readonly used: ReadonlyMap<string, Used> } | undefined,
): Figure {
  const smaller = before?.used.get(name)
  const times = before === undefined ? 0 : subscribers / before.subscribers
  const ratio = smaller === undefined ? 0 : used.processor / smaller.processor
  const grown = smaller === undefined ? '' : `, ${ratio.toFixed(1)} × for ${times} × the people`
  return {
    what: `${name}, ${subscribers} subscribers`,
    reach: smaller === undefined ? `≤ ${mostMemory} MiB` : `≤ ${mostMemory} MiB, ≤ ${(times * growth).toFixed(1)} ×`,
    measured: `processor ${milliseconds(used.processor)}, ${used.memory} MiB, ${used.requests} requests, in ${milliseconds(used.took)}${grown}`,
    ok: used.memory <= mostMemory && ratio <= times * growth,
  }
}

async function school(subscribers: number): Promise<ReadonlyMap<string, Used>> {
  const population = ['--population', 'school', '--subscribers', String(subscribers)]
  const world = spawn(process.execPath, ['--max-old-space-size=14000', launcher, 'sandbox', ...population], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const folder = mkdtempSync(join(tmpdir(), 'crossbill-bench-'))
  try {
    return await commands(folder, await firstLine(world))
  } finally {
    world.kill()
    if (process.env['CROSSBILL_BENCH_KEEP'] === undefined) rmSync(folder, { recursive: true })
  }
}

async function commands(folder: string, ready: string): Promise<ReadonlyMap<string, Used>> {
  const { url, accounts } = JSON.parse(ready) as {
    readonly url: string
    readonly accounts: Readonly<Record<string, { readonly id: string; readonly key: string }>>
  }
  mkdirSync(join(folder, 'catalog'))
  const named = Object.entries(accounts)
  const lines = named.map(
    ([name, { id }]) => `  ${name}: { key: { env: KEY_${name} }, account: ${id}, livemode: false, api_base: ${url} }\n`,
  )
  writeFileSync(join(folder, 'catalog/project.yaml'), `project: school\naccounts:\n${lines.join('')}`)
  const keys = Object.fromEntries(named.map(([name, { key }]) => [`KEY_${name}`, key]))
  const all = new Map<string, Used>()
  const only = process.env['CROSSBILL_BENCH_COMMANDS']?.split(',')
  const run = async (name: string, args: readonly string[], exits = [0]): Promise<void> => {
    const isNeeded = ['pull', 'copy-map import', 'plan'].includes(name)
    if (only !== undefined && !isNeeded && !only.includes(name)) return
    all.set(name, await measured(folder, { name, args, exits, keys }))
  }
  await run('pull', ['pull'])
  const tables: string[] = []
  for (const source of Object.keys(accounts).filter((name) => name !== 'target')) {
    const body = JSON.stringify({ from: source, to: 'target' })
    tables.push(join(folder, `${source}.csv`))
    writeFileSync(tables.at(-1) ?? '', await (await fetch(`${url}/_sandbox/copy`, { method: 'POST', body })).text())
  }
  await run('copy-map import', ['copy-map', 'import', ...tables])
  await run('validate', ['validate'])
  const waves = join(folder, 'catalog/subscribers')
  for (const file of readdirSync(waves, { recursive: true, encoding: 'utf8' }).filter((one) => one.endsWith('.yaml'))) {
    const text = readFileSync(join(waves, file), 'utf8')
    writeFileSync(join(waves, file), text.replace(/^stage: source$/m, 'stage: target'))
  }
  const plan = join(folder, 'plans/all.plan.json')
  await run('plan', ['plan', '--out', plan])
  await run('show', ['show', plan])
  // 1: some members' cards cannot be set up, and the guard stops the rest of their kind.
  await run('apply', ['apply', plan, '--yes', ...guardNames.flatMap((name) => ['--allow', name])], [0, 1])
  // 2: the school has people whom verify names.
  await run('verify', ['verify'], [0, 2])
  await run('drift', ['drift'], [0, 2])
  await run('report', ['report'])
  await run('rehearse', ['rehearse', '--months', '2'], [0, 2])
  return all
}

interface Command {
  readonly name: string
  readonly args: readonly string[]
  readonly exits: readonly number[]
  readonly keys: Readonly<Record<string, string>>
}

async function measured(folder: string, { name, args, exits, keys }: Command): Promise<Used> {
  const usage = join(folder, 'usage.json')
  if (existsSync(usage)) rmSync(usage)
  const [out, err] = ['out', 'err'].map((kind) => openSync(join(folder, `${name}.${kind}`), 'w'))
  const begin = performance.now()
  const child = spawn(process.execPath, ['--import', usageModule, launcher, '--project', folder, ...args], {
    stdio: ['ignore', out, err],
    env: { ...process.env, ...keys, CROSSBILL_BENCH_USAGE: usage },
  })
  const [code] = (await once(child, 'exit')) as [number | null]
  for (const file of [out, err]) if (file !== undefined) closeSync(file)
  const took = performance.now() - begin
  if (code === null || !exits.includes(code) || !existsSync(usage))
    throw new Error(`${name} ended with ${code}: ${readFileSync(join(folder, `${name}.err`), 'utf8').slice(-2_000)}`)
  const used = { took, ...(JSON.parse(readFileSync(usage, 'utf8')) as Omit<Used, 'took'>) }
  process.stderr.write(
    `${name}: processor ${milliseconds(used.processor)}, ${used.memory} MiB, ${used.requests} requests, in ${milliseconds(took)}\n`,
  )
  return used
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('a child without output')
  const lines = createInterface({ input: child.stdout })
  const [line] = (await Promise.race([once(lines, 'line'), once(lines, 'close')])) as [string | undefined]
  if (line === undefined) throw new Error('the accounts of the bench ended without a word')
  return line
}
