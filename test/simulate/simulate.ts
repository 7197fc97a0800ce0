import type { Counts } from './counts.ts'
import type { Mutation } from './mutations.ts'
import { defaultWorld, type Unsure } from '../../src/sandbox/kernel/unsure.ts'
import { chance } from './chance.ts'
import { randomHappenings, withItems, type Happening } from './happenings.ts'
import { randomPeople, withRarePeople, type Person } from './people.ts'
import { Teller } from './teller.ts'
import { TwinWorlds } from './world.ts'

/** The events of one random migration, and the broken promise, if any. */
export interface Story {
  readonly seed: number
  /** The possible Stripe in which it happened. */
  readonly unsure: Unsure
  readonly lines: readonly string[]
  readonly counts: Counts
  /** The name of the promise and what was observed; undefined when all promises held. */
  readonly broken: string | undefined
}

const unchanged: Mutation = (context) => context

/** Plays the story of one seed, in a certain possible Stripe on request. */
export async function simulate(seed: number, unsure?: Unsure, isRare = false): Promise<Story> {
  const { people, happenings } = storyOf(seed, isRare)
  return tell(seed, people, happenings, unchanged, unsure)
}

/**
 * The people of a seed's story and the events. `isRare`: also people and events that the fixed
 * seeds of the tests do not have.
 */
export function storyOf(
  seed: number,
  isRare: boolean,
): { readonly people: Person[]; readonly happenings: Happening[] } {
  const random = chance(seed)
  const usual = randomPeople(random)
  const happenings = randomHappenings(random, usual.length)
  if (!isRare) return { people: usual, happenings }
  // Rarer people and events have their own random source, so that the story of a seed stays the
  // same without them.
  const rare = chance(seed + 1_000_003)
  return { people: withRarePeople(rare, usual), happenings: withItems(rare, happenings, usual.length) }
}

/** Plays a given story and checks the promises after every event. */
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
