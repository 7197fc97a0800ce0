import { afterAll, expect, test } from 'vitest'
import { neverHappened } from './events.ts'
import { simulate } from './simulate.ts'

const happened: Record<string, number> = {}

/** `npm run simulate -- --breadth cards` plays more of them. */
test.each([2_001, 2_002, 2_003, 2_004])(
  'the promises hold where members enter cards through their links (SEED=%i)',
  async (seed) => {
    const { broken, lines, counts } = await simulate(seed, undefined, 'cards')
    for (const [name, times] of Object.entries(counts)) happened[name] = (happened[name] ?? 0) + times
    expect(broken === undefined ? [] : [broken, ...lines]).toEqual([])
  },
  120_000,
)

afterAll(() => {
  const wanted = ['cards_entered_before_move', 'cards_entered_after_move', 'card_links_used_again', 'moves', 'kills']
  const never = neverHappened(happened, wanted)
  if (never.length > 0) throw new Error(`never happened: ${never.join(', ')}`)
})
