import { afterAll, expect, test } from 'vitest'
import { bankEvents, neverHappened, without, type RareEvent } from './events.ts'
import { simulate, storyOf } from './simulate.ts'

/** Small stories with disputes, refunds, credit notes and replaced cards. */
const seeds = [7_005, 7_006, 7_007, 7_010, 7_022]
const counts: Record<string, number> = {}
/** `CROSSBILL_WITHOUT=given_back`: the event is switched off, and its absence must be missed. */
const off = (Object.keys(bankEvents) as RareEvent[]).find((name) => name === process.env['CROSSBILL_WITHOUT'])

test.each(seeds)(
  'the promises hold whatever banks and people at the Dashboard do to payments (SEED=%i)',
  async (seed) => {
    const { broken, lines, counts: seen } = await simulate(seed, undefined, 'banks', off)
    for (const [name, times] of Object.entries(seen)) counts[name] = (counts[name] ?? 0) + times
    expect(broken === undefined ? [] : [broken, ...lines]).toEqual([])
  },
  240_000,
)

test.each(Object.keys(bankEvents) as (keyof typeof bankEvents)[])(
  'stories draw %s, and can be told without',
  (event) => {
    const stories = Array.from({ length: 40 }, (_, seed) => storyOf(seed, 'banks'))
    expect(stories.some((story) => JSON.stringify(without(event, story)) !== JSON.stringify(story))).toBe(true)
    expect(neverHappened({}, bankEvents[event])).toEqual(bankEvents[event])
  },
)

/** A dispute before the move needs a longer run. */
const wanted = Object.values(bankEvents)
  .flat()
  .filter((name) => name !== 'disputes_at_source')

afterAll(() => {
  const never = neverHappened(counts, wanted)
  if (never.length > 0) throw new Error(`never happened: ${never.join(', ')}`)
})
