/**
 * Works on queues side by side, the members of one queue one after the other, at most `limit`
 * queues at a time. `work` says false to stop everything after what is in flight. The first error
 * stops the rest and is thrown once nothing is under way any more.
 */
export async function sideBySide<T>(
  queues: Iterable<readonly T[]>,
  limit: number,
  work: (one: T) => Promise<boolean>,
): Promise<void> {
  const waiting = queues[Symbol.iterator]()
  let stopped = false
  const errors: unknown[] = []
  async function worker(): Promise<void> {
    // One iterator for all: each queue goes to one worker. (Taking from the front of a list costs
    // its length each time.)
    for (let next = waiting.next(); next.done !== true; next = waiting.next())
      for (const one of next.value) {
        if (stopped) return
        try {
          if (!(await work(one))) stopped = true
        } catch (error) {
          errors.push(error)
          stopped = true
        }
      }
  }
  await Promise.all(Array.from({ length: limit }, worker))
  if (errors.length > 0) throw errors[0]
}
