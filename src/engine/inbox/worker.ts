import type { BreakerReading } from '../../cancel/breaker.ts'
import { Bug } from '../../core/assert.ts'
import { instant, isDue } from '../../core/instant.ts'
import { breakerNow } from './breaker.ts'
import type { InboxContext } from './context.ts'
import type { InboxRow } from './port.ts'
import { workRow } from './row.ts'

/** Seconds a worker may be silent before another takes its rows; it renews them three times in that while it lives. */
const leaseSeconds = 15
/** Seconds for a single look, which renews nothing: longer than any request with its retries. */
const lookSeconds = 120
/** Seconds after which the inbox is looked at again although nobody knocked: retries become due, other processes die. */
const idleSeconds = 1
/** Seconds to let the store come back. */
const storeSeconds = 5

/** What one look at the inbox did. */
export interface WorkDone {
  readonly handled: number
  readonly breaker: BreakerReading
}

/** One look: claims what waits and works on it to its end. For an operator's command and for tests; the service never stops looking (`startWorker`). */
export async function workInbox(context: InboxContext, limit: number): Promise<WorkDone> {
  const { reading, left } = await breakerNow(context)
  const rows = await claim(context, { limit, left }, lookSeconds)
  const lines = new Lines(context)
  await Promise.all(rows.map((row) => lines.work(row)))
  return { handled: rows.length, breaker: reading }
}

/** What waits, up to `limit`. When no more cancels are let through, only what cancels nobody: a hold that was taken off does not wait for a person. */
async function claim(
  context: InboxContext,
  { limit, left }: { readonly limit: number; readonly left: number },
  seconds: number,
): Promise<readonly InboxRow[]> {
  if (limit <= 0) return []
  const now = context.clock()
  const which = left > 0 ? { limit: Math.min(limit, left), cancels: true } : { limit, cancels: false }
  return context.inbox.claim(context.run, now, instant(now + seconds), which)
}

/** Rows about one person are worked on one after the other, since they may mean the same subscription; the others side by side. */
class Lines {
  private readonly lasts = new Map<string, Promise<void>>()
  private readonly context: InboxContext
  constructor(context: InboxContext) {
    this.context = context
  }

  async work(row: InboxRow): Promise<void> {
    const person = personOf(row)
    const before = this.lasts.get(person) ?? Promise.resolve()
    const mine = before.then(() => workRow(this.context, row))
    this.lasts.set(person, mine)
    try {
      await mine
    } finally {
      if (this.lasts.get(person) === mine) this.lasts.delete(person)
    }
  }
}

function personOf({ id, signal }: InboxRow): string {
  return signal.subscriber ?? signal.contact ?? signal.customer ?? id
}

export interface Worker {
  /** Something waits: look now. */
  wake(): void
  /** Takes nothing more and ends when the rows in hand have. */
  stop(): Promise<void>
  /** Settles when it has ended; rejects with the bug that stopped it, if one did. */
  readonly ended: Promise<void>
}

/**
 * Looks at the inbox for as long as the service lives, with up to `atOnce` rows in hand. An open breaker leaves everything where it is: nothing is
 * cancelled and nothing dropped. A store that cannot be read is waited for.
 */
export function startWorker(context: InboxContext, atOnce: number): Worker {
  const lines = new Lines(context)
  const inHand = new Set<Promise<void>>()
  let knocked = (): void => {}
  let awake = false
  let stopped = false
  let bug: unknown
  const wake = (): void => {
    awake = true
    knocked()
  }
  const start = (row: InboxRow): void => {
    const mine: Promise<void> = lines
      .work(row)
      .catch((error: unknown) => {
        if (error instanceof Bug) {
          bug ??= error
          stopped = true
        } else unreadable(context, error)
      })
      .finally(() => {
        inHand.delete(mine)
        wake()
      })
    inHand.add(mine)
  }
  let renewAt = 0
  const renew = async (): Promise<void> => {
    const now = context.clock()
    if (inHand.size === 0 || !isDue(renewAt, now, leaseSeconds)) return
    renewAt = now + leaseSeconds / 3
    await context.inbox.renew(context.run, instant(now + leaseSeconds))
  }
  /** Takes what there is room for; false when there was nothing, or no room. */
  const look = async (): Promise<boolean> => {
    const { left } = await breakerNow(context)
    const rows = await claim(context, { limit: atOnce - inHand.size, left }, leaseSeconds)
    rows.forEach(start)
    return rows.length > 0
  }
  const rest = async (seconds: number): Promise<void> => {
    if (awake || stopped) return
    await Promise.race([context.wait(seconds), new Promise<void>((resolve) => (knocked = resolve))])
  }
  const run = async (): Promise<void> => {
    while (!stopped) {
      awake = false
      try {
        await renew()
        if (!(await look())) await rest(idleSeconds)
      } catch (error) {
        unreadable(context, error)
        await context.wait(storeSeconds)
      }
    }
    while (inHand.size > 0) {
      await renew()
      await Promise.race([...inHand, context.wait(idleSeconds)])
    }
    if (bug !== undefined) throw bug
  }
  const ended = run()
  return {
    wake,
    ended,
    stop() {
      stopped = true
      knocked()
      return ended
    },
  }
}

/** The row stays claimed until its lease runs out, and is then taken again by whoever can reach the store. */
function unreadable(context: InboxContext, error: unknown): void {
  context.log({ level: 'error', event: 'store_unreadable', error: error instanceof Error ? error.name : 'unknown' })
}
