import type { Counts } from './counts.ts'
import type { Mutation } from './mutations.ts'
import { defaultWorld, type Unsure } from '../../src/sandbox/kernel/unsure.ts'
import { chance } from './chance.ts'
import { without, type Cast, type RareEvent } from './events.ts'
import {
  randomHappenings,
  withCardLinks,
  withItems,
  withMachines,
  withBanks,
  withMistakes,
  withWaives,
  type Happening,
} from './happenings.ts'
import { randomPeople, withMoney, withRarePeople, withSharedMoney, type Person } from './people.ts'
import { Teller } from './teller.ts'
import { BothWorlds } from './world.ts'

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
export async function simulate(
  seed: number,
  unsure?: Unsure,
  breadth: Breadth = 'usual',
  off?: RareEvent,
): Promise<Story> {
  const { people, happenings } = without(off, storyOf(seed, breadth))
  return tell(seed, people, happenings, unchanged, unsure)
}

/**
 * `usual`: people and events that every story draws from. `cards`: also members who enter a card
 * through their link. `rare`: rarer people and items beside
 * them. `wide`: also several machines, runs that stop and go on, late commits, deleted customers,
 * reused coupons, wrong entries, other amounts, carried money. `mistakes`: also copy maps and
 * accounts that were exchanged, discounts taken off on hold, other tax rates, drafts with items.
 * `shared`: as usual, and two subscriptions of one customer share a credit.
 * `banks`: also disputes, refunds, credit notes, invoices paid on their page, replaced cards.
 * `waives`: as `usual`, and periods that the school waives, cards that go during the hold.
 */
export const breadths = ['usual', 'cards', 'rare', 'wide', 'mistakes', 'banks', 'waives', 'shared'] as const
export type Breadth = (typeof breadths)[number]

/** Who lives in a seed's story, and what happens to them. */
export function storyOf(seed: number, breadth: Breadth): Cast {
  const random = chance(seed)
  const usual = randomPeople(random)
  const happenings = randomHappenings(random, usual.length)
  if (breadth === 'usual') return { people: usual, happenings }
  if (breadth === 'shared') return { people: withSharedMoney(chance(seed + 6_000_003), usual), happenings }
  if (breadth === 'waives')
    return { people: usual, happenings: withWaives(chance(seed + 7_000_003), happenings, usual.length) }
  if (breadth === 'cards')
    return { people: usual, happenings: withCardLinks(chance(seed + 3_000_003), happenings, usual.length) }
  // Each breadth draws by itself, so that what a seed once told stays as it was beside it.
  const rare = chance(seed + 1_000_003)
  const rarePeople = withRarePeople(rare, usual)
  const rareHappenings = withItems(rare, happenings, usual.length)
  if (breadth === 'rare') return { people: rarePeople, happenings: rareHappenings }
  const wide = chance(seed + 2_000_003)
  const whole = { people: withMoney(wide, rarePeople), happenings: withMachines(wide, rareHappenings, usual.length) }
  if (breadth === 'wide') return whole
  const mistaken = withMistakes(chance(seed + 4_000_003), whole.happenings, usual.length)
  if (breadth === 'mistakes') return { ...whole, happenings: mistaken }
  return { ...whole, happenings: withBanks(chance(seed + 5_000_003), mistaken, usual.length) }
}

/** Plays a given story and checks the promises after every event. */
export async function tell(
  seed: number,
  people: readonly Person[],
  happenings: readonly Happening[],
  mutate: Mutation = unchanged,
  unsure: Unsure = defaultWorld(),
): Promise<Story> {
  await using worlds = await BothWorlds.open(people, '2026-10-05T12:00:00Z', mutate, unsure)
  const teller = new Teller(worlds, mutate)
  const broken = await teller.tell(happenings)
  return { seed, unsure, lines: teller.lines, counts: teller.counts(), broken }
}
