import { idOf } from '../../core/reference.ts'
import type Stripe from 'stripe'
import { isJsonObject, type Json, type JsonObject, type StripeObject } from '../../core/json.ts'
import type { LiveAccount } from '../../live/accounts.ts'
import type { Params, Progress, StripeAccount } from '../ports.ts'
import { coupon } from '../../kinds/coupon.ts'
import { price } from '../../kinds/price.ts'
import { listAll, readKind } from './lists.ts'
import { whole } from './shape.ts'
import { RedeemedTerms, sameTerms } from './redeemed-terms.ts'

/**
 * What a subscription needs to be comparable. Four levels are Stripe's limit, so coupons of
 * discounts on items stay ids. https://docs.stripe.com/expand
 */
export const subscriptionExpansions = [
  'customer',
  'discounts.source.coupon',
  'items.data.discounts',
  'latest_invoice',
  'default_payment_method',
  'schedule',
]

/**
 * Reads one account's subscriptions and what belongs to them. Lists only: a new account may read
 * 10,000 times a month.
 */
export async function readAccount(account: StripeAccount, progress: Progress): Promise<LiveAccount> {
  const list = async (path: string, params: Params, kept = (one: StripeObject) => one): Promise<StripeObject[]> => {
    const all: StripeObject[] = []
    for await (const one of account.list(path, params)) {
      all.push(kept(whole(account.name, path, one)))
      progress.step()
    }
    return all
  }
  const [prices, coupons, subscriptions, customers, drafts, open, items, schedules] = await Promise.all([
    readKind(account, price),
    readKind(account, coupon),
    listSubscriptions(list),
    list('/v1/customers', { expand: ['data.tax', 'data.tax_ids', 'data.discount.source.coupon'] }),
    list('/v1/invoices', { status: 'draft' }),
    list('/v1/invoices', { status: 'open' }),
    list('/v1/invoiceitems', { pending: true }),
    list('/v1/subscription_schedules', {}),
  ])
  const terms = byId([...prices, ...coupons])
  const redeemed = new RedeemedTerms(account, byId(coupons))
  const people = new Map<string, StripeObject>()
  for (const one of customers) people.set(one.id ?? '', await redeemed.ofCustomer(deepened(one, terms) as StripeObject))
  for (const [index, one] of subscriptions.entries()) {
    const entire = await redeemed.ofSubscription(deepened(await completeItems(account, one), terms) as StripeObject)
    const customer = people.get(idOf(entire['customer']) ?? '')
    // One customer, one object: a hundred thousand copies would be a tenth of the memory.
    subscriptions[index] = customer === undefined ? entire : { ...entire, customer }
  }
  return {
    name: account.name,
    id: account.id,
    livemode: account.livemode,
    now: account.now(),
    // The adapter hands over what Stripe sent; its types are the SDK's for the pinned version.
    subscriptions: subscriptions as unknown as Stripe.Subscription[],
    customers: people as unknown as ReadonlyMap<string, Stripe.Customer>,
    invoices: Map.groupBy([...drafts, ...open], invoiceSubscription) as unknown as ReadonlyMap<
      string,
      Stripe.Invoice[]
    >,
    pendingItems: Map.groupBy(items, (one) => idOf(one['customer']) ?? '') as unknown as ReadonlyMap<
      string,
      Stripe.InvoiceItem[]
    >,
    schedules: byId(schedules) as unknown as ReadonlyMap<string, Stripe.SubscriptionSchedule>,
    coupons: byId(coupons) as unknown as ReadonlyMap<string, Stripe.Coupon>,
    prices: byId(prices) as unknown as ReadonlyMap<string, Stripe.Price>,
  }
}

type Lister = (path: string, params: Params, kept: (one: StripeObject) => StripeObject) => Promise<StripeObject[]>

/**
 * Every subscription. `status: all` leaves out those of deleted customers, which only `status:
 * canceled` has (https://docs.stripe.com/api/subscriptions/list). The canceled ones are read last:
 * one that is canceled in between is in the second list, and counts as that says.
 */
async function listSubscriptions(list: Lister): Promise<StripeObject[]> {
  const expand = subscriptionExpansions.map((path) => `data.${path}`)
  const going = await list('/v1/subscriptions', { expand }, withoutBallast)
  const canceled = await list('/v1/subscriptions', { status: 'canceled', expand }, withoutBallast)
  const ended = new Set(canceled.map(({ id }) => id))
  return [...going.filter(({ id }) => !ended.has(id)), ...canceled]
}

/**
 * A subscription without a third of its size that nobody decides on: the renewals among the lines
 * of its latest invoice (who needs them reads that one again), and of each item the old form of its
 * price. Lines that are no renewal stay: a hold that voids them loses money.
 */
function withoutBallast(subscription: StripeObject): StripeObject {
  const { latest_invoice: latest, items } = subscription
  const lines = isJsonObject(latest) ? latest['lines'] : undefined
  const data = isJsonObject(items) ? items['data'] : undefined
  return {
    ...subscription,
    ...(isJsonObject(latest) && isJsonObject(lines)
      ? { latest_invoice: { ...latest, lines: { ...lines, data: otherLines(lines['data']), has_more: true } } }
      : {}),
    ...(isJsonObject(items) && Array.isArray(data)
      ? { items: { ...items, data: data.map((one: Json) => (isJsonObject(one) ? { ...one, plan: null } : one)) } }
      : {}),
  }
}

function otherLines(data: Json | undefined): Json[] {
  return Array.isArray(data) ? data.filter((line: Json) => !isRenewal(line)) : []
}

function isRenewal(line: Json): boolean {
  const parent = isJsonObject(line) ? line['parent'] : undefined
  const details = isJsonObject(parent) ? parent['subscription_item_details'] : undefined
  return isJsonObject(details) && details['proration'] === false
}

/** A subscription with more items than its embedded list shows is read to its end. */
async function completeItems(account: StripeAccount, subscription: StripeObject): Promise<StripeObject> {
  const items = subscription['items']
  if (!isJsonObject(items) || items['has_more'] !== true) return subscription
  const data = await listAll(account, '/v1/subscription_items', { subscription: subscription.id ?? '' })
  return { ...subscription, items: { ...items, data, has_more: false } }
}

/**
 * Prices and coupons inside, replaced by what their own lists say of them: tiers, currency options
 * and `applies_to` lie deeper than expansion reaches from a subscription. A coupon whose id was
 * used again for other terms stays as the discount shows it. What holds none of them is the same
 * object as before.
 */
function deepened(value: Json | undefined, terms: ReadonlyMap<string, StripeObject>): Json | undefined {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return deepenedArray(value as readonly Json[], terms)
  const object = value as JsonObject
  const known = deepKinds.has(object['object']) ? terms.get(idOf(object) ?? '') : undefined
  if (known !== undefined && (object['object'] !== 'coupon' || sameTerms(object, known))) return known
  // Most of it stays as it is, and is shared: a school's objects are many.
  let copy: Record<string, Json | undefined> | undefined
  for (const key in object) {
    const before = object[key]
    if (typeof before !== 'object' || before === null) continue
    const after = deepened(before, terms)
    if (after !== before) (copy ??= { ...object })[key] = after
  }
  return (copy as JsonObject | undefined) ?? object
}

function deepenedArray(array: readonly Json[], terms: ReadonlyMap<string, StripeObject>): Json {
  const after = array.map((one) => deepened(one, terms) ?? null)
  return (after.some((one, at) => one !== array[at]) ? after : array) as Json
}

const deepKinds: ReadonlySet<unknown> = new Set(['price', 'coupon'])

function byId(objects: readonly StripeObject[]): ReadonlyMap<string, StripeObject> {
  return new Map(objects.map((one) => [one.id ?? '', one]))
}

/**
 * Since basil an invoice names its subscription under `parent`
 * (https://docs.stripe.com/api/invoices/object).
 */
function invoiceSubscription(invoice: StripeObject): string {
  const parent = invoice['parent']
  const details = isJsonObject(parent) ? parent['subscription_details'] : undefined
  return (isJsonObject(details) ? idOf(details['subscription']) : undefined) ?? ''
}
