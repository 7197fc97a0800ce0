import { secondsPerDay } from '../core/instant.ts'
import { CommandError } from '../core/outcome.ts'
import type { KnownAccess } from '../catalog/access-read.ts'
import type { AccessPort } from './access-port.ts'
import type { Context } from './context.ts'
import type { GrantStore } from './grants.ts'
import type { KajabiSite, OfferUrls } from './kajabi-port.ts'
import type { Store, StripeAccount } from './ports.ts'

/** The ports through which work changes something. */
export type Ports = Pick<Context, 'accounts'> & {
  readonly store?: Store
  /** The inbox has the offers alone, and its grants in its own store. */
  readonly access?: AccessPort | KnownAccess
  readonly kajabi?: KajabiSite | undefined
  readonly urls?: OfferUrls
}

/** Called right before each write; throws when the write must not be sent any more. */
type Still = () => Promise<void>

/**
 * How long work may go on with what it has read. Stripe keeps an idempotency key for at least 24
 * hours (https://docs.stripe.com/api/idempotent_requests). A creation that another run has sent
 * since this one read the accounts is therefore answered with that run's object, and never makes a
 * second one.
 */
export const freshSeconds = (20 * secondsPerDay) / 24

/**
 * The same ports, which ask before every write: requests to Stripe, changes in Kajabi, and what the
 * store keeps. The outcomes of requests are still recorded: they are true in any case.
 */
export function bound<C extends Ports>(context: C, still: Still): C {
  const { accounts, store, access, kajabi, urls } = context
  const { target, sources } = accounts
  return {
    ...context,
    accounts: {
      target: boundAccount(target, still),
      sources: new Map([...sources].map(([name, account]) => [name, boundAccount(account, still)])),
    },
    ...(store === undefined ? {} : { store: asking(store, storeWrites, still) }),
    ...(kajabi === undefined ? {} : { kajabi: asking(kajabi, kajabiWrites, still) }),
    ...(urls === undefined ? {} : { urls: asking(urls, urlWrites, still) }),
    ...(access === undefined || !('grants' in access)
      ? {}
      : {
          access: {
            ...access,
            kajabi: asking(access.kajabi, kajabiWrites, still),
            grants: asking(access.grants, grantWrites, still),
            ...(access.urls === undefined ? {} : { urls: asking(access.urls, urlWrites, still) }),
          },
        }),
  }
}

/**
 * Starts the time of work that reads first and writes then. The result refuses to go on when that
 * was too long ago: the process may have been stopped for weeks (a closed laptop, a paused
 * machine).
 */
export async function agingOf({ accounts: { target } }: Pick<Context, 'accounts'>, seconds: number): Promise<Still> {
  const began = await target.present()
  return async () => {
    if ((await target.present()) - began <= seconds) return
    throw new CommandError('run_too_old', 'this run was stopped for too long: what it has read is no longer true', {
      notDone: 'nothing more was sent',
      fix: 'run the command again: it reads everything again and continues from there',
    })
  }
}

function boundAccount(account: StripeAccount, still: Still): StripeAccount {
  return {
    ...account,
    send: (request) => account.send(request.method === 'GET' ? request : { ...request, still }),
  }
}

const storeWrites = new Set<keyof Store>(['putObjects', 'removeObjects', 'putSubscribers', 'journalStart', 'put'])
const grantWrites = new Set<keyof GrantStore>(['putGrants', 'removeGrants', 'setHoldings'])
const urlWrites = new Set<keyof OfferUrls>(['activate', 'deactivate'])
const kajabiWrites = new Set<keyof KajabiSite>([
  'ensureContact',
  'grant',
  'revoke',
  'setExternalId',
  'removeTag',
  'createHook',
  'deleteHook',
])

function asking<T extends object>(port: T, writes: ReadonlySet<keyof T>, still: Still): T {
  return new Proxy(port, {
    get(real, name) {
      const call: unknown = Reflect.get(real, name, real)
      if (typeof call !== 'function') return call
      if (!writes.has(name as keyof T))
        return (...given: readonly unknown[]): unknown => Reflect.apply(call, real, given)
      return async (...given: readonly unknown[]): Promise<unknown> => {
        await still()
        return (await Reflect.apply(call, real, given)) as unknown
      }
    },
  })
}
