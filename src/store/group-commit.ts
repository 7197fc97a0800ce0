import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import type { Kysely, Transaction } from 'kysely'
import type { Tables } from './tables.ts'

/** Does its part of a shared transaction; resolves when the transaction is on the disk. */
export type InGroup = <T>(work: (transaction: Transaction<Tables>) => Promise<T>) => Promise<T>

interface Waiting {
  readonly work: (transaction: Transaction<Tables>) => Promise<unknown>
  readonly done: (value: unknown) => void
  readonly failed: (error: unknown) => void
}

/** Maximum number of parts in one commit; further parts wait for the next commit. */
const largestGroup = 200
/** Maximum time in milliseconds that a part waits for others. */
const longestPause = 20

/**
 * Group commit: everything written while the last commit is being flushed is committed together. A
 * move writes some thirty times, each write durable before the next request leaves; sixty moves in
 * progress then wait for the disk once, not sixty times. Between two commits it pauses for as long
 * as the last one took, so that a slow disk takes at most half of the time and other parts can
 * join. When a part fails, the others are written again one by one.
 */
export function groupCommit(database: Kysely<Tables>): InGroup {
  const waiting: Waiting[] = []
  let writing = false
  let took = 0

  const alone = async ({ work, done, failed }: Waiting): Promise<void> => {
    try {
      done(await database.transaction().execute(work))
    } catch (error) {
      failed(error)
    }
  }
  const together = async (group: readonly Waiting[]): Promise<void> => {
    let values: unknown[]
    try {
      values = await database.transaction().execute(async (transaction) => {
        const all: unknown[] = []
        for (const { work } of group) all.push(await work(transaction))
        return all
      })
    } catch {
      // Nothing of the group was written. Each part gets only its own failure.
      for (const one of group) await alone(one)
      return
    }
    for (const [index, { done }] of group.entries()) done(values[index])
  }
  const drain = async (): Promise<void> => {
    while (waiting.length > 0) {
      await (took < 1 ? nextTurn() : sleep(Math.min(took, longestPause)))
      const group = waiting.splice(0, largestGroup)
      const [only] = group
      const began = performance.now()
      await (group.length === 1 && only !== undefined ? alone(only) : together(group))
      took = performance.now() - began
    }
    writing = false
  }

  return <T>(work: (transaction: Transaction<Tables>) => Promise<T>) =>
    new Promise<T>((done, failed) => {
      waiting.push({ work, done: (value) => done(value as T), failed })
      if (writing) return
      writing = true
      void drain()
    })
}
