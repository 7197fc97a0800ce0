import { addAll } from '../core/lists.ts'
import { subscriberAddress } from '../core/address.ts'
import { isAccess, isHandover, type Keyless } from './change.ts'
import { referencesIn, referencesInPath } from './references.ts'

/**
 * Whether one of the targets matches an address: `price.x`, or a prefix such as `price.*` or
 * `subscriber.us/*`.
 */
export function isTargeted(address: string, targets: readonly string[]): boolean {
  return targets.some((target) => (target.endsWith('*') ? address.startsWith(target.slice(0, -1)) : address === target))
}

/**
 * The targeted changes, the changes that they refer to, the entries that exchange their names with
 * them, and the customers' other subscriptions that leave together with them, in the given order,
 * so that a price exists before a subscriber is moved to it.
 */
export function narrow(changes: readonly Keyless[], targets: readonly string[]): readonly Keyless[] {
  // An address may have several changes, such as a creation now and an archival at the end.
  const byAddress = Map.groupBy(changes, ({ address }) => address)
  const wanted = new Set<string>()
  const queue = changes.map(({ address }) => address).filter((address) => isTargeted(address, targets))
  for (let address = queue.pop(); address !== undefined; address = queue.pop()) {
    const own = byAddress.get(address)
    const steps = own?.flatMap((change) => change.steps)
    if (steps === undefined || wanted.has(address)) continue
    wanted.add(address)
    for (const { params, path } of steps) addAll(queue, [...referencesIn(params), ...referencesInPath(path)])
    for (const change of own ?? []) addAll(queue, togetherWith(change))
  }
  return changes.filter(({ address }) => wanted.has(address))
}

function togetherWith(change: Keyless): readonly string[] {
  if (isHandover(change)) return (change.expect.together ?? []).map(subscriberAddress)
  return isAccess(change) ? [] : (change.together ?? [])
}
