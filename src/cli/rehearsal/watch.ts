import { isUndone, mayCharge } from '../../live/subscription.ts'
import type { StripeAccount, StripeRequest } from '../../engine/ports.ts'
import type { TwoPayers } from '../../engine/rehearse/world.ts'
import { markFrom } from '../../live/marks.ts'
import { subscriptions } from '../../sandbox/stripe/billing/rows.ts'
import type { World } from '../../sandbox/kernel/world.ts'

export interface PayerWatch {
  /** The account, with a check of the world after each of its requests. */
  watched(account: StripeAccount): StripeAccount
  readonly seen: () => readonly TwoPayers[]
}

/**
 * Checks that a subscriber never has two payers. After every request that may give a subscriber a
 * payer, it counts in the world itself the accounts that could charge them, whether or not the
 * request succeeded. Charges alone would not show two payers that end before the next renewal.
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
 * The subscriber to whom a request may give a payer, because it creates their new subscription or
 * changes their old one.
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
  // Stripe's copy keeps customer ids.
  const theirs = world.accounts.get('target')?.table(subscriptions).by('customer', old.customer) ?? []
  const successors = theirs.filter((row) => row.metadata[markFrom] === subscriber && !isUndone(row))
  return [
    ...(mayCharge(old) ? [source] : []),
    ...successors.filter(mayCharge).map(({ id: successor }) => `target (${successor})`),
  ]
}
