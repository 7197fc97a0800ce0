import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Timing } from '../../src/stripe/limits.ts'

interface Timer {
  readonly at: number
  readonly ring: () => void
}

/** Turns of the event loop without work, after which nothing but a timer can continue. */
const quietTurns = 3

/**
 * A clock that jumps to the next timer as soon as all real work is done. What a limit and a delay
 * permit is measured exactly, however slow or busy this machine is.
 */
export interface VirtualTime extends Timing {
  /** Marks real work: time does not pass before it ends. */
  readonly busy: <T>(work: Promise<T>) => Promise<T>
  /** Lets time pass until the work ends. */
  readonly until: <T>(work: Promise<T>) => Promise<T>
}

export function virtualTime(): VirtualTime {
  let now = 0
  let working = 0
  let activity = 0
  const timers: Timer[] = []
  const settle = async (): Promise<void> => {
    for (let quiet = 0; quiet < quietTurns; quiet++) {
      const before = activity
      await nextTurn()
      if (working > 0 || activity !== before) quiet = -1
    }
  }
  return {
    milliseconds: () => now,
    sleep: (milliseconds) =>
      new Promise((ring) => {
        activity++
        const at = now + Math.max(0, milliseconds)
        const place = timers.findLastIndex((one) => one.at <= at)
        timers.splice(place + 1, 0, { at, ring })
      }),
    async busy(work) {
      working++
      try {
        return await work
      } finally {
        working--
        activity++
      }
    },
    async until(work) {
      let ended = false
      const end = work.finally(() => (ended = true))
      // A failure is thrown below; without this it would be unhandled until then.
      end.catch(() => undefined)
      while (!ended) {
        await settle()
        const next = timers.shift()
        if (next === undefined) continue
        now = next.at
        next.ring()
      }
      return end
    },
  }
}
