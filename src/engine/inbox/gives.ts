import { catalogIds } from '../send/catalog-ids.ts'
import { billedPriceKey, wrongMapping } from '../../handover/billed-prices.ts'
import { newAddress } from '../../catalog/new-address.ts'
import { targetAccount } from '../../catalog/types.ts'
import { splitAddress } from '../../core/address.ts'
import { isJsonObject, type StripeObject } from '../../core/json.ts'
import { success, type Outcome } from '../../core/outcome.ts'
import { isOnHold } from '../../live/subscription.ts'
import type { InboxContext } from './context.ts'
import { subscriptionsOf } from './live-sides.ts'

/**
 * The offers that a subscription gives, by the identity of its prices. A price is identified by
 * Crossbill's mark on it, by the mappings of its account, or by the id that the store has for the
 * catalog entry, each under its current key: `moved:` lines count before an apply has carried them
 * out. Names, including `lookup_key`, decide nothing.
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
  const billed = billedPriceKey(context, account, price)
  if (billed !== undefined || account !== targetAccount) return billed
  const known = [...(await catalogIds(context))].find(([address, id]) => id === price.id && isPrice(address))
  return known === undefined ? undefined : splitAddress(newAddress(known[0], context.moved)).key
}

function isPrice(address: string): boolean {
  return splitAddress(address).kind === 'price'
}

/**
 * The subscription of the customer that counts and that bills a price whose mapping is wrong: what
 * it gives is unknown.
 */
export async function wronglyMapped(
  context: InboxContext,
  customer: string,
  counts: (subscription: StripeObject) => boolean,
): Promise<Outcome<string | undefined>> {
  for (const [name, account] of context.accounts.sources) {
    if (Object.keys(context.mappings.get(name)?.prices ?? {}).length === 0) continue
    const theirs = await subscriptionsOf(account, customer)
    if (!theirs.ok) return theirs
    const found = theirs.value.find((one) => counts(one) && !isOnHold(one) && hasWrongMapping(context, name, one))
    if (found !== undefined) return success(`${name}/${found.id ?? ''}`)
  }
  return success(undefined)
}

/** Whether a price of the subscription is mapped to another price of the catalog. */
export function hasWrongMapping(context: InboxContext, account: string, subscription: StripeObject): boolean {
  return pricesOf(subscription).some((price) => wrongMapping(context, account, price) !== undefined)
}

/**
 * Finds a subscription of the customer that counts and gives the offer, in any account: a copy
 * keeps the customer's id. A held subscription gives nothing, because its successor bills. `counts`
 * is `givesAccess` for a question about access and `isAlive` for a cancel: an unpaid subscription
 * can still be cancelled.
 */
export async function givenBy(
  context: InboxContext,
  customer: string,
  offer: string,
  counts: (subscription: StripeObject) => boolean,
): Promise<Outcome<string | undefined>> {
  for (const account of [context.accounts.target, ...context.accounts.sources.values()]) {
    const theirs = await subscriptionsOf(account, customer)
    if (!theirs.ok) return theirs
    for (const one of theirs.value) {
      if (!counts(one) || isOnHold(one)) continue
      if ((await offersOf(context, account.name, one)).includes(offer))
        return success(`${account.name}/${one.id ?? ''}`)
    }
  }
  return success(undefined)
}
