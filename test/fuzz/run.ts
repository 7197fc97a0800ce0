import { fuzzDoors, type Finding, type FuzzOptions } from './fuzz.ts'
import { fuzzPages, fuzzUpstreams } from './upstreams.ts'

/**
 * `npm run fuzz -- [--seed S] [--runs N] [NAME…]`: odd requests to every door of the cancel
 * service, and odd answers of Stripe and Kajabi to it. Prints the seed, and the smallest case that
 * breaks a promise.
 */
const fuzzers: Readonly<Record<string, (options: FuzzOptions) => Promise<Finding>>> = {
  doors: fuzzDoors,
  upstreams: fuzzUpstreams,
  pages: fuzzPages,
}

const words = process.argv.slice(2)
const value = (name: string, otherwise: number): number => {
  const at = words.indexOf(`--${name}`)
  return at < 0 ? otherwise : Number(words[at + 1])
}

const seed = value('seed', Math.floor(Math.random() * 2 ** 31))
const runs = value('runs', 2_000)
const named = words.filter((word) => Object.hasOwn(fuzzers, word))

for (const event of ['uncaughtException', 'unhandledRejection'] as const)
  process.on(event, (error: unknown) => {
    process.stdout.write(`the process would have ended: ${String(error)}\n  seed ${seed}\n`)
    process.exit(1)
  })

process.stdout.write(`seed ${seed}, ${runs} runs of each\n`)
for (const [name, fuzz] of Object.entries(fuzzers)) {
  if (named.length > 0 && !named.includes(name)) continue
  const began = performance.now()
  const finding = await fuzz({ seed, runs })
  const seconds = Math.round((performance.now() - began) / 1_000)
  process.stdout.write(`${name}: ${finding ?? 'nothing found'} (${seconds} s)\n`)
  if (finding !== undefined) process.exitCode = 1
}
