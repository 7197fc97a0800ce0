import { setTimeout as sleep } from 'node:timers/promises'
import { CommandError } from '../core/outcome.ts'
import type { Context } from './context.ts'
import type { Lease, Store, StripeAccount } from './ports.ts'

/** Runs that write (apply, state rebuild) hold this lease: one at a time on one store. */
export const applyLease = 'apply'

/**
 * The lease that a running service publishes: every run that moves or settles subscribers looks for
 * it in the same store.
 */
export const serveLease = 'serve'

// Short, so that a run that was killed is in nobody's way for long; renewed three times in its life
// while the program lives. This is time of the machines that share a store, not Stripe's, so it
// passes in a simulated world, too.
const seconds = 10

/**
 * Lets the work find out that its lease was lost (the machine slept, the store was unreachable):
 * then nothing more may be sent.
 */
export interface Held {
  readonly lost: boolean
}

/**
 * Does the work while holding the lease, and waits for a run that died to expire first. The context
 * it gives is bound to the lease: a run that slept (a laptop closed, a machine suspended) and wakes
 * while another has taken over sends and stores nothing more.
 * @throws CommandError `apply_running` when somebody else holds it, and keeps it; `lease_lost`.
 */
export async function withLease<C extends Pick<Context, 'store' | 'run' | 'progress' | 'interrupt' | 'accounts'>, T>(
  context: C,
  name: string,
  work: (held: Held, bound: C) => Promise<T>,
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
    return await work(held, boundTo(lease, context, held))
  } finally {
    clearInterval(renewal)
    await lease.release()
  }
}

function boundTo<C extends Pick<Context, 'store' | 'accounts'>>(lease: Lease, context: C, held: { lost: boolean }): C {
  const still = async (): Promise<void> => {
    // The store knows better than any clock of ours, which stands still while the machine sleeps.
    if (!held.lost && (await lease.isOurs())) return
    held.lost = true
    throw new CommandError('lease_lost', 'another run took over this store while this one stood still', {
      notDone: 'nothing more was sent; what was begun is finished by the other run, or by the next',
      fix: 'see what the other run does, then crossbill apply',
    })
  }
  const { target, sources } = context.accounts
  const accounts = {
    target: boundAccount(target, still),
    sources: new Map([...sources].map(([source, account]) => [source, boundAccount(account, still)])),
  }
  return { ...context, accounts, store: boundStore(context.store, still) }
}

function boundAccount(account: StripeAccount, still: () => Promise<void>): StripeAccount {
  return {
    ...account,
    send: (request) => account.send(request.method === 'GET' ? request : { ...request, still }),
  }
}

/** Outcomes of what was sent are still written down: they are true whoever works. */
function boundStore(store: Store, still: () => Promise<void>): Store {
  return {
    ...store,
    putObjects: async (records) => (await still(), store.putObjects(records)),
    removeObjects: async (addresses) => (await still(), store.removeObjects(addresses)),
    putSubscribers: async (records) => (await still(), store.putSubscribers(records)),
    journalStart: async (entry) => (await still(), store.journalStart(entry)),
    put: async (key, value) => (await still(), store.put(key, value)),
  }
}
