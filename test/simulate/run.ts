import type { Counts } from './counts.ts'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { readWorldText, type Unsure, worldText } from '../../src/sandbox/kernel/unsure.ts'
import { bankEvents, mistakeEvents, neverHappened, waiveEvents, wideEvents, without, type RareEvent } from './events.ts'
import { knownSeeds, worldOf } from './known-seeds.ts'
import { shorten } from './shorten.ts'
import { breadths, simulate, storyOf } from './simulate.ts'

/**
 * `npm run simulate -- --seed S --runs N`: random migrations, seed after seed, on all cores
 * (`--jobs`). The first broken promise is printed with its shortest story. `--worlds random`: each
 * seed in its own possible Stripe; `--worlds 'name=value …'`: all in that one. `--known`: the seeds
 * that once broke a promise. `--without NAME` switches an event off.
 */
const value = (name: string, otherwise: number): number => {
  const at = process.argv.indexOf(`--${name}`)
  return at < 0 ? otherwise : Number(process.argv[at + 1])
}

const given = (name: string): string | undefined =>
  process.argv.includes(`--${name}`) ? process.argv[process.argv.indexOf(`--${name}`) + 1] : undefined

const worlds = given('worlds') ?? ''
const isKnown = process.argv.includes('--known')
const asked = breadths.find((one) => one === given('breadth')) ?? 'banks'
/** Switched off, to see that its absence is missed. */
const rareEvents = { ...wideEvents, ...mistakeEvents, ...bankEvents }
const off = (Object.keys({ ...rareEvents, ...waiveEvents }) as RareEvent[]).find((name) => name === given('without'))
/** So many stories hold every event. */
const enough = 100

/** A known seed is told as it was found. */
const known = new Map(isKnown ? knownSeeds.map((one) => [one.seed, one]) : [])

function worldFor(seed: number): Unsure {
  const found = known.get(seed)
  if (found !== undefined) return worldOf(found)
  const read = readWorldText(worlds === 'random' ? `random:${seed}` : worlds)
  if ('wrong' in read) throw new Error(`--worlds: ${read.wrong}`)
  return read.world
}

/** What a worker reports for one seed; `told` when a promise was broken. */
interface Lived {
  readonly seed: number
  readonly counts: Counts
  readonly told?: string
}

async function live(seed: number): Promise<Lived> {
  const world = worldFor(seed)
  const breadth = known.get(seed)?.breadth ?? asked
  const story = await simulate(seed, world, breadth, off).catch((error: unknown) => {
    throw new Error(`SEED=${seed} (--breadth ${breadth}) could not be told to its end`, { cause: error })
  })
  const counts = { ...story.counts, ...countsOf(world) }
  if (story.broken === undefined) return { seed, counts }
  const { people, happenings } = without(off, storyOf(seed, breadth))
  const short = await shorten(story, people, happenings)
  const told = `SEED=${seed} (--breadth ${breadth})  ${short.broken}\n  world: ${worldText(world) || 'as by default'}\n${people.map((one) => `  ${JSON.stringify(one)}`).join('\n')}\n${short.lines.map((line) => `  ${line}`).join('\n')}\n`
  return { seed, counts, told }
}

/** How many seeds had each reading that is not the default. */
function countsOf(world: Unsure): Record<string, number> {
  const text = worldText(world)
  return text === '' ? {} : Object.fromEntries(text.split(' ').map((choice) => [`world ${choice}`, 1]))
}

async function runAll(): Promise<void> {
  const first = value('seed', 1)
  const seeds = isKnown ? [...known.keys()] : Array.from({ length: value('runs', 1_000) }, (_, index) => first + index)
  const runs = seeds.length
  const jobs = Math.min(runs, value('jobs', availableParallelism()))
  const total = new Map<string, number>([['stories', 0]])
  const add = (name: string, times: number): void => void total.set(name, (total.get(name) ?? 0) + times)
  let next = 0
  const job = async (): Promise<void> => {
    const worker = new Worker(new URL(import.meta.url), { workerData: 'simulate', argv: process.argv.slice(2) })
    try {
      for (let seed = seeds[next++]; seed !== undefined; seed = seeds[next++]) {
        const lived = await ask(worker, seed)
        add('stories', 1)
        for (const [name, times] of Object.entries(lived.counts)) add(name, times)
        if ((total.get('stories') ?? 0) % 25 === 0) process.stderr.write(`${total.get('stories')}/${runs}\n`)
        if (lived.told === undefined) continue
        process.stdout.write(lived.told)
        process.exitCode = 1
        next = runs
      }
    } finally {
      await worker.terminate()
    }
  }
  await Promise.all(Array.from({ length: jobs }, job))
  const lines = [...total].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([name, count]) => `${name} ${count}`)
  process.stdout.write(`${lines.join('\n')}\n`)
  const wanted =
    asked === 'banks'
      ? rareEvents
      : asked === 'mistakes'
        ? { ...wideEvents, ...mistakeEvents }
        : asked === 'wide'
          ? wideEvents
          : asked === 'waives'
            ? waiveEvents
            : undefined
  if (isKnown || wanted === undefined || (total.get('stories') ?? 0) < enough) return
  const never = neverHappened(Object.fromEntries(total), Object.values(wanted).flat())
  if (never.length === 0) return
  process.stdout.write(`never happened: ${never.join(', ')}\n`)
  process.exitCode = 1
}

async function ask(worker: Worker, seed: number): Promise<Lived> {
  worker.postMessage(seed)
  const [lived] = (await once(worker, 'message')) as [Lived]
  return lived
}

if (isMainThread) await runAll()
else if (workerData === 'simulate')
  parentPort?.on('message', (seed: number) => void live(seed).then((lived) => parentPort?.postMessage(lived)))
