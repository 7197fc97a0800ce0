import { expect, test } from 'vitest'
import type { Member } from '../engine/members.ts'
import {
  carriesCouponsWhole,
  forgetsIntervalCount,
  forgetsProrationNone,
  overlooksCancelledSuccessors,
  takesSilenceForEmpty,
  type Mutation,
} from '../simulate/mutations.ts'
import { found, foundBySomeSeed, rehearsed, type Trial } from './broken-rule.ts'
import { createsBeforeHolding } from './holding-late.ts'

// One broken rule at a time: the rehearsal must find it; otherwise a clean report proves nothing.

const monthly: Member = { since: '2026-09-20T09:15:00Z' }
/** Ten members who may meet faults, kills and their own decisions in every state. */
const ten: readonly Member[] = Array.from({ length: 10 }, (_, index) => ({ since: `2026-09-${10 + index}T09:15:00Z` }))

test.each<[string, Mutation, Trial, RegExp, RegExp]>([
  [
    'creating before holding',
    createsBeforeHolding,
    { people: [monthly], months: 2 },
    /two_payers 1/,
    /created or released while another one could still charge/,
  ],
  [
    'forgetting proration_behavior: none',
    forgetsProrationNone,
    { people: [monthly], months: 2 },
    /missed 2/,
    /ended without a cancel request/,
  ],
  [
    'carrying a repeating coupon whole',
    carriesCouponsWhole,
    { people: [{ since: '2026-08-15T09:15:00Z', coupon: 'welcome' }], months: 2 },
    /not_moved 1/,
    /The new subscription is not what was planned|did not return a preview/,
  ],
  [
    'prices without interval_count',
    forgetsIntervalCount,
    { people: [{ since: '2026-09-01T08:00:00Z', price: 'quarterly' }], months: 3 },
    /not_moved 1/,
    /The new subscription is not what was planned|did not return a preview/,
  ],
])('the rehearsal finds %s', async (_, mutation, trial, expected, why) => {
  expect(found(await rehearsed(trial))).toBe('nothing')
  const report = await foundBySomeSeed(trial, mutation)
  expect(found(report)).toMatch(expected)
  expect(report.differences.map(({ cause }) => cause).join(' ')).toMatch(why)
})

// A successor that no list shows is read by its id, and a kept hold is never released while the
// successor is invisible. So these faults of a reader no longer cost a member money.
test.each<[string, Mutation]>([
  ['looking up successors without cancelled ones', overlooksCancelledSuccessors],
  ['taking the silence of the target for an empty list', takesSilenceForEmpty],
])('%s does not cause a second payer', async (_, mutation) => {
  for (const seed of [2, 101, 102]) {
    const { counts } = await rehearsed({ people: ten, months: 4, faults: true, seed }, mutation)
    expect([counts.double, counts.two_payers]).toEqual([0, 0])
  }
})
