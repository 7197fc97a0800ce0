import { addAll } from '../../core/lists.ts'
import { idOf } from '../../core/reference.ts'
import { listed } from '../send/listed.ts'
import type Stripe from 'stripe'
import type { JsonObject, StripeObject } from '../../core/json.ts'
import { oldExpansions, type SuccessorNow } from '../../handover/events.ts'
import { isAdvancing } from '../../live/invoice.ts'
import { isCarriedFor } from '../../live/marks.ts'
import { provenExpansions } from '../../handover/recipe.ts'
import { successorsOf } from '../../live/observations.ts'
import type { Expectation } from '../../handover/types.ts'
import { accountNamed, type Context } from '../context.ts'
import { read } from '../send/perform.ts'
import { setupExpansion } from './account.ts'
import { invoicesInTarget, type TargetReader, wholeInvoice } from './invoices-in-target.ts'
import type { Params, StripeAccount } from '../ports.ts'

/*
 * Reads of one subscriber during a hand-over. Undefined always means a failed read, never "not
 * there": a caller must not take a missing answer for absence.
 */

export async function readOld(
  context: Context,
  { source, old }: Pick<Expectation, 'source' | 'old'>,
): Promise<Stripe.Subscription | undefined> {
  return readSubscription(context, accountNamed(context, source), old)
}

export async function readSuccessor(context: Context, id: string): Promise<Stripe.Subscription | undefined> {
  return readSubscription(context, context.accounts.target, id, [...expansions, setupExpansion])
}

/**
 * As deep as a proof looks: the coupons of the subscription's discounts directly, those of its
 * items from their own list, because Stripe allows four levels.
 */
const expansions = [
  ...oldExpansions.filter((path) => path !== 'discounts'),
  'discounts.source.coupon',
  'customer.discount.source.coupon',
  'customer.invoice_settings.default_payment_method',
]

async function readSubscription(
  context: Context,
  account: StripeAccount,
  id: string,
  expand: readonly string[] = expansions,
): Promise<Stripe.Subscription | undefined> {
  const found = await read(context, account, `/v1/subscriptions/${id}`, { expand: [...expand] })
  if (!found.ok) return undefined
  const subscription = asSubscription(found.value)
  if (subscription.items.data.every(({ discounts }) => discounts.length === 0)) return subscription
  const items = await listOrNothing(account, '/v1/subscription_items', {
    subscription: id,
    expand: ['data.discounts.source.coupon'],
  })
  const data = items as unknown as Stripe.SubscriptionItem[] | undefined
  return data && { ...subscription, items: { ...subscription.items, data } }
}

/** Reads the schedule of an old subscription, or the one created for a new subscription. */
export async function readSchedule(
  context: Context,
  account: StripeAccount,
  id: string,
): Promise<Stripe.SubscriptionSchedule | undefined> {
  const found = await read(context, account, `/v1/subscription_schedules/${id}`)
  return found.ok ? (found.value as unknown as Stripe.SubscriptionSchedule) : undefined
}

/** Also the coupons, which show how often a discount applies. */
const successorExpansions = [...provenExpansions.filter((path) => path !== 'discounts'), 'discounts.source.coupon']

/**
 * Reads every subscription in the target with this subscriber's mark, including cancelled ones and
 * those of a deleted customer. They are listed by customer, since search results are delayed; known
 * ones are read by id. A deleted customer without a visible subscription gives `erased`: their
 * absence is not proven.
 */
export async function readSuccessors(
  context: Context,
  expect: SuccessorOf,
): Promise<readonly Stripe.Subscription[] | 'erased' | undefined> {
  return (await readTargetSide(context, expect))?.successors
}

type SuccessorOf = Pick<Expectation, 'customer_new' | 'key'> & { readonly successor?: string | null }

/** What the target has of a subscriber's customer. */
export interface TargetSide {
  readonly successors: readonly Stripe.Subscription[] | 'erased'
  /** All subscriptions of the customer, whatever marks they have. */
  readonly all: readonly Stripe.Subscription[]
}

/** The successors, as above, and the customer's other subscriptions from the same lists. */
export async function readTargetSide(
  context: Context,
  { customer_new, key, successor = null }: SuccessorOf,
): Promise<TargetSide | undefined> {
  const { target } = context.accounts
  const expand = successorExpansions.map((path) => `data.${path}`)
  const theirsWith = async (params: Params): Promise<readonly StripeObject[] | undefined> =>
    listOrNothing(target, '/v1/subscriptions', { customer: customer_new, ...params, expand })
  const all = await theirsWith({ status: 'all' })
  const canceled = all && (await theirsWith({ status: 'canceled' }))
  if (all === undefined || canceled === undefined) return undefined
  const found = new Map([...all, ...canceled].map((one) => [one.id, one]))
  if (successor !== null && !found.has(successor)) {
    const known = await read(context, target, `/v1/subscriptions/${successor}`, { expand: [...successorExpansions] })
    if (known.ok) found.set(successor, known.value)
    else if (known.failure.code !== 'resource_missing') return undefined
  }
  const shown = [...found.values()].map(asSubscription)
  const theirs = successorsOf(shown, key)
  const erased = theirs.length === 0 ? await isErased(context, customer_new) : false
  if (erased === undefined) return undefined
  return { successors: erased ? 'erased' : theirs, all: shown }
}

/** Whether the customer was deleted in the target; undefined when this cannot be read. */
async function isErased(context: Context, customer: string): Promise<boolean | undefined> {
  const found = await read(context, context.accounts.target, `/v1/customers/${customer}`)
  if (found.ok) return found.value['deleted'] === true
  return found.failure.code === 'resource_missing' ? false : undefined
}

/**
 * The successor with its oldest invoice still being collected, or else its newest invoice, with
 * payments and charges; and with all its invoices, since several renewals may be unpaid at once.
 */
export async function successorNow(context: Context, successor: string): Promise<SuccessorNow | undefined> {
  const { target } = context.accounts
  const expand = ['customer', 'discounts', 'items.data.discounts']
  const found = await read(context, target, `/v1/subscriptions/${successor}`, { expand })
  if (!found.ok) return undefined
  const subscription = asSubscription(found.value)
  const reader = targetReader(context)
  const invoices = await invoicesInTarget(reader, successor)
  if (invoices === undefined) return undefined
  const open = invoices
    .filter((one) => one.status === 'open' || isAdvancing(one))
    .toSorted((a, b) => a.created - b.created)
  const id = open[0]?.id ?? idOf(found.value['latest_invoice'])
  if (id === undefined) return { subscription, invoice: null, invoices }
  const invoice = invoices.find((one) => one.id === id) ?? (await wholeInvoice(reader, id))
  return invoice && { subscription, invoice, invoices }
}

function targetReader(context: Context): TargetReader {
  const { target } = context.accounts
  return {
    list: (path, params) => listOrNothing(target, path, params),
    async get(path, params) {
      const found = await read(context, target, path, params as JsonObject)
      return found.ok ? found.value : undefined
    },
  }
}

/**
 * Every invoice of every subscription with the mark, including undone ones: an invoice paid to a
 * cancelled successor is paid. Includes refunds when the subscriber's file bills refunded amounts
 * again.
 */
export async function successorInvoices(
  context: Context,
  expect: Pick<Expectation, 'customer_new' | 'key' | 'override'>,
): Promise<readonly Stripe.Invoice[] | undefined> {
  const invoices: Stripe.Invoice[] = []
  const successors = await readSuccessors(context, expect)
  if (successors === undefined || successors === 'erased') return undefined
  for (const { id } of successors) {
    const own = await wholeInvoices(context.accounts.target, { subscription: id })
    if (own === undefined) return undefined
    addAll(invoices, own)
  }
  if (!expect.override.includes('bill_refunded_period')) return invoices
  const whole: Stripe.Invoice[] = []
  for (const one of invoices) {
    const read = one.status === 'paid' ? await wholeInvoice(targetReader(context), one.id) : one
    if (read === undefined) return undefined
    whole.push(read)
  }
  return whole
}

/** Invoice items of the old customer that wait for the next invoice. */
export async function pendingItems(
  context: Context,
  { source, customer_old }: Pick<Expectation, 'source' | 'customer_old'>,
): Promise<readonly Stripe.InvoiceItem[] | undefined> {
  const params = { customer: customer_old, pending: true }
  const all = await listOrNothing(accountNamed(context, source), '/v1/invoiceitems', params)
  return all as unknown as readonly Stripe.InvoiceItem[] | undefined
}

/** Every invoice of the old subscription since `since` (unix seconds), with all lines. */
export async function oldInvoices(
  context: Context,
  { source, old, held_since: since }: Pick<Expectation, 'source' | 'old' | 'held_since'>,
): Promise<readonly Stripe.Invoice[] | undefined> {
  const created = since > 0 ? { created: { gte: since } } : {}
  return wholeInvoices(accountNamed(context, source), { subscription: old, ...created })
}

/** The invoices by which this or an earlier run bills a gap, by their marks, with all lines. */
export async function gapInvoices(
  context: Context,
  { source, customer_old, key, held_since: since }: Expectation,
): Promise<readonly Stripe.Invoice[] | undefined> {
  const created = since > 0 ? { created: { gte: since } } : {}
  const all = await wholeInvoices(accountNamed(context, source), { customer: customer_old, ...created })
  return all?.filter(({ metadata }) => isCarriedFor(metadata, key))
}

/** One invoice with all its lines. */
export async function readInvoice(
  context: Context,
  account: StripeAccount,
  id: string,
): Promise<Stripe.Invoice | undefined> {
  const found = await read(context, account, `/v1/invoices/${id}`)
  return found.ok ? withAllLines(account, asInvoice(found.value)) : undefined
}

async function wholeInvoices(account: StripeAccount, params: Params): Promise<readonly Stripe.Invoice[] | undefined> {
  const all = await listOrNothing(account, '/v1/invoices', params)
  const whole: Stripe.Invoice[] = []
  for (const one of all ?? []) {
    const read = await withAllLines(account, asInvoice(one))
    if (read === undefined) return undefined
    whole.push(read)
  }
  return all && whole
}

/**
 * An invoice embeds only its first lines; the rest is a separate list
 * (https://docs.stripe.com/api/invoices/invoice_lines).
 */
async function withAllLines(account: StripeAccount, invoice: Stripe.Invoice): Promise<Stripe.Invoice | undefined> {
  if (!invoice.lines.has_more) return invoice
  const data = await listOrNothing(account, `/v1/invoices/${invoice.id}/lines`, {})
  if (data === undefined) return undefined
  const lines = { ...invoice.lines, data: data as unknown as Stripe.InvoiceLineItem[], has_more: false }
  return { ...invoice, lines }
}

async function listOrNothing(
  account: StripeAccount,
  path: string,
  params: Params,
): Promise<readonly StripeObject[] | undefined> {
  const all = await listed(account, path, params)
  return all.ok ? all.value : undefined
}

/** The adapter returns what Stripe sent; the types are the SDK's for the pinned version. */
export function asSubscription(object: StripeObject): Stripe.Subscription {
  return object as unknown as Stripe.Subscription
}

/** The same object, as what the adapter returned. */
export function asObject(subscription: Stripe.Subscription): StripeObject {
  return subscription as unknown as StripeObject
}

export function asInvoice(object: StripeObject): Stripe.Invoice {
  return object as unknown as Stripe.Invoice
}
