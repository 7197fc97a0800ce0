import type { Counts } from './counts.ts'
import type { Mutation } from './mutations.ts'
import { chance } from './chance.ts'
import { randomHappenings, type Happening } from './happenings.ts'
import { randomPeople, type Person } from './people.ts'
import { Teller } from './teller.ts'
import { TwinWorlds } from './world.ts'

/** What happened in one random migration, and what was broken, if anything. */
export interface Story {
  readonly seed: number
  readonly lines: readonly string[]
  readonly counts: Counts
  /** Name of the promise and what was seen; undefined when all held. */
  readonly broken: string | undefined
}

const unchanged: Mutation = (context) => context

/** Lives through one seed's story. */
export async function simulate(seed: number): Promise<Story> {
  const random = chance(seed)
  const people = randomPeople(random)
  return tell(seed, people, randomHappenings(random, people.length))
}

/** Lives through a given story, checking the promises after everything that happens. */
export async function tell(
  seed: number,
  people: readonly Person[],
  happenings: readonly Happening[],
  mutate: Mutation = unchanged,
): Promise<Story> {
  await using worlds = await TwinWorlds.open(people, '2026-10-05T12:00:00Z', mutate)
  const teller = new Teller(worlds, mutate)
  const broken = await teller.tell(happenings)
  return { seed, lines: teller.lines, counts: teller.counts(), broken }
}
