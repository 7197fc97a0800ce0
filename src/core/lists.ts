// For lists that may have an entry for every subscriber. A call takes no more than about 125,000
// arguments, so `push(...list)` and `Math.min(...list)` fail on a longer list.

/** Adds every entry to the end of a list. */
export function addAll<T>(list: T[], more: Iterable<T>): void {
  for (const one of more) list.push(one)
}

/** The smallest of all values; infinite for none. */
export function least(values: Iterable<number>): number {
  let found = Infinity
  for (const one of values) if (one < found) found = one
  return found
}

/** The largest of all values; minus infinite for none. */
export function greatest(values: Iterable<number>): number {
  let found = -Infinity
  for (const one of values) if (one > found) found = one
  return found
}

/** Adds an entry to the list of a key. A copy for each entry would cost their number squared. */
export function addTo<K, T>(lists: Map<K, T[]>, key: K, one: T): void {
  const list = lists.get(key)
  if (list === undefined) lists.set(key, [one])
  else list.push(one)
}
