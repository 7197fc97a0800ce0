import { isUndone, mayCharge } from '../../live/subscription.ts'
import type { StripeAccount, StripeRequest } from '../../engine/ports.ts'
import type { TwoPayers } from '../../engine/rehearse/world.ts'
import { markFrom } from '../../live/marks.ts'
import { subscriptions } from '../../sandbox/stripe/billing/rows.ts'
import type { World } from '../../sandbox/kernel/world.ts'

export interface PayerWatch {
  /** The account; after each of its requests the world itself is checked. */
  watched(account: StripeAccount): StripeAccount
  readonly seen: () => readonly TwoPayers[]
}

/**
 * The judge of the first promise: after every request that may give a subscriber a payer, the
 * accounts that could charge them are counted in the world itself, whatever the answer was. Charges
 * alone would not show two payers that are one again before the renewal.
 */
export function watchPayers(world: World): PayerWatch {
  const found = new Map<string, TwoPayers>()
  const look = (subscriber: string): void => {
    const payers = payersOf(world, subscriber)
    if (payers.length > 1 && !found.has(subscriber)) found.set(subscriber, { subscriber, at: world.now, payers })
  }
  return {
    seen: () => [...found.values()],
    watched: (account) => ({
      ...account,
      async send(request) {
        try {
          return await account.send(request)
        } finally {
          const subscriber = gainsAPayer(account.name, request)
          if (subscriber !== undefined) look(subscriber)
        }
      },
    }),
  }
}

/**
 * The subscriber to whom a request may give a payer: their new subscription is created, or their
 * old one is changed.
 */
function gainsAPayer(account: string, { method, path, params }: StripeRequest): string | undefined {
  if (method !== 'POST') return undefined
  if (account !== 'target') {
    const [, id] = /^\/v1\/subscriptions\/(\w+)$/.exec(path) ?? []
    return id === undefined ? undefined : `${account}/${id}`
  }
  const metadata = path === '/v1/subscriptions' ? params?.['metadata'] : undefined
  const from = (metadata as Readonly<Record<string, unknown>> | undefined)?.[markFrom]
  return typeof from === 'string' ? from : undefined
}

function payersOf(world: World, subscriber: string): readonly string[] {
  const [source = '', id = ''] = subscriber.split('/')
  const old = world.accounts.get(source)?.table(subscriptions).get(id)
  if (old === undefined) return []
  // Stripe's copy keeps the ids of customers.
  const theirs = world.accounts.get('target')?.table(subscriptions).by('customer', old.customer) ?? []
  const successors = theirs.filter((row) => row.metadata[markFrom] === subscriber && !isUndone(row))
  return [
    ...(mayCharge(old) ? [source] : []),
    ...successors.filter(mayCharge).map(({ id: successor }) => `target (${successor})`),
  ]
}
