import { setTimeout as sleep } from 'node:timers/promises'
import { CommandError } from '../core/outcome.ts'
import type { Context } from './context.ts'

/** Runs that write (apply, state rebuild) hold this lease: one at a time on one store. */
export const applyLease = 'apply'

// Short, so that a run that was killed is in nobody's way for long; renewed three times in its life while the program lives. This is time of the machines
// that share a store, not Stripe's, so it passes in a simulated world, too.
const seconds = 10

/** Lets the work find out that its lease was lost (the machine slept, the store was unreachable): then nothing more may be sent. */
export interface Held {
  readonly lost: boolean
}

/**
 * Does the work while holding the lease, and waits for a run that died to expire first.
 * @throws CommandError `apply_running` when somebody else holds it, and keeps it.
 */
export async function withLease<T>(
  context: Pick<Context, 'store' | 'run' | 'progress' | 'interrupt'>,
  name: string,
  work: (held: Held) => Promise<T>,
): Promise<T> {
  let lease = await context.store.acquire(name, context.run, seconds)
  for (let waited = 0; lease === undefined && waited <= seconds && !context.interrupt.requested; waited++) {
    if (waited === 0) context.progress.note('another run holds the store; waiting for it to end or to prove dead')
    await sleep(1_000)
    lease = await context.store.acquire(name, context.run, seconds)
  }
  if (lease === undefined) {
    const holder = await context.store.leaseHolder(name)
    throw new CommandError('apply_running', `another run (${holder?.holder ?? 'unknown'}) is working on this store`, {
      notDone: 'nothing was sent',
      fix: `wait for it to end; if it is gone for good: crossbill state unlock ${name}`,
    })
  }
  const held = { lost: false }
  const renewal = setInterval(
    () => {
      lease?.renew().then(
        (kept) => {
          if (!kept) held.lost = true
        },
        () => {
          held.lost = true
        },
      )
    },
    (seconds * 1_000) / 3,
  )
  renewal.unref()
  try {
    return await work(held)
  } finally {
    clearInterval(renewal)
    await lease.release()
  }
}
