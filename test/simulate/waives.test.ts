import { afterAll, expect, test } from 'vitest'
import { neverHappened, waiveEvents } from './events.ts'
import { simulate } from './simulate.ts'

/** Small stories with periods that the school waives and cards that go during the hold. */
const seeds = [12, 20, 28]
const counts: Record<string, number> = {}

test.each(seeds)(
  'the promises hold where a school waives periods and held cards are detached (SEED=%i)',
  async (seed) => {
    const { broken, lines, counts: seen } = await simulate(seed, undefined, 'waives')
    for (const [name, times] of Object.entries(seen)) counts[name] = (counts[name] ?? 0) + times
    expect(broken === undefined ? [] : [broken, ...lines]).toEqual([])
  },
  120_000,
)

afterAll(() => {
  const never = neverHappened(counts, Object.values(waiveEvents).flat())
  if (never.length > 0) throw new Error(`never happened: ${never.join(', ')}`)
})
