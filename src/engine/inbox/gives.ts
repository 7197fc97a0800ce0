import { targetAccount } from '../../catalog/types.ts'
import { isJsonObject, type StripeObject } from '../../core/json.ts'
import { success, type Outcome } from '../../core/outcome.ts'
import { priceKey } from '../../live/marks.ts'
import { sightOld } from '../../live/sights.ts'
import { asSubscription } from '../read/subscriptions.ts'
import type { StripeAccount } from '../ports.ts'
import type { InboxContext } from './context.ts'
import { isLive, subscriptionsOf } from './live-sides.ts'

/**
 * The offers that a subscription gives, by the identity of its prices. A price stands for an entry of the catalog by Crossbill's mark on it, by the mappings of its
 * account, or by the id that the store knows of the entry. Names, `lookup_key` among them, decide nothing.
 */
export async function offersOf(
  context: InboxContext,
  account: string,
  subscription: StripeObject,
): Promise<readonly string[]> {
  const keys = new Set<string>()
  for (const price of pricesOf(subscription)) {
    const key = await keyOf(context, account, price)
    if (key !== undefined) keys.add(key)
  }
  return Object.entries(context.access.offers)
    .filter(([, offer]) => offer.prices.some((price) => keys.has(price)))
    .map(([key]) => key)
}

function pricesOf({ items }: StripeObject): readonly StripeObject[] {
  const data = isJsonObject(items) && Array.isArray(items['data']) ? items['data'] : []
  return data.flatMap((item) => {
    const price = isJsonObject(item) ? item['price'] : undefined
    return isJsonObject(price) ? [price as StripeObject] : []
  })
}

async function keyOf(context: InboxContext, account: string, price: StripeObject): Promise<string | undefined> {
  const { id = '' } = price
  const mark = account === targetAccount ? priceKey({ metadata: price['metadata'] }) : undefined
  if (mark !== undefined) return mark
  const mapped = context.mappings.get(account)?.prices ?? {}
  if (Object.hasOwn(mapped, id)) return mapped[id]
  if (account !== targetAccount) return undefined
  const known = (await context.store.objects()).find((one) => one.id === id && one.address.startsWith('price.'))
  return known?.address.slice('price.'.length)
}

/**
 * A live subscription by which the customer pays for the offer, in any account: a copy keeps the customer's id. A held subscription pays for nothing, because its
 * successor bills. `until`: only one that was made by then.
 */
export async function paidBy(
  context: InboxContext,
  customer: string,
  offer: string,
  until = Infinity,
): Promise<Outcome<string | undefined>> {
  for (const account of [context.accounts.target, ...context.accounts.sources.values()]) {
    const theirs = await subscriptionsOf(account, customer)
    if (!theirs.ok) return theirs
    for (const one of theirs.value) {
      if (!isLive(one) || Number(one['created']) > until || isOnHold(account, one)) continue
      if ((await offersOf(context, account.name, one)).includes(offer))
        return success(`${account.name}/${one.id ?? ''}`)
    }
  }
  return success(undefined)
}

function isOnHold({ name }: StripeAccount, subscription: StripeObject): boolean {
  if (name === targetAccount) return false
  const sight = sightOld(asSubscription(subscription))
  return sight === 'held' || sight === 'kept'
}
