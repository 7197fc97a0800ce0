import type { Context } from '../context.ts'
import type { Accounts, Lease, Store, StripeAccount } from '../ports.ts'

/**
 * A simulated kill of the program: nothing is sent or written after it, and only the simulation may
 * catch it.
 */
export class Killed extends Error {
  override name = 'Killed'
}

/** The request about to be sent, or whose answer is not recorded yet. */
export interface Boundary {
  /** Counts from 0 over all requests of this life that change something. */
  readonly request: number
  readonly side: 'before' | 'after'
}

export interface MortalLife {
  readonly context: Context
  /** The number of requests that change something, sent or about to be sent. */
  readonly requests: () => number
  readonly dead: () => boolean
  /**
   * Another port of the same program: it stops with the program, and its `writes` are boundaries as
   * well.
   */
  with<T extends object>(port: T, writes: readonly (keyof T & string)[]): T
}

/**
 * The same context, in which the program is killed at the boundaries that `dies` chooses: before a
 * request is sent, or after it was executed and before its outcome is recorded. A `kill -9` or a
 * power cut can leave either state behind.
 */
export function mortal(context: Context, dies: (boundary: Boundary) => boolean): MortalLife {
  const life = { dead: false, requests: 0 }
  const alive = (): void => {
    if (life.dead) throw new Killed('killed')
  }
  const pass = (boundary: Boundary): void => {
    alive()
    if (dies(boundary)) life.dead = true
    alive()
  }
  const accounts: Accounts = {
    target: mortalAccount(context.accounts.target, { alive, pass, life }),
    sources: new Map(
      [...context.accounts.sources].map(([name, one]) => [name, mortalAccount(one, { alive, pass, life })]),
    ),
  }
  const store = mortalStore(context.store, alive)
  const fate = { alive, pass, life }
  const access =
    context.access === undefined
      ? {}
      : {
          access: {
            ...context.access,
            kajabi: mortalPort(context.access.kajabi, ['ensureContact', 'grant', 'revoke', 'setExternalId'], fate),
            grants: mortalPort(context.access.grants, [], fate),
          },
        }
  return {
    context: { ...context, accounts, store, ...access },
    requests: () => life.requests,
    dead: () => life.dead,
    with: (port, writes) => mortalPort(port, writes, fate),
  }
}

interface Fate {
  readonly alive: () => void
  readonly pass: (boundary: Boundary) => void
  readonly life: { requests: number }
}

function mortalAccount(account: StripeAccount, { alive, pass, life }: Fate): StripeAccount {
  return {
    ...account,
    async send(request) {
      if (request.method === 'GET' || request.path.endsWith('/create_preview')) {
        alive()
        return account.send(request)
      }
      const number = life.requests++
      pass({ request: number, side: 'before' })
      const outcome = await account.send(request)
      pass({ request: number, side: 'after' })
      return outcome
    },
    retrieve: (path, params) => (alive(), account.retrieve(path, params)),
    look: (path, params) => (alive(), account.look(path, params)),
    async *list(path, params) {
      alive()
      for await (const one of account.list(path, params)) {
        alive()
        yield one
      }
    },
  }
}

/**
 * No method of a port works after the kill. Methods that change something are boundaries, as
 * requests are.
 */
function mortalPort<T extends object>(port: T, writes: readonly (keyof T & string)[], { alive, pass, life }: Fate): T {
  return new Proxy(port, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name)
      if (typeof method !== 'function') return method
      return async (...given: unknown[]): Promise<unknown> => {
        alive()
        if (!writes.some((one) => one === name)) return Reflect.apply(method, target, given)
        const number = life.requests++
        pass({ request: number, side: 'before' })
        const outcome: unknown = await Reflect.apply(method, target, given)
        pass({ request: number, side: 'after' })
        return outcome
      }
    },
  })
}

/** A killed program writes nothing, not even the release of its lease. */
function mortalStore(store: Store, alive: () => void): Store {
  return {
    version: () => (alive(), store.version()),
    objects: () => (alive(), store.objects()),
    putObjects: (records) => (alive(), store.putObjects(records)),
    removeObjects: (addresses) => (alive(), store.removeObjects(addresses)),
    subscribers: () => (alive(), store.subscribers()),
    subscriber: (key) => (alive(), store.subscriber(key)),
    putSubscribers: (records) => (alive(), store.putSubscribers(records)),
    journalStart: (entry) => (alive(), store.journalStart(entry)),
    journalEnd: (id, outcome) => (alive(), store.journalEnd(id, outcome)),
    journalOpen: (address) => (alive(), store.journalOpen(address)),
    journal: (filter) => (alive(), store.journal(filter)),
    copyMap: (source) => (alive(), store.copyMap(source)),
    putCopyMap: (rows) => (alive(), store.putCopyMap(rows)),
    async acquire(name, holder, seconds) {
      alive()
      const lease = await store.acquire(name, holder, seconds)
      return lease === undefined ? undefined : mortalLease(lease, alive)
    },
    leaseHolder: (name) => (alive(), store.leaseHolder(name)),
    breakLease: (name) => (alive(), store.breakLease(name)),
    get: (key) => (alive(), store.get(key)),
    put: (key, value) => (alive(), store.put(key, value)),
    close: () => store.close(),
  }
}

function mortalLease(lease: Lease, alive: () => void): Lease {
  return {
    name: lease.name,
    holder: lease.holder,
    renew: async () => (alive(), lease.renew()),
    isOurs: async () => (alive(), lease.isOurs()),
    release: async () => (alive(), lease.release()),
  }
}
