import { addAll } from '../../core/lists.ts'
import { isOver } from '../../live/subscription.ts'
import { splitSubscriberKey, subscriberKey, type SubscriberKey } from '../../core/address.ts'
import { isJsonObject, type StripeObject } from '../../core/json.ts'
import { targetAccount } from '../../catalog/types.ts'
import { CommandError } from '../../core/outcome.ts'
import type { Accounts, StripeAccount } from '../../engine/ports.ts'
import { customersWith } from '../../engine/read/by-address.ts'
import { markFrom } from '../../live/marks.ts'

/**
 * A subscriber that the command line can mean, and the accounts with a live subscription of theirs.
 */
export interface Found {
  readonly subscriber: SubscriberKey
  readonly liveIn: readonly string[]
}

/**
 * The subscriber that an operator names by `us/sub_…`, an old or new subscription id, a customer
 * id, or an e-mail address (looked up in Stripe, never stored).
 * @throws CommandError `nobody_found`, or `several_found`, which lists them
 */
export async function findSubscriber(named: string, accounts: Accounts): Promise<Found> {
  const all = [accounts.target, ...accounts.sources.values()]
  const marked = (await Promise.all(all.map(async (account) => meantIn(account, named, accounts)))).flat()
  const found = merge(await Promise.all(marked.map(async (one) => underPresentName(one, accounts))))
  const live = found.filter((one) => one.liveIn.length > 0)
  const [only, ...others] = live.length > 0 ? live : found
  if (only === undefined)
    throw new CommandError('nobody_found', 'no subscription of this project matches', {
      notDone: 'nothing was cancelled',
      fix: 'Give the id of the old or new subscription, the id of the customer, or an e-mail address that Stripe has.',
    })
  if (others.length > 0)
    throw new CommandError(
      'several_found',
      `several subscribers match: ${[only, ...others].map((one) => one.subscriber).join(', ')}`,
      {
        notDone: 'nothing was cancelled',
        fix: 'Name one of them.',
      },
    )
  const { source, subscription } = splitSubscriberKey(only.subscriber)
  if (!isConfigured(source, accounts))
    throw new CommandError(
      'source_unknown',
      `${only.subscriber} comes from the source ${source}, which catalog/project.yaml does not name, and no source has ${subscription}`,
      {
        notDone: 'nothing was cancelled',
        fix: 'Add the account that has it under `accounts`, then run the command again; until then use the Dashboard for both subscriptions.',
      },
    )
  return only
}

function isConfigured(source: string, accounts: Accounts): boolean {
  return source === targetAccount || accounts.sources.has(source)
}

/**
 * The subscriber under the present name of its source. A mark keeps the name that the source had at
 * the time of the move; the source that has the subscription is the same account. Unchanged when no
 * source has it.
 */
async function underPresentName(found: Found, accounts: Accounts): Promise<Found> {
  const { source, subscription } = splitSubscriberKey(found.subscriber)
  if (isConfigured(source, accounts)) return found
  for (const [name, account] of accounts.sources)
    if ((await byId(account, subscription)).length > 0)
      return { ...found, subscriber: subscriberKey(name, subscription) }
  return found
}

async function meantIn(account: StripeAccount, named: string, accounts: Accounts): Promise<Found[]> {
  const [source = '', old] = named.split('/')
  if (old !== undefined)
    return account.name === source || !isConfigured(source, accounts) ? await byId(account, old) : []
  if (named.startsWith('sub_')) return await byId(account, named)
  const customers = named.includes('@') ? (await customersWith(account, named)).map(({ id }) => id) : [named]
  return await subscriptionsOf(account, customers)
}

async function subscriptionsOf(account: StripeAccount, customers: readonly string[]): Promise<Found[]> {
  const found: Found[] = []
  for (const customer of customers)
    for await (const one of account.list('/v1/subscriptions', { customer, status: 'all' }))
      addAll(found, foundAs(account, one))
  return found
}

async function byId(account: StripeAccount, id: string): Promise<Found[]> {
  const answer = await account.look(`/v1/subscriptions/${id}`)
  if (answer.ok) return foundAs(account, answer.value)
  if (answer.failure.code === 'resource_missing') return []
  throw new CommandError('account_unreachable', `account ${account.name} did not answer: ${answer.failure.message}`, {
    notDone: 'nothing was cancelled',
    fix: 'Run the command again. Until then, use the Dashboard.',
  })
}

/**
 * A successor counts as the subscriber that it continues; any other subscription is named by its
 * own account and id.
 */
function foundAs(account: StripeAccount, subscription: StripeObject): Found[] {
  const { metadata, id = '' } = subscription
  const mark = isJsonObject(metadata) ? metadata[markFrom] : undefined
  const subscriber = typeof mark === 'string' ? (mark as SubscriberKey) : subscriberKey(account.name, id)
  return [{ subscriber, liveIn: isOver(subscription) ? [] : [account.name] }]
}

function merge(found: readonly Found[]): Found[] {
  return [...Map.groupBy(found, (one) => one.subscriber)].map(([subscriber, same]) => ({
    subscriber,
    liveIn: same.flatMap((one) => one.liveIn),
  }))
}
