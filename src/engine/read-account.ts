import type Stripe from 'stripe'
import { isJsonObject, type Json, type JsonObject, type StripeObject } from '../core/json.ts'
import type { LiveAccount } from '../plan/live.ts'
import type { Params, Progress, StripeAccount } from './ports.ts'

/**
 * What a subscription needs to be comparable. Four levels are Stripe's limit, so coupons of discounts on items stay ids.
 * https://docs.stripe.com/expand
 */
const subscriptionExpansions = [
  'data.customer',
  'data.discounts.source.coupon',
  'data.items.data.discounts',
  'data.latest_invoice',
  'data.default_payment_method',
  'data.schedule',
]

const priceExpansions = ['data.tiers', 'data.currency_options']

/** Reads one account's subscriptions and what belongs to them. Lists only: a new account may read 10,000 times a month. */
export async function readAccount(account: StripeAccount, progress: Progress): Promise<LiveAccount> {
  const [prices, coupons, subscriptions, customers, drafts, open, items, schedules] = await Promise.all([
    listAll(account, '/v1/prices', { active: true, expand: priceExpansions }),
    listAll(account, '/v1/coupons', { expand: ['data.applies_to', 'data.currency_options'] }),
    listAll(account, '/v1/subscriptions', { status: 'all', expand: subscriptionExpansions }),
    listAll(account, '/v1/customers', { expand: ['data.tax', 'data.tax_ids', 'data.discount.source.coupon'] }),
    listAll(account, '/v1/invoices', { status: 'draft' }),
    listAll(account, '/v1/invoices', { status: 'open' }),
    listAll(account, '/v1/invoiceitems', { pending: true }),
    listAll(account, '/v1/subscription_schedules', {}),
  ])
  const inactive = await listAll(account, '/v1/prices', { active: false, expand: priceExpansions })
  const terms = byId([...prices, ...inactive, ...coupons])
  const whole = (await completeItems(account, subscriptions)).map((one) => deepened(one, terms) as StripeObject)
  progress.step()
  return {
    name: account.name,
    id: account.id,
    livemode: account.livemode,
    now: account.now(),
    // The adapter hands over what Stripe sent; its types are the SDK's for the pinned version.
    subscriptions: whole as unknown as Stripe.Subscription[],
    customers: byId(customers.map((one) => deepened(one, terms) as StripeObject)) as unknown as ReadonlyMap<
      string,
      Stripe.Customer
    >,
    invoices: grouped([...drafts, ...open], invoiceSubscription) as unknown as ReadonlyMap<string, Stripe.Invoice[]>,
    pendingItems: grouped(items, (one) => idOf(one['customer'])) as unknown as ReadonlyMap<
      string,
      Stripe.InvoiceItem[]
    >,
    schedules: byId(schedules) as unknown as ReadonlyMap<string, Stripe.SubscriptionSchedule>,
    coupons: byId(coupons) as unknown as ReadonlyMap<string, Stripe.Coupon>,
    prices: byId([...prices, ...inactive]) as unknown as ReadonlyMap<string, Stripe.Price>,
  }
}

export async function listAll(account: StripeAccount, path: string, params: Params): Promise<StripeObject[]> {
  const all: StripeObject[] = []
  for await (const one of account.list(path, params)) all.push(one)
  return all
}

/** A subscription with more items than its embedded list shows is read to its end. */
async function completeItems(account: StripeAccount, subscriptions: StripeObject[]): Promise<StripeObject[]> {
  const whole: StripeObject[] = []
  for (const subscription of subscriptions) {
    const items = subscription['items']
    if (isJsonObject(items) && items['has_more'] === true) {
      const data = await listAll(account, '/v1/subscription_items', { subscription: subscription.id ?? '' })
      whole.push({ ...subscription, items: { ...items, data, has_more: false } })
    } else whole.push(subscription)
  }
  return whole
}

/**
 * Prices and coupons inside, replaced by what their own lists say of them: tiers, currency options and `applies_to` lie deeper than expansion reaches
 * from a subscription.
 */
function deepened(value: Json | undefined, terms: ReadonlyMap<string, StripeObject>): Json | undefined {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return deepenedArray(value as readonly Json[], terms)
  const object = value as JsonObject
  const known = deepKinds.has(object['object']) ? terms.get(idOf(object)) : undefined
  if (known !== undefined) return known
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

function grouped(
  objects: readonly StripeObject[],
  key: (object: StripeObject) => string,
): ReadonlyMap<string, readonly StripeObject[]> {
  const groups = new Map<string, StripeObject[]>()
  for (const one of objects) {
    const group = groups.get(key(one))
    if (group === undefined) groups.set(key(one), [one])
    else group.push(one)
  }
  return groups
}

/** Since basil an invoice names its subscription under `parent` (https://docs.stripe.com/api/invoices/object). */
function invoiceSubscription(invoice: StripeObject): string {
  const parent = invoice['parent']
  const details = isJsonObject(parent) ? parent['subscription_details'] : undefined
  return isJsonObject(details) ? idOf(details['subscription']) : ''
}

/** The id of a reference, expanded or not; '' when there is none. */
export function idOf(reference: unknown): string {
  if (typeof reference === 'string') return reference
  return isJsonObject(reference) && typeof reference['id'] === 'string' ? reference['id'] : ''
}
