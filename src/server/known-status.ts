import { setTimeout as sleep } from 'node:timers/promises'
import { isBug } from '../core/assert.ts'
import type { Instant } from '../core/instant.ts'
import type { ServiceStatus } from '../engine/inbox/status.ts'

/** What is known of the service, also while the store does not answer. */
export interface KnownStatus {
  readonly status: ServiceStatus
  /** When the status was read; undefined when it never was. */
  readonly at: Instant | undefined
  /** Present while the store does not answer. */
  readonly away?: { readonly since: Instant; readonly why: string }
}

/** A person who opens the page waits no longer than this for the store. */
const patienceMilliseconds = 3_000

const nothing: ServiceStatus = {
  states: {},
  oldestPendingSeconds: undefined,
  breaker: undefined,
  lastReconciliation: undefined,
  dead: [],
  waiting: [],
}

class TooSlow extends Error {
  readonly code = 'no_answer_in_time'
}

/** Reads the status; while that fails, it returns the last one. Throws for a bug only. */
export function knownStatus(read: () => Promise<ServiceStatus>, clock: () => Instant): () => Promise<KnownStatus> {
  let last: KnownStatus = { status: nothing, at: undefined }
  return async () => {
    try {
      const slow = sleep(patienceMilliseconds, undefined, { ref: false }).then(() => {
        throw new TooSlow()
      })
      last = { status: await Promise.race([read(), slow]), at: clock() }
    } catch (error) {
      if (isBug(error)) throw error
      const why = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable'
      last = { ...last, away: { since: last.away?.since ?? clock(), why } }
    }
    return last
  }
}
