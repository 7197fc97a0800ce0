import { afterAll, expect, test } from 'vitest'
import { neverHappened, wideEvents, without } from './events.ts'
import { simulate, storyOf } from './simulate.ts'

/** Two or three people each, and as many of the wider events as a seed can have. */
const seeds = [5_027, 6_933, 3_551]
const counts: Record<string, number> = {}
/** `CROSSBILL_WITHOUT=frozen_runs`: the event is switched off, and its absence must be missed. */
const off = (Object.keys(wideEvents) as (keyof typeof wideEvents)[]).find(
  (name) => name === process.env['CROSSBILL_WITHOUT'],
)

test.each(seeds)(
  'the promises hold between several machines, stopped runs and accidents (SEED=%i)',
  async (seed) => {
    const { broken, lines, counts: seen } = await simulate(seed, undefined, 'wide', off)
    for (const [name, times] of Object.entries(seen)) counts[name] = (counts[name] ?? 0) + times
    expect(broken === undefined ? [] : [broken, ...lines]).toEqual([])
  },
  120_000,
)

test.each(Object.keys(wideEvents) as (keyof typeof wideEvents)[])(
  'stories draw %s, and can be told without',
  (event) => {
    const stories = Array.from({ length: 40 }, (_, seed) => storyOf(seed, 'wide'))
    expect(stories.some((story) => JSON.stringify(without(event, story)) !== JSON.stringify(story))).toBe(true)
    expect(neverHappened({}, wideEvents[event])).toEqual(wideEvents[event])
  },
)

/** A customer deleted in the target or on hold needs a longer run. */
const wanted = Object.values(wideEvents)
  .flat()
  .filter((name) => !name.endsWith('_in_target') && !name.endsWith('_on_hold'))

afterAll(() => {
  const never = neverHappened(counts, wanted)
  if (never.length > 0) throw new Error(`never happened: ${never.join(', ')}`)
})
