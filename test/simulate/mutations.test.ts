import { expect, test, vi } from 'vitest'
import { createsBeforeHolding } from '../rehearsal/holding-late.ts'
import type { Happening } from './happenings.ts'
import {
  carriesCouponsWhole,
  forgetsIntervalCount,
  forgetsProrationNone,
  overlooksCancelledSuccessors,
  takesSilenceForEmpty,
  type Mutation,
} from './mutations.ts'
import type { Person } from './people.ts'
import { tell } from './simulate.ts'

// Whole worlds in sequence: slow on a busy machine, but never waiting.
vi.setConfig({ testTimeout: 120_000 })

// One broken rule at a time: the simulation must find each, or it proves nothing about the product.

const move: readonly Happening[] = [
  { do: 'stage', member: 0, stage: 'target' },
  { do: 'apply', diesAt: undefined, faults: undefined },
]
const clean: Happening = { do: 'apply', diesAt: undefined, faults: undefined }
const monthly: Person = { since: '2026-09-20T09:15:00Z' }

async function judged(people: readonly Person[], story: readonly Happening[], mutation?: Mutation): Promise<string> {
  const { broken } = await tell(0, people, story, mutation)
  return broken ?? 'nothing'
}

test.each<[string, Mutation, Person, readonly Happening[], RegExp]>([
  ['creating before holding', createsBeforeHolding, monthly, move, /^promise 1/],
  ['forgetting proration_behavior: none', forgetsProrationNone, monthly, move, /^(promise 2|clean run)/],
  [
    'carrying a repeating coupon whole',
    carriesCouponsWhole,
    { since: '2026-08-15T09:15:00Z', coupon: 'welcome' },
    move,
    /^(promise 2|clean run)/,
  ],
  [
    'prices without interval_count',
    forgetsIntervalCount,
    { since: '2026-09-01T08:00:00Z', price: 'quarterly' },
    move,
    /^(promise 2|promise 10|clean run)/,
  ],
  [
    'looking up successors without cancelled ones',
    overlooksCancelledSuccessors,
    monthly,
    [
      ...move,
      { do: 'cancel', member: 0, by: 'new door', arrives: 'once', diesAt: undefined },
      { do: 'stage', member: 0, stage: 'source' },
      clean,
    ],
    /^(promise 1|promise 3|promise 9|clean run)/,
  ],
  [
    'releasing when the target cannot be read',
    takesSilenceForEmpty,
    monthly,
    // The answer of the creation was lost with the run that sent it; the next run looks for the
    // successor, but the target does not answer.
    [
      clean,
      { do: 'stage', member: 0, stage: 'target' },
      { do: 'apply', diesAt: 5, faults: undefined },
      { do: 'lose the store' },
      { do: 'stage', member: 0, stage: 'source' },
      clean,
    ],
    /^(promise 1|promise 2|clean run)/,
  ],
])('the simulation finds %s', async (_, mutation, member, story, expected) => {
  expect(await judged([member], story)).toBe('nothing')
  expect(await judged([member], story, mutation)).toMatch(expected)
})
