import { setTimeout as sleep } from 'node:timers/promises'
import { CommandError } from '../core/outcome.ts'
import { agingOf, bound, freshSeconds, type Ports } from './bound.ts'
import type { Context } from './context.ts'

/** Runs that write (apply, state rebuild) hold this lease: one at a time on one store. */
export const applyLease = 'apply'

/**
 * The lease of a running service: every run that moves or settles subscribers looks for it in the
 * same store.
 */
export const serveLease = 'serve'

// Short, so that a killed run does not block others for long. A live run renews it three times in
// that time. It uses the machines' time, not Stripe's, so it also passes in a simulated world.
const seconds = 10

/**
 * Tells the work that its lease was lost (the machine slept, or the store was unreachable): it must
 * send nothing more.
 */
export interface Held {
  readonly lost: boolean
}

/**
 * Does the work while holding the lease; first waits for the lease of a dead run to expire. The
 * context it passes on is bound to the lease: when a run was suspended (a closed laptop, a paused
 * machine) and another has taken over, it sends and stores nothing more. Where nobody has taken
 * over, or on another store, it sends nothing more once what it has read is too old.
 * @throws CommandError `apply_running` when another run holds the lease and keeps it; `lease_lost`;
 *   `run_too_old`.
 */
export async function withLease<C extends Ports & Pick<Context, 'store' | 'run' | 'progress' | 'interrupt'>, T>(
  context: C,
  name: string,
  work: (held: Held, bound: C) => Promise<T>,
): Promise<T> {
  let lease = await context.store.acquire(name, context.run, seconds)
  for (let waited = 0; lease === undefined && waited <= seconds && !context.interrupt.requested; waited++) {
    if (waited === 0) context.progress.note('another run holds the store; waiting until it ends or its lease expires')
    await sleep(1_000)
    lease = await context.store.acquire(name, context.run, seconds)
  }
  if (lease === undefined) {
    const holder = await context.store.leaseHolder(name)
    throw new CommandError('apply_running', `another run (${holder?.holder ?? 'unknown'}) is working on this store`, {
      notDone: 'nothing was sent',
      fix: `wait for it to end; if that run is dead: crossbill state unlock ${name}`,
    })
  }
  const held = { lost: false }
  const mine = lease
  const renewal = setInterval(
    () => {
      mine.renew().then(
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
    const aging = await agingOf(context, freshSeconds)
    const still = async (): Promise<void> => {
      // Only the store decides: a local clock stops while the machine sleeps.
      if (held.lost || !(await mine.isOurs())) {
        held.lost = true
        throw leaseLost()
      }
      await aging()
    }
    return await work(held, bound(context, still))
  } finally {
    clearInterval(renewal)
    await mine.release()
  }
}

function leaseLost(): CommandError {
  return new CommandError('lease_lost', 'another run took over this store while this one was suspended', {
    notDone: 'nothing more was sent; the other run, or the next one, finishes what was begun',
    fix: 'check the result of the other run, then run crossbill apply',
  })
}
