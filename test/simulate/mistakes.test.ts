import { afterAll, expect, test } from 'vitest'
import { mistakeEvents, neverHappened, without, type RareEvent } from './events.ts'
import { simulate, storyOf } from './simulate.ts'

/** Chosen so that every mistake is made. */
const seeds = [203, 213]
const counts: Record<string, number> = {}
/** `CROSSBILL_WITHOUT=mixed_copies`: the event is switched off, and its absence must be missed. */
const off = (Object.keys(mistakeEvents) as RareEvent[]).find((name) => name === process.env['CROSSBILL_WITHOUT'])

test.each(seeds)(
  'the promises hold when people make mistakes around the migration (SEED=%i)',
  async (seed) => {
    const { broken, lines, counts: seen } = await simulate(seed, undefined, 'mistakes', off)
    for (const [name, times] of Object.entries(seen)) counts[name] = (counts[name] ?? 0) + times
    expect(broken === undefined ? [] : [broken, ...lines]).toEqual([])
  },
  120_000,
)

test.each(Object.keys(mistakeEvents) as (keyof typeof mistakeEvents)[])(
  'stories draw %s, and can be told without',
  (event) => {
    const stories = Array.from({ length: 40 }, (_, seed) => storyOf(seed, 'mistakes'))
    expect(stories.some((story) => JSON.stringify(without(event, story)) !== JSON.stringify(story))).toBe(true)
    expect(neverHappened({}, mistakeEvents[event])).toEqual(mistakeEvents[event])
  },
)

afterAll(() => {
  const never = neverHappened(counts, Object.values(mistakeEvents).flat())
  if (never.length > 0) throw new Error(`never happened: ${never.join(', ')}`)
})
