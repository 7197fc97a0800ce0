/**
 * Works on queues side by side, the members of one queue one after the other, at most `limit` queues at a time. `work` says false to stop everything after
 * what is in flight. The first error stops the rest and is thrown once nothing is under way any more.
 */
export async function sideBySide<T>(
  queues: Iterable<readonly T[]>,
  limit: number,
  work: (one: T) => Promise<boolean>,
): Promise<void> {
  const waiting = [...queues]
  let stopped = false
  const errors: unknown[] = []
  async function worker(): Promise<void> {
    for (let queue = waiting.shift(); queue !== undefined; queue = waiting.shift())
      for (const one of queue) {
        if (stopped) return
        try {
          if (!(await work(one))) stopped = true
        } catch (error) {
          errors.push(error)
          stopped = true
        }
      }
  }
  await Promise.all(Array.from({ length: Math.min(limit, waiting.length) }, worker))
  if (errors.length > 0) throw errors[0]
}
