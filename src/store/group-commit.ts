import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import type { Kysely, Transaction } from 'kysely'
import type { Tables } from './tables.ts'

/** Does its part of a common transaction; resolves once that is on the disk. */
export type InGroup = <T>(work: (transaction: Transaction<Tables>) => Promise<T>) => Promise<T>

interface Waiting {
  readonly work: (transaction: Transaction<Tables>) => Promise<unknown>
  readonly done: (value: unknown) => void
  readonly failed: (error: unknown) => void
}

/** Parts committed together at most; what is over waits for the next commit. */
const largestGroup = 200
/** Milliseconds that a part waits for others at most. */
const longestPause = 20

/**
 * Group commit: whatever is to be written while the last commit is on its way to the disk is committed together. A move writes some thirty times, each write
 * durable before the next request leaves; with sixty moves under way the disk is waited for once, not sixty times. Between two commits it pauses for as long as
 * the last one took, so that a slow disk leaves the process half of its time, and others time to join. A part that fails does not take the others with it:
 * they are written again one by one.
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
      // Nothing of the group was written; each part hears of its own failure only.
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
