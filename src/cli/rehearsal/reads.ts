import { canonicalJson } from '../../core/canonical.ts'
import type { StripeObject } from '../../core/json.ts'
import type { StripeAccount } from '../../engine/ports.ts'
import type { World } from '../../sandbox/kernel/world.ts'

/**
 * The account with a cache of its lists, which is valid until the simulated world changes: `apply`
 * reads again what `plan` has just read.
 */
export function readOnce(account: StripeAccount, world: World): StripeAccount {
  const read = new Map<string, readonly StripeObject[]>()
  let turn = world.turn
  const known = (key: string): readonly StripeObject[] | undefined => {
    if (turn !== world.turn) read.clear()
    turn = world.turn
    return read.get(key)
  }
  return {
    ...account,
    async *list(path, params = {}) {
      const key = canonicalJson([path, params])
      const before = known(key)
      if (before !== undefined) return yield* before
      const since = turn
      const all: StripeObject[] = []
      for await (const one of account.list(path, params)) {
        all.push(one)
        yield one
      }
      if (known(key) === undefined && since === turn) read.set(key, all)
    },
  }
}
