import { targetAccount } from '../../catalog/types.ts'
import { idOf } from '../../core/reference.ts'
import type Stripe from 'stripe'
import { isJsonObject, type Json, type JsonObject, type StripeObject } from '../../core/json.ts'
import type { LiveAccount } from '../../live/accounts.ts'
import { shownMethod, type ShownMethod } from '../../live/shown-method.ts'
import type { Params, Progress, StripeAccount } from '../ports.ts'
import { coupon } from '../../kinds/coupon.ts'
import { price } from '../../kinds/price.ts'
import { listAll, readKind } from './lists.ts'
import { whole } from './shape.ts'
import { Sharing } from './sharing.ts'
import { RedeemedTerms, sameTerms } from './redeemed-terms.ts'

/**
 * The expansions that make a subscription comparable. Stripe allows four levels, so the coupons of
 * item discounts stay ids. https://docs.stripe.com/expand
 */
const subscriptionExpansions = [
  'customer',
  'discounts.source.coupon',
  'items.data.discounts',
  'latest_invoice',
  'default_payment_method',
  'schedule',
]

/** A method that waits for its cardholder is named by id alone; its country decides the way out. */
export const setupExpansion = 'pending_setup_intent.payment_method'

/** In the target also the SetupIntent, which shows whether Stripe could set up the method. */
export function expansionsIn(account: string): readonly string[] {
  return account === targetAccount ? [...subscriptionExpansions, setupExpansion] : subscriptionExpansions
}

const customerExpansions = [
  'data.tax',
  'data.tax_ids',
  'data.invoice_credit_balance',
  'data.discount.source.coupon',
  'data.invoice_settings.default_payment_method',
]

/** What a reading of the account expands, by list. */
export function expansionsOfLists(account: string): Readonly<Record<string, readonly string[]>> {
  return { customers: customerExpansions, subscriptions: expansionsIn(account).map((path) => `data.${path}`) }
}

/** Keeps what is compared of a customer's default method: its type and its card. */
function withSmallDefault(customer: StripeObject): StripeObject {
  const { invoice_settings: settings } = customer
  const method = isJsonObject(settings) ? settings['default_payment_method'] : undefined
  if (!isJsonObject(settings) || !isJsonObject(method)) return customer
  const { id, object, type, card } = method
  const small = isJsonObject(card) ? cardOf(card) : null
  return {
    ...customer,
    invoice_settings: {
      ...settings,
      default_payment_method: { id, object, type, customer: customer['id'], card: small },
    },
  }
}

function cardOf({ brand, last4, exp_month: month, exp_year: year, country }: JsonObject): JsonObject {
  return { brand, last4, exp_month: month, exp_year: year, country }
}

/**
 * Reads one account's subscriptions and related objects. Reads lists only: a new account allows
 * 10,000 reads a month.
 */
export async function readAccount(account: StripeAccount, progress: Progress): Promise<LiveAccount> {
  const sharing = new Sharing()
  const list = async (path: string, params: Params, kept = (one: StripeObject) => one): Promise<StripeObject[]> => {
    const all: StripeObject[] = []
    for await (const one of account.list(path, params)) {
      all.push(sharing.of(kept(whole(account.name, path, one))))
      progress.step()
    }
    return all
  }
  const methods = new Map<string, ShownMethod>()
  const [prices, coupons, subscriptions, customers, drafts, open, items, schedules] = await Promise.all([
    readKind(account, price),
    readKind(account, coupon),
    listSubscriptions(account.name, list),
    list('/v1/customers', { expand: customerExpansions }, withSmallDefault),
    list('/v1/invoices', { status: 'draft' }),
    list('/v1/invoices', { status: 'open' }),
    list('/v1/invoiceitems', { pending: true }),
    list('/v1/subscription_schedules', {}),
  ])
  const terms = byId([...prices, ...coupons])
  const redeemed = new RedeemedTerms(account, byId(coupons))
  const people = new Map<string, StripeObject>()
  for (const one of customers) people.set(one.id ?? '', await redeemed.ofCustomer(deepened(one, terms) as StripeObject))
  for (const { invoice_settings: settings } of customers)
    if (isJsonObject(settings)) noteMethod(settings['default_payment_method'], methods)
  for (const [index, one] of subscriptions.entries()) {
    const entire = await redeemed.ofSubscription(deepened(await completeItems(account, one), terms) as StripeObject)
    const customer = people.get(idOf(entire['customer']) ?? '')
    // One object for each customer: a hundred thousand copies would take a tenth of the memory.
    noteMethod(one['default_payment_method'], methods)
    subscriptions[index] = customer === undefined ? entire : { ...entire, customer }
  }
  return {
    name: account.name,
    id: account.id,
    livemode: account.livemode,
    now: account.now(),
    // The adapter returns what Stripe sent; the types are the SDK's for the pinned version.
    subscriptions: subscriptions as unknown as Stripe.Subscription[],
    customers: people as unknown as ReadonlyMap<string, Stripe.Customer>,
    methods,
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

function noteMethod(method: Json | undefined, methods: Map<string, ShownMethod>): void {
  // The adapter returns what Stripe sent; the types are the SDK's for the pinned version.
  const shown = isJsonObject(method) ? shownMethod(method as unknown as Stripe.PaymentMethod) : undefined
  if (shown !== undefined) methods.set(shown.id, shown)
}

type Lister = (path: string, params: Params, kept: (one: StripeObject) => StripeObject) => Promise<StripeObject[]>

/**
 * Lists every subscription. `status: all` omits those of deleted customers, which only `status:
 * canceled` includes (https://docs.stripe.com/api/subscriptions/list). The canceled ones are read
 * last, so that a subscription canceled in between appears in the second list, which wins.
 */
async function listSubscriptions(account: string, list: Lister): Promise<StripeObject[]> {
  const expand = expansionsIn(account).map((path) => `data.${path}`)
  const going = await list('/v1/subscriptions', { expand }, withoutBallast)
  const canceled = await list('/v1/subscriptions', { status: 'canceled', expand }, withoutBallast)
  const ended = new Set(canceled.map(({ id }) => id))
  return [...going.filter(({ id }) => !ended.has(id)), ...canceled]
}

/**
 * Removes a third of a subscription's size that decides nothing: the renewal lines of its latest
 * invoice (read again where needed), and the old form of each item's price. Other lines stay: a
 * hold that voids them would lose money.
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

/** A subscription with more items than its embedded list shows is read to the end. */
async function completeItems(account: StripeAccount, subscription: StripeObject): Promise<StripeObject> {
  const items = subscription['items']
  if (!isJsonObject(items) || items['has_more'] !== true) return subscription
  const data = await listAll(account, '/v1/subscription_items', { subscription: subscription.id ?? '' })
  return { ...subscription, items: { ...items, data, has_more: false } }
}

/**
 * Replaces prices and coupons by the objects from their own lists: tiers, currency options and
 * `applies_to` lie deeper than an expansion reaches. A coupon whose id was reused for other terms
 * stays as the discount shows it. A value without any of them is returned unchanged, as the same
 * object.
 */
function deepened(value: Json | undefined, terms: ReadonlyMap<string, StripeObject>): Json | undefined {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return deepenedArray(value as readonly Json[], terms)
  const object = value as JsonObject
  const known = deepKinds.has(object['object']) ? terms.get(idOf(object) ?? '') : undefined
  if (known !== undefined && (object['object'] !== 'coupon' || sameTerms(object, known))) return known
  // Unchanged parts are shared, because a school has many objects.
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
 * Since the basil API version, an invoice names its subscription under `parent`
 * (https://docs.stripe.com/api/invoices/object).
 */
function invoiceSubscription(invoice: StripeObject): string {
  const parent = invoice['parent']
  const details = isJsonObject(parent) ? parent['subscription_details'] : undefined
  return (isJsonObject(details) ? idOf(details['subscription']) : undefined) ?? ''
}
