import { readBreaker, type BreakerReading } from '../../cancel/breaker.ts'
import { instant, secondsPerHour, type Instant } from '../../core/instant.ts'
import { isJsonObject, type Json } from '../../core/json.ts'
import type { InboxContext } from './context.ts'

const openedKey = 'breaker'

/**
 * The breaker's state, and how many more cancels it allows this hour. Cancels in progress in any
 * process are already subtracted. The store remembers an open breaker: only an operator closes it.
 */
export interface Breaker {
  readonly reading: BreakerReading
  readonly left: number
}

export async function breakerNow(context: InboxContext): Promise<Breaker> {
  const now = context.clock()
  const opened = openedBreaker(await context.store.get(openedKey))
  const limitPerHour = context.policy.cancelsPerHour
  const { done, inHand } = await context.inbox.cancelsSince(instant(now - secondsPerHour), now)
  const reading = readBreaker({ now, limitPerHour, cancels: done, opened })
  if (reading.open && opened === undefined) await openBreaker(context, reading.reason)
  if (reading.open) context.alert({ ...breakerAlert, summary: `cancelling has stopped: ${reading.reason}` })
  else context.alert({ ...breakerAlert, summary: 'cancelling continues', resolved: true })
  return { reading, left: reading.open ? 0 : Math.max(limitPerHour - done - inHand, 0) }
}

const breakerAlert = {
  key: 'breaker',
  severity: 'critical',
  fix: 'check "crossbill inbox list"; if the cancels are right, run "crossbill inbox resume"',
} as const

function openedBreaker(value: Json | undefined): { reason: string; since: Instant } | undefined {
  if (!isJsonObject(value)) return undefined
  const { reason, since } = value
  return typeof reason === 'string' && typeof since === 'number' ? { reason, since: instant(since) } : undefined
}

export async function openBreaker(context: Pick<InboxContext, 'store' | 'clock'>, reason: string): Promise<void> {
  await context.store.put(openedKey, { reason, since: context.clock() })
}

/** Only an operator closes the breaker, because its cause may persist. */
export async function closeBreaker(context: Pick<InboxContext, 'store'>): Promise<void> {
  await context.store.put(openedKey, { reason: null, since: 0 })
}
