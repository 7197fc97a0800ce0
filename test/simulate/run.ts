import { chance } from './chance.ts'
import { shorten } from './shorten.ts'
import { randomHappenings, randomPeople, simulate, type Counts } from './simulate.ts'

/** `npm run simulate -- --seed S --runs N`: random migrations, seed after seed. The first broken promise is told as shortly as it can be. */
const value = (name: string, otherwise: number): number => {
  const at = process.argv.indexOf(`--${name}`)
  return at < 0 ? otherwise : Number(process.argv[at + 1])
}
const first = value('seed', 1)
const runs = value('runs', 1_000)
const total: Counts = { charges: 0, moves: 0, reverts: 0, settles: 0, kills: 0, faults: 0, cancels: 0 }

for (let seed = first; seed < first + runs; seed++) {
  const story = await simulate(seed)
  for (const name of Object.keys(total) as (keyof Counts)[]) total[name] += story.counts[name]
  if (story.broken !== undefined) {
    const random = chance(seed)
    const people = randomPeople(random)
    const short = await shorten(story, people, randomHappenings(random, people.length))
    process.stdout.write(
      `SEED=${seed}  ${short.broken}\n${people.map((one) => `  ${JSON.stringify(one)}`).join('\n')}\n${short.lines.map((line) => `  ${line}`).join('\n')}\n`,
    )
    process.exitCode = 1
    break
  }
  if ((seed - first + 1) % 25 === 0) process.stderr.write(`${seed - first + 1}/${runs}\n`)
}
process.stdout.write(
  `${Object.entries(total)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ')}\n`,
)
