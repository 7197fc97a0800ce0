import { addAll } from '../../core/lists.ts'
import { idOf } from '../../core/reference.ts'
import { isAlive, isKept, isOnHold, isOver, isSettled, settledAs } from '../../live/subscription.ts'
import type { LiveSides } from '../../cancel/decide.ts'
import { targetAccount } from '../../catalog/types.ts'
import { splitSubscriberKey, subscriberKey, type SubscriberKey } from '../../core/address.ts'
import { isJsonObject, type StripeObject } from '../../core/json.ts'
import { failed, success, type Failure, type Outcome } from '../../core/outcome.ts'
import { markFrom, oldIdOf } from '../../live/marks.ts'
import { read } from '../send/perform.ts'
import type { StripeAccount } from '../ports.ts'
import type { InboxContext } from './context.ts'
import { isRefusal } from './credentials.ts'
import { accountAway, listed } from '../send/listed.ts'

/** Both sides of one subscriber as they are now, with what a cancel needs of them. */
export interface ReadSides {
  readonly sides: LiveSides
  readonly old: StripeObject | undefined
  readonly oldAccount: StripeAccount | undefined
  readonly successors: readonly StripeObject[]
  /** The customer. A PAN copy keeps the id, so it is the same in both accounts. */
  readonly customer: string | undefined
}

/** The failure when the successors could not be read. */
export const targetUnreadable: Failure = {
  kind: 'retryable',
  code: 'target_unreadable',
  message: 'the target could not be read',
  status: 0,
}

/**
 * Reads the old subscription, and by mark the target's subscriptions of its customer with `status:
 * all`: a cancelled successor is still a successor. A target that cannot be read is reported as
 * unreadable, never taken for empty.
 */
export async function readSides(context: InboxContext, subscriber: SubscriberKey): Promise<Outcome<ReadSides>> {
  const { source, subscription } = splitSubscriberKey(subscriber)
  if (source === targetAccount) return readTarget(context, subscription)
  const oldAccount = context.accounts.sources.get(source)
  if (oldAccount === undefined) return readRenamed(context, subscriber)
  const old = await readOld(context, oldAccount, subscription)
  if (!old.ok) return old
  const customers = await customersOf(context, subscriber, old.value)
  const successors = await readSuccessors(context, subscriber, customers)
  if (!successors.ok && isRefusal(successors.failure)) return successors
  if (!successors.ok && successors.failure.code === accountAway) return successors
  const sides = { old: old.value === undefined ? ('missing' as const) : sideOf(old.value) }
  const about = { old: old.value, oldAccount, customer: customers[0] }
  if (!successors.ok) return success({ ...about, sides: { ...sides, successors: undefined }, successors: [] })
  if (successors.value.some(isAlive) || (old.value !== undefined && !wasHeld(old.value)))
    return success({ ...about, sides: { ...sides, successors: told(successors.value) }, successors: successors.value })
  const missed = await readMissed(context, { subscriber, source, old: old.value }, customers)
  if (!missed.ok) return missed
  const { found, isErased } = missed.value
  const known = new Set(successors.value.map(({ id }) => id))
  const all = [...successors.value, ...found.filter(({ id }) => !known.has(id))]
  const hadOne = old.value !== undefined && (isKept(old.value) || isSettled(old.value))
  const unseen = hadOne && all.length === 0 && !isErased
  return success({ ...about, sides: { ...sides, successors: told(all), unseen }, successors: all })
}

/** Whether it may have a successor. One that bills in its own account has none. */
function wasHeld(old: StripeObject): boolean {
  return isOnHold(old) || isOver(old)
}

function told(successors: readonly StripeObject[]): NonNullable<LiveSides['successors']> {
  return successors.map((one) => ({ id: one.id ?? '', live: isAlive(one) }))
}

/**
 * Looks for a successor that the customer's list does not show, or shows only as ended: by the ids
 * in the store and in the comment of a settle, whatever marks it has, and under the customer that
 * the copy map names. An erased customer has no subscription any more.
 */
async function readMissed(
  context: InboxContext,
  {
    subscriber,
    source,
    old,
  }: { readonly subscriber: SubscriberKey; readonly source: string; readonly old: StripeObject | undefined },
  customers: readonly string[],
): Promise<Outcome<{ readonly found: readonly StripeObject[]; readonly isErased: boolean }>> {
  const { target } = context.accounts
  const record = await context.store.subscriber(subscriber)
  const found: StripeObject[] = []
  const ids = [record?.facts['successor'], old === undefined ? undefined : settledAs(old)]
  for (const id of new Set(ids.filter((one) => typeof one === 'string'))) {
    const one = await readOld(context, target, id)
    if (!one.ok) return one
    if (one.value !== undefined) found.push(one.value)
  }
  const copies = new Set<string>()
  for await (const row of context.store.copyMap(source))
    if (customers.includes(row.customerOld) && !customers.includes(row.customerNew)) copies.add(row.customerNew)
  const elsewhere = await readSuccessors(context, subscriber, [...copies])
  if (!elsewhere.ok) return elsewhere
  addAll(
    found,
    elsewhere.value.filter(({ id }) => !found.some((one) => one.id === id)),
  )
  if (found.length > 0) return success({ found, isErased: false })
  for (const customer of [...customers, ...copies]) {
    const one = await read(context, target, `/v1/customers/${customer}`)
    if (one.ok && one.value['deleted'] === true) return success({ found: [], isErased: true })
    if (!one.ok && one.failure.code !== 'resource_missing') return one
  }
  return success({ found: [], isErased: false })
}

/**
 * Reads a subscriber whose source has another name now. The source that has the subscription is
 * the one; without such a source, nothing is decided.
 */
async function readRenamed(context: InboxContext, subscriber: SubscriberKey): Promise<Outcome<ReadSides>> {
  const { source, subscription } = splitSubscriberKey(subscriber)
  for (const [name, account] of context.accounts.sources) {
    const old = await readOld(context, account, subscription)
    if (!old.ok) return old
    if (old.value !== undefined) return readSides(context, subscriberKey(name, subscription))
  }
  return failed({
    kind: 'rejected',
    code: 'source_unknown',
    message: `the project has no source ${source}, and no source has ${subscription}`,
    status: 0,
  })
}

/**
 * Reads a subscription that was created in the target itself, for instance when the member
 * subscribed again. It has no old side.
 */
async function readTarget(context: InboxContext, subscription: string): Promise<Outcome<ReadSides>> {
  const read = await readOld(context, context.accounts.target, subscription)
  if (!read.ok) return read
  const from = read.value === undefined ? undefined : markOf(read.value)
  // It succeeds an old subscription, which must end with it.
  if (from !== undefined && !from.startsWith(`${targetAccount}/`)) return readSides(context, from as SubscriberKey)
  const successors = read.value === undefined ? [] : [read.value]
  return success({
    sides: { old: 'missing', successors: successors.map((one) => ({ id: one.id ?? '', live: isAlive(one) })) },
    old: undefined,
    oldAccount: undefined,
    successors,
    customer: idOf(read.value?.['customer']),
  })
}

async function readOld(
  context: InboxContext,
  account: StripeAccount,
  subscription: string,
): Promise<Outcome<StripeObject | undefined>> {
  const answer = await read(context, account, `/v1/subscriptions/${subscription}`)
  if (answer.ok) return answer
  return answer.failure.code === 'resource_missing' ? success(undefined) : answer
}

async function readSuccessors(
  context: InboxContext,
  subscriber: string,
  customers: readonly string[],
): Promise<Outcome<readonly StripeObject[]>> {
  const found: StripeObject[] = []
  for (const customer of customers) {
    const theirs = await subscriptionsOf(context.accounts.target, customer)
    if (!theirs.ok) return theirs
    addAll(
      found,
      theirs.value.filter((one) => isSuccessorOf(one, subscriber)),
    )
  }
  return success(found)
}

/** Every subscription of a customer in one account, including ended ones. */
export function subscriptionsOf(account: StripeAccount, customer: string): Promise<Outcome<readonly StripeObject[]>> {
  return listed(account, '/v1/subscriptions', { customer, status: 'all' }, `${account.name}_unreadable`)
}

export function isSuccessorOf(one: StripeObject, subscriber: string): boolean {
  const mark = markOf(one)
  return mark !== undefined && oldIdOf(mark) === oldIdOf(subscriber)
}

function markOf(subscription: StripeObject): string | undefined {
  const { metadata } = subscription
  const mark = isJsonObject(metadata) ? metadata[markFrom] : undefined
  return typeof mark === 'string' ? mark : undefined
}

function sideOf(old: StripeObject): LiveSides['old'] {
  if (isAlive(old)) return 'live'
  return isSettled(old) ? 'cancelled_by_us' : 'cancelled'
}

/**
 * A PAN copy keeps the customer's id. When the old account no longer has the subscription, the
 * grant still names the customer.
 */
async function customersOf(
  context: InboxContext,
  subscriber: string,
  old: StripeObject | undefined,
): Promise<readonly string[]> {
  const known = idOf(old?.['customer'])
  if (known !== undefined) return [known]
  return [...new Set((await context.inbox.grants({ subscriber })).map((grant) => grant.customer))]
}
