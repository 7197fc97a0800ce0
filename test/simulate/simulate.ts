import type { Counts } from './counts.ts'
import type { Mutation } from './mutations.ts'
import { defaultWorld, type Unsure } from '../../src/sandbox/kernel/unsure.ts'
import { chance } from './chance.ts'
import { randomHappenings, withItems, type Happening } from './happenings.ts'
import { randomPeople, withRarePeople, type Person } from './people.ts'
import { Teller } from './teller.ts'
import { TwinWorlds } from './world.ts'

/** What happened in one random migration, and what was broken, if anything. */
export interface Story {
  readonly seed: number
  /** The possible Stripe in which it happened. */
  readonly unsure: Unsure
  readonly lines: readonly string[]
  readonly counts: Counts
  /** Name of the promise and what was seen; undefined when all held. */
  readonly broken: string | undefined
}

const unchanged: Mutation = (context) => context

/** Lives through one seed's story, in a possible Stripe of its own when asked. */
export async function simulate(seed: number, unsure?: Unsure, isRare = false): Promise<Story> {
  const { people, happenings } = storyOf(seed, isRare)
  return tell(seed, people, happenings, unchanged, unsure)
}

/**
 * Who lives in a seed's story, and what happens to them. `isRare`: also people and events that the
 * fixed seeds of the tests do without.
 */
export function storyOf(
  seed: number,
  isRare: boolean,
): { readonly people: Person[]; readonly happenings: Happening[] } {
  const random = chance(seed)
  const usual = randomPeople(random)
  const happenings = randomHappenings(random, usual.length)
  if (!isRare) return { people: usual, happenings }
  // Rarer people and events are drawn by themselves, so that what a seed once told stays as it was
  // beside them.
  const rare = chance(seed + 1_000_003)
  return { people: withRarePeople(rare, usual), happenings: withItems(rare, happenings, usual.length) }
}

/** Lives through a given story, checking the promises after everything that happens. */
export async function tell(
  seed: number,
  people: readonly Person[],
  happenings: readonly Happening[],
  mutate: Mutation = unchanged,
  unsure: Unsure = defaultWorld(),
): Promise<Story> {
  await using worlds = await TwinWorlds.open(people, '2026-10-05T12:00:00Z', mutate, unsure)
  const teller = new Teller(worlds, mutate)
  const broken = await teller.tell(happenings)
  return { seed, unsure, lines: teller.lines, counts: teller.counts(), broken }
}
