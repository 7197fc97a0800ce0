import { isJsonObject } from '../../src/core/json.ts'
import { CommandError, failed } from '../../src/core/outcome.ts'
import type { Context } from '../../src/engine/context.ts'
import type { StripeAccount, StripeRequest } from '../../src/engine/ports.ts'

/** Breaks the product on purpose, to show that the simulation finds it. */
export type Mutation = (context: Context) => Context

/** The same context with every account changed. */
export function onAccounts(context: Context, change: (account: StripeAccount) => StripeAccount): Context {
  const { target, sources } = context.accounts
  const changed = new Map([...sources].map(([name, account]) => [name, change(account)]))
  return { ...context, accounts: { target: change(target), sources: changed } }
}

/** Changes sent requests, as if the product had made other ones. */
function sending(change: (request: StripeRequest) => StripeRequest): Mutation {
  return (context) =>
    onAccounts(context, (account) => ({ ...account, send: (request) => account.send(change(request)) }))
}

const isCreation = ({ method, path }: StripeRequest): boolean => method === 'POST' && path === '/v1/subscriptions'

export const forgetsProrationNone: Mutation = sending((request) =>
  isCreation(request) ? { ...request, params: { ...request.params, proration_behavior: undefined } } : request,
)

/** A three-month coupon with one renewal left is granted again in full. */
export const carriesCouponsWhole: Mutation = sending((request) =>
  isCreation(request)
    ? {
        ...request,
        params: JSON.parse(
          JSON.stringify(request.params).replaceAll(/welcome-\d-months?-left/g, 'welcome'),
        ) as StripeRequest['params'] & object,
      }
    : request,
)

/** Prices are distinguished only by amount and interval. */
export const forgetsIntervalCount: Mutation = sending((request) =>
  request.method === 'POST' && request.path === '/v1/prices' && isJsonObject(request.params?.['recurring'])
    ? { ...request, params: { ...request.params, recurring: { interval: request.params['recurring']['interval'] } } }
    : request,
)

function listing(change: (account: StripeAccount, path: string) => StripeAccount['list'] | undefined): Mutation {
  return (context) =>
    onAccounts(context, (account) => ({
      ...account,
      list: (path, params) => change(account, path)?.(path, params) ?? account.list(path, params),
    }))
}

/**
 * Successors are looked for only among live subscriptions, in lists and by id; otherwise a read by
 * the id in the store would find them.
 */
export const overlooksCancelledSuccessors: Mutation = (context) =>
  onAccounts(context, (account) => {
    if (account.name !== 'target') return account
    return {
      ...account,
      async *list(path, params) {
        for await (const one of account.list(path, params))
          if (path !== '/v1/subscriptions' || one['status'] !== 'canceled') yield one
      },
      async send(request) {
        const outcome = await account.send(request)
        const isOne = request.method === 'GET' && /^\/v1\/subscriptions\/\w+$/.test(request.path)
        if (!isOne || !outcome.ok || outcome.value['status'] !== 'canceled') return outcome
        return failed({ kind: 'rejected', code: 'resource_missing', message: 'No such subscription', status: 404 })
      },
      async retrieve(path, params) {
        const one = await account.retrieve(path, params)
        if (one.object !== 'subscription' || one['status'] !== 'canceled') return one
        throw new CommandError('list_unreadable', 'No such subscription', { cause: { code: 'resource_missing' } })
      },
    }
  })

/** A target that does not answer counts as empty. */
export const takesSilenceForEmpty: Mutation = listing((account, path) =>
  account.name === 'target' && path === '/v1/subscriptions' ? async function* () {} : undefined,
)
