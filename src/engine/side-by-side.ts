/**
 * Processes queues in parallel, at most `limit` at a time, and the members of one queue one after
 * the other. When `work` returns false, everything stops after what is in flight. The first error
 * stops the rest and is thrown when nothing is in progress any more.
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
    // All workers share one iterator, so each queue goes to one worker. (Taking from the front of a
    // list costs time in its length.)
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

/**
 * The same for groups of queues that share no limit, such as the accounts of Stripe: at most
 * `limit` of each group at a time, all groups side by side. When `work` returns false or throws,
 * every group stops.
 */
export async function groupsSideBySide<T>(
  groups: readonly (readonly (readonly T[])[])[],
  limit: number,
  work: (one: T) => Promise<boolean>,
): Promise<void> {
  let stopped = false
  const whileAll = async (one: T): Promise<boolean> => {
    if (stopped) return false
    try {
      if (!(await work(one))) stopped = true
    } catch (error) {
      stopped = true
      throw error
    }
    return !stopped
  }
  const ended = await Promise.allSettled(groups.map((queues) => sideBySide(queues, limit, whileAll)))
  const failed = ended.find((one) => one.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}
