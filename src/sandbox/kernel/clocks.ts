// Which test clock a request concerns.
import type { Account } from './account.ts'
import { testClocks } from './clock-rows.ts'
import { Context } from './context.ts'
import type { World } from './world.ts'

/** Ids of objects that may belong to a customer, and of clocks themselves. */
const ids = /(?:cus|sub|sub_sched|si|in|ii|pi|ch|re|clock)_\w+/g

/**
 * The clock of a request: that of the first object that its text names and that has one. Undefined
 * for everybody who lives in the world's own time.
 */
export function clockIn(world: World, account: Account, text: string): string | undefined {
  const clocks = account.table(testClocks)
  if (clocks.size === 0) return undefined
  const context = new Context(world, account)
  for (const [id] of text.matchAll(ids)) {
    const clock = clockOf(context, id, 3)
    if (clock !== undefined && clocks.has(clock)) return clock
  }
  return undefined
}

/** The clock of an object: its own, or that of its customer or subscription. */
function clockOf(context: Context, id: string, depth: number): string | undefined {
  if (id.startsWith('clock_')) return id
  const object = context.world.expander.find(context, id) as Readonly<Record<string, unknown>> | undefined
  if (object === undefined || depth === 0) return undefined
  const { test_clock: own, customer, subscription } = object
  if (typeof own === 'string') return own
  const owner = [customer, subscription].find((one) => typeof one === 'string')
  return owner === undefined ? undefined : clockOf(context, owner, depth - 1)
}
