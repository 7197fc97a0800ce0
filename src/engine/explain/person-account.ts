import { isJsonObject, type Json, type StripeObject } from '../../core/json.ts'
import { CommandError } from '../../core/outcome.ts'
import type { Params, StripeAccount } from '../ports.ts'
import { expansionsIn } from '../read/account.ts'
import { byId } from '../read/by-id.ts'
import { readOnce } from '../read/lists.ts'

/** Lists that Stripe narrows to one customer. */
const ofOneCustomer = new Set(['/v1/subscriptions', '/v1/invoices', '/v1/invoiceitems', '/v1/subscription_schedules'])

/** Lists of which only the objects that the person's subscriptions name are read, one by one. */
const namedOnes: Readonly<Record<string, 'price' | 'coupon'>> = { '/v1/prices': 'price', '/v1/coupons': 'coupon' }

/**
 * An account as it looks with only one person's customers in it. Every reader of whole accounts
 * works on it unchanged, so that one person is judged by the rules of the plan, with a few dozen
 * requests however large the account is.
 */
export async function accountOfPerson(account: StripeAccount, customers: readonly string[]): Promise<StripeAccount> {
  const own = readOnce(account)
  async function* theirs(path: string, params: Params): AsyncIterable<StripeObject> {
    for (const customer of customers) yield* own.list(path, { ...params, customer })
  }
  async function* customersThere(params: Params): AsyncIterable<StripeObject> {
    for (const id of customers) {
      const found = await customerThere(own, id, singleExpansions(params))
      if (found !== undefined) yield found
    }
  }
  const named = await namedIn(theirs, account.name)
  async function* objectsNamed(path: string, params: Params): AsyncIterable<StripeObject> {
    for (const id of named[namedOnes[path] ?? 'price']) {
      const found = await byId(own, `${path}/${id}`, singleExpansions(params))
      if (found !== undefined && (params['active'] === undefined || params['active'] === found['active'])) yield found
    }
  }
  return {
    ...own,
    list(path, params = {}) {
      if (ofOneCustomer.has(path) && params['customer'] === undefined && params['subscription'] === undefined)
        return theirs(path, params)
      if (path === '/v1/customers' && params['email'] === undefined) return customersThere(params)
      return namedOnes[path] === undefined ? own.list(path, params) : objectsNamed(path, params)
    },
  }
}

/**
 * A list of customers has no deleted ones. Stripe still shows a deleted customer by id, without
 * most fields, and refuses to expand those.
 */
async function customerThere(
  account: StripeAccount,
  id: string,
  expand: readonly string[],
): Promise<StripeObject | undefined> {
  const path = `/v1/customers/${id}`
  try {
    const found = await byId(account, path, expand)
    return found?.['deleted'] === true ? undefined : found
  } catch (error) {
    if (error instanceof CommandError && (await byId(account, path))?.['deleted'] === true) return undefined
    throw error
  }
}

/** `data.tax` in a list is `tax` of a single object. */
function singleExpansions({ expand }: Params): readonly string[] {
  const paths = Array.isArray(expand) ? expand.filter((path) => typeof path === 'string') : []
  return paths.map((path) => path.replace(/^data\./, ''))
}

/** Ids of the prices and coupons that the person's subscriptions, schedules and customers name. */
async function namedIn(
  theirs: (path: string, params: Params) => AsyncIterable<StripeObject>,
  account: string,
): Promise<Readonly<Record<'price' | 'coupon', ReadonlySet<string>>>> {
  const found = { price: new Set<string>(), coupon: new Set<string>() }
  // The same parameters as those of the readers, so that each list is sent once.
  const expand = expansionsIn(account).map((path) => `data.${path}`)
  for (const [path, params] of [
    ['/v1/subscriptions', { expand }],
    ['/v1/subscriptions', { status: 'canceled', expand }],
    ['/v1/subscription_schedules', {}],
  ] as const)
    for await (const one of theirs(path, params)) note(one, found)
  return found
}

function note(value: Json | undefined, found: Readonly<Record<'price' | 'coupon', Set<string>>>): void {
  if (Array.isArray(value)) for (const one of value as readonly Json[]) note(one, found)
  if (!isJsonObject(value)) return
  for (const [name, inner] of Object.entries(value)) {
    if (name === 'price' || name === 'coupon') {
      const id = isJsonObject(inner) ? inner['id'] : inner
      if (typeof id === 'string') found[name].add(id)
    }
    note(inner, found)
  }
}
