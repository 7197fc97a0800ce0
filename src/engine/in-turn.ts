/**
 * One of each group in turn, so that all groups begin at once. Within a group the order stays; when
 * a group has ended, the others continue.
 */
export function inTurn<T>(all: Iterable<T>, groupOf: (one: T) => unknown): readonly T[] {
  const groups = [...Map.groupBy(all, groupOf).values()]
  const longest = groups.reduce((most, { length }) => Math.max(most, length), 0)
  return Array.from({ length: longest }, (_, at) => groups.flatMap((group) => group.slice(at, at + 1))).flat()
}
