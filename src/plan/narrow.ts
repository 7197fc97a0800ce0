import type { KeylessChange } from './assemble.ts'
import { referencesIn, referencesInPath } from './references.ts'

/** Whether an address is meant by one of the targets: `price.x`, or a beginning such as `price.*`, `subscriber.us/*`. */
export function isTargeted(address: string, targets: readonly string[]): boolean {
  return targets.some((target) => (target.endsWith('*') ? address.startsWith(target.slice(0, -1)) : address === target))
}

/** The targeted changes and those they refer to, in the given order: nobody is moved onto a price that is not made first. */
export function narrow(changes: readonly KeylessChange[], targets: readonly string[]): readonly KeylessChange[] {
  // An address may have several changes: made now, archived at the end.
  const byAddress = Map.groupBy(changes, ({ address }) => address)
  const wanted = new Set<string>()
  const queue = changes.map(({ address }) => address).filter((address) => isTargeted(address, targets))
  for (let address = queue.pop(); address !== undefined; address = queue.pop()) {
    const steps = byAddress.get(address)?.flatMap((change) => change.steps)
    if (steps === undefined || wanted.has(address)) continue
    wanted.add(address)
    for (const { params, path } of steps) queue.push(...referencesIn(params), ...referencesInPath(path))
  }
  return changes.filter(({ address }) => wanted.has(address))
}
