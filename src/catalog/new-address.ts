/** The current address of an entry, after the project's `moved:` lines. */
export function newAddress<T extends string | undefined>(
  address: T,
  moved: ReadonlyMap<string, string> = new Map(),
): T {
  let at: string | undefined = address
  // At most one step per line, so that a cycle ends.
  for (let step = 0; step <= moved.size && at !== undefined; step++) {
    const next = moved.get(at)
    if (next === undefined) break
    at = next
  }
  return at as T
}
