import { addAll } from '../../core/lists.ts'
import { isAlive, isUndone } from '../../live/subscription.ts'
import { choose, type Candidate, type Choice } from '../../cancel/decide.ts'
import type { Signal } from '../../cancel/signal.ts'
import { targetAccount } from '../../catalog/types.ts'
import { splitSubscriberKey, type SubscriberKey } from '../../core/address.ts'
import { isJsonObject, type StripeObject } from '../../core/json.ts'
import { failed, success, type Outcome } from '../../core/outcome.ts'
import { markFrom, oldIdOf } from '../../live/marks.ts'
import { accessOf } from '../access/remember.ts'
import type { InboxContext } from './context.ts'
import { offersOf, givenBy } from './gives.ts'
import { readSides, subscriptionsOf, targetUnreadable } from './live-sides.ts'
import type { Grant } from '../grants.ts'

/**
 * Finds the subscriber that a verified signal means. A signal bound at acceptance means that
 * subscriber only. Otherwise the ids decide that were stored when access was granted or seen, and
 * the customer in the signal; never an e-mail address.
 */
export async function whomItMeans(context: InboxContext, signal: Signal): Promise<Outcome<Meant>> {
  if (signal.subscriber !== undefined) {
    const one = { choice: 'one', subscriber: signal.subscriber } as const
    return signal.source === 'relay' ? provenRelay(context, signal, one) : success(one)
  }
  // By old subscription: a grant may name its source otherwise than the mark.
  const candidates = new Map<string, Candidate>()
  const { contact, customer: brought } = signal
  const filter = contact === undefined ? brought !== undefined && { customer: brought } : { contact }
  const mine = filter === false ? [] : await accessOf(context.inbox, filter)
  for (const grant of mine) {
    for (const subscriber of grant.subscribers) {
      const known = candidates.get(oldIdOf(subscriber))
      const offers = [...new Set([...(known?.offers ?? []), grant.offer])]
      const newerThanSignal = grant.grantedAt > signal.receivedAt
      candidates.set(oldIdOf(subscriber), { subscriber, offers, live: true, newerThanSignal })
    }
  }
  // The request carries ids of two people, and either may be the wrong one.
  if (
    contact !== undefined &&
    brought !== undefined &&
    mine.length > 0 &&
    !mine.some((grant) => grant.customer === brought)
  )
    return success({ choice: 'none', reason: 'contradicting_ids' })
  const noted = await customerNamed(context, signal, mine)
  if (!noted.ok) return noted
  const customer = noted.value
  if (customer !== undefined) {
    const marked = await markedSubscriptions(context, customer)
    if (!marked.ok) return marked
    for (const [old, { subscriber, one }] of marked.value) {
      const known = candidates.get(old)
      candidates.set(old, {
        subscriber: known?.subscriber ?? subscriber,
        offers: known?.offers ?? (await offersOf(context, targetAccount, one)),
        // A reverted move: the old subscription bills again, and both sides are read before
        // anything is cancelled.
        live: isAlive(one) || isUndone(one),
        newerThanSignal: typeof one['created'] === 'number' && one['created'] > signal.receivedAt,
      })
    }
  }
  return success({ ...choose([...candidates.values()], signal.offer), customer })
}

/** The subscriber that a signal means, with the customer found along with it. */
export type Meant = (Choice | { readonly choice: 'none'; readonly reason: 'contradicting_ids' }) & {
  readonly customer?: string | undefined
}

/**
 * A relay may name the subscription itself. The subscription must give the offer that the relay
 * also names, and its customer must match the contact or customer in the request: of two
 * contradicting ids, either may be wrong.
 */
async function provenRelay(
  context: InboxContext,
  signal: Signal,
  one: Extract<Choice, { choice: 'one' }>,
): Promise<Outcome<Meant>> {
  const { subscriber = '', offer, contact, customer } = signal
  const grants = await context.inbox.grants({ subscriber })
  const knownBy = grants.find((grant) => contact === undefined || grant.contact === contact)
  const sameCustomer = customer === undefined || grants.some((grant) => grant.customer === customer)
  if (knownBy !== undefined && sameCustomer && grants.some((grant) => grant.offer === offer)) return success(one)
  const both = await readSides(context, subscriber as SubscriberKey)
  if (!both.ok) return both
  const { successors, sides, old, customer: owner } = both.value
  if (sides.successors === undefined) return failed(targetUnreadable)
  const same = await samePerson(context, signal, { owner, contacts: grants.map((grant) => grant.contact) })
  if (!same.ok) return same
  if (!same.value) return success({ choice: 'none', reason: 'contradicting_ids' })
  const { source } = splitSubscriberKey(subscriber as SubscriberKey)
  const offers = grants.map((grant) => grant.offer)
  for (const each of successors) addAll(offers, await offersOf(context, targetAccount, each))
  if (old !== undefined) addAll(offers, await offersOf(context, source, old))
  if (offer !== undefined && offers.includes(offer)) return success({ ...one, customer: owner })
  // Neither a mark nor a mapping names the prices, so only a person knows what the subscription
  // gives.
  return success({ choice: 'none', reason: offers.length === 0 ? 'nobody' : 'no_match_for_offer', customer: owner })
}

/**
 * Checks that every id the relay sent belongs to the owner, as far as the grants, the accounts and
 * Kajabi show.
 */
async function samePerson(
  context: InboxContext,
  { contact, customer }: Signal,
  { owner, contacts }: { readonly owner: string | undefined; readonly contacts: readonly string[] },
): Promise<Outcome<boolean>> {
  if (customer !== undefined && owner !== undefined && customer !== owner) return success(false)
  if (contact === undefined || contacts.includes(contact)) return success(true)
  // The subscription belongs to another contact.
  if (contacts.length > 0) return success(false)
  const theirs = await accessOf(context.inbox, { contact })
  if (theirs.length > 0) return success(theirs.some((grant) => grant.customer === owner))
  const noted = await context.kajabi?.externalId(contact)
  if (noted === undefined) return success(true)
  if (!noted.ok) return noted.failure.code === 'not_found' ? success(false) : noted
  return success(noted.value === undefined || noted.value === owner)
}

/**
 * Finds the customer of a contact from the grant or, when the store was lost, from the id that
 * Crossbill wrote on the contact in Kajabi.
 */
async function customerNamed(
  { kajabi }: InboxContext,
  signal: Signal,
  grants: readonly Grant[],
): Promise<Outcome<string | undefined>> {
  const known = grants[0]?.customer ?? signal.customer
  if (known !== undefined || signal.contact === undefined || kajabi === undefined) return success(known)
  const noted = await kajabi.externalId(signal.contact)
  if (!noted.ok) return noted.failure.code === 'not_found' ? success(undefined) : noted
  return success(noted.value?.startsWith('cus_') === true ? noted.value : undefined)
}

/**
 * Successors of this customer by old subscription. A live one wins over an ended one. The name of
 * the account in a mark is the one of the time of the move.
 */
async function markedSubscriptions(
  context: InboxContext,
  customer: string,
): Promise<Outcome<ReadonlyMap<string, { readonly subscriber: string; readonly one: StripeObject }>>> {
  const theirs = await subscriptionsOf(context.accounts.target, customer)
  if (!theirs.ok) return theirs
  const found = new Map<string, { readonly subscriber: string; readonly one: StripeObject }>()
  for (const one of theirs.value) {
    const mark = isJsonObject(one['metadata']) ? one['metadata'][markFrom] : undefined
    if (typeof mark !== 'string') continue
    if (!found.has(oldIdOf(mark)) || isAlive(one)) found.set(oldIdOf(mark), { subscriber: mark, one })
  }
  return success(found)
}

/**
 * Checks for a newer subscription. A request is bound to the subscription that Crossbill knows.
 * When that one has ended and the customer subscribed again before the request was sent, the
 * request means the newer one: reporting it as done would let the member keep paying. A link and an
 * operator name one subscription and mean no other.
 * @returns the newer subscription
 */
export async function subscribedAgain(
  context: InboxContext,
  { source, contact, customer: named, offer, receivedAt }: Signal,
  customer: string | undefined,
): Promise<Outcome<string | undefined>> {
  if (!isAboutAPerson(source) || (contact ?? named) === undefined) return success(undefined)
  if (offer === undefined || customer === undefined) return success(undefined)
  return givenBy(context, customer, offer, (one) => isAlive(one) && Number(one['created']) <= receivedAt)
}

/** Whether the sender knows a person and an offer; a link and an operator name a subscription. */
export function isAboutAPerson(source: Signal['source']): boolean {
  return source === 'hook' || source === 'poller' || source === 'relay'
}
