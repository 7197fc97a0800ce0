import { afterAll, expect, test } from 'vitest'
import { neverHappened } from './events.ts'
import { cheapSeeds, worldOf } from './known-seeds.ts'
import { simulate } from './simulate.ts'

/**
 * A short run of `npm run simulate`. The seeds are fixed, so that only a change of the code can
 * make them fail, and chosen so that many events happen.
 */
const seeds = [1_001, 1_002, 1_003, 1_004, 1_006, 1_007, 1_010, 1_014, 1_017]
const happened = new Set<string>()

test.each(seeds)(
  'the promises hold in a random migration (SEED=%i)',
  async (seed) => {
    const { broken, lines, counts } = await simulate(seed)
    for (const [name, times] of Object.entries(counts)) if (times > 0) happened.add(name)
    expect(broken === undefined ? [] : [broken, ...lines]).toEqual([])
  },
  120_000,
)

test.each(cheapSeeds)(
  'the promises hold where one was once broken (SEED=$seed: $why)',
  async (known) => {
    const { broken, lines } = await simulate(known.seed, worldOf(known), known.breadth)
    expect(broken === undefined ? [] : [broken, ...lines]).toEqual([])
  },
  120_000,
)

/**
 * The events that the seeds above must contain together; without them the promises were not tested.
 * The service revokes access before a plan would have to.
 */
const wanted = `
  moves reverts settles grants kills kills_of_service compared_with_clean fault_rate_limited
  fault_lock_timeout fault_cut_before fault_cut_after fault_error_stored cancels_by_hook
  cancels_by_old_door cancels_by_operator duplicate_hooks refused_hooks hooks_lost edits_at_source
  edits_in_new_portal edits_by_old_door_on_hold edits_card edits_plan edits_quantity edits_end
  edits_pause carried_by_operator declines_before_move declines_after_move revokes_by_hand lost_stores
  registers rebuilt stale_plans_refused edited_plans_refused erased clock_jumps leaps converged violations_told
`
  .trim()
  .split(/\s+/)

afterAll(() => {
  const never = neverHappened(Object.fromEntries([...happened].map((name) => [name, 1])), wanted)
  if (never.length > 0) throw new Error(`never happened: ${never.join(', ')}`)
})
