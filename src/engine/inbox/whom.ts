import { choose, type Candidate, type Choice } from '../../cancel/decide.ts'
import type { Signal } from '../../cancel/signal.ts'
import type { SubscriberKey } from '../../core/address.ts'
import { isJsonObject, type StripeObject } from '../../core/json.ts'
import { failed, success, type Outcome } from '../../core/outcome.ts'
import { markFrom, priceKey, undoneComment } from '../../live/marks.ts'
import { accessOf } from '../access/remember.ts'
import type { InboxContext } from './context.ts'
import { isLive, readSides, targetUnreadable } from './live-sides.ts'
import type { Grant } from '../grants.ts'

/**
 * Whom a verified signal means. Bound when it was accepted: that one, and nobody else. Otherwise by the ids stored when access was granted or seen, and by the
 * customer the signal brought along; never by an e-mail address.
 */
export async function whomItMeans(context: InboxContext, signal: Signal): Promise<Outcome<Choice>> {
  if (signal.subscriber !== undefined) {
    const one = { choice: 'one', subscriber: signal.subscriber } as const
    return signal.source === 'relay' ? provenOffer(context, signal, one) : success(one)
  }
  const candidates = new Map<string, Candidate>()
  const { contact, customer: brought } = signal
  const filter = contact === undefined ? brought !== undefined && { customer: brought } : { contact }
  const mine = filter === false ? [] : await accessOf(context.inbox, filter)
  for (const grant of mine) {
    for (const subscriber of grant.subscribers) {
      const known = candidates.get(subscriber)
      const offers = [...new Set([...(known?.offers ?? []), grant.offer])]
      const newerThanSignal = grant.grantedAt > signal.receivedAt
      candidates.set(subscriber, { subscriber, offers, live: true, newerThanSignal })
    }
  }
  const noted = await customerOf(context, signal, mine)
  if (!noted.ok) return noted
  const customer = noted.value
  if (customer !== undefined) {
    const marked = await markedSubscriptions(context, customer)
    if (!marked.ok) return marked
    for (const [subscriber, one] of marked.value) {
      const known = candidates.get(subscriber)
      candidates.set(subscriber, {
        subscriber,
        offers: known?.offers ?? offersOf(context, one),
        live: isLive(one) || isTakenBack(one),
        newerThanSignal: typeof one['created'] === 'number' && one['created'] > signal.receivedAt,
      })
    }
  }
  return success(choose([...candidates.values()], signal.offer))
}

/** A relay may name the subscription itself; the offer that it must name, too, has to be one that this subscription gives. */
async function provenOffer(
  context: InboxContext,
  { subscriber = '', offer }: Signal,
  one: Extract<Choice, { choice: 'one' }>,
): Promise<Outcome<Choice>> {
  const grants = await context.inbox.grants({ subscriber })
  if (grants.some((grant) => grant.offer === offer)) return success(one)
  const both = await readSides(context, subscriber as SubscriberKey)
  if (!both.ok) return both
  const { successors, sides } = both.value
  if (sides.successors === undefined) return failed(targetUnreadable)
  const offers = [...grants.map((grant) => grant.offer), ...successors.flatMap((each) => offersOf(context, each))]
  if (offer !== undefined && offers.includes(offer)) return success(one)
  // Of an old subscription that was never granted anything nobody can tell what it gives: a person decides.
  return success({ choice: 'none', reason: offers.length === 0 ? 'nobody' : 'no_match_for_offer' })
}

/** Whose contact it is: as the grant remembers, or, when the store was lost, as Crossbill noted it on the contact in Kajabi. */
async function customerOf(
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

/** Successors of this customer by mark; the newest object of a mark stands for it. */
async function markedSubscriptions(
  context: InboxContext,
  customer: string,
): Promise<Outcome<ReadonlyMap<string, StripeObject>>> {
  const found = new Map<string, StripeObject>()
  try {
    const list = context.accounts.target.list('/v1/subscriptions', { customer, status: 'all' })
    for await (const one of list) {
      const mark = isJsonObject(one['metadata']) ? one['metadata'][markFrom] : undefined
      if (typeof mark !== 'string') continue
      const known = found.get(mark)
      if (known === undefined || isLive(one)) found.set(mark, one)
    }
    return success(found)
  } catch (error) {
    return unreadable(error)
  }
}

/** Taken back by us: the old subscription is theirs again, and both sides are read before anything is cancelled. */
function isTakenBack({ cancellation_details: details }: StripeObject): boolean {
  const comment = isJsonObject(details) ? details['comment'] : undefined
  return typeof comment === 'string' && comment.startsWith(undoneComment)
}

/**
 * Whether the customer has any live subscription in the target that gives the offer, whoever made it: somebody who left and subscribed again keeps what they
 * pay for now. `until`: only one that was made by then.
 */
export async function givesNow(
  context: InboxContext,
  customer: string,
  offer: string,
  until = Infinity,
): Promise<Outcome<boolean>> {
  try {
    const list = context.accounts.target.list('/v1/subscriptions', { customer, status: 'all' })
    for await (const one of list)
      if (isLive(one) && Number(one['created']) <= until && offersOf(context, one).includes(offer)) return success(true)
    return success(false)
  } catch (error) {
    return unreadable(error)
  }
}

function unreadable(error: unknown): Outcome<never> {
  const message = error instanceof Error ? error.message : 'the list could not be read'
  return failed({ ...targetUnreadable, message })
}

/** Offers by the catalog keys that Crossbill's prices carry. */
function offersOf(context: InboxContext, subscription: StripeObject): string[] {
  const { items } = subscription
  const data = isJsonObject(items) && Array.isArray(items['data']) ? items['data'] : []
  const prices = new Set(
    data.flatMap((item) => {
      const price = isJsonObject(item) ? item['price'] : undefined
      const key = isJsonObject(price) ? priceKey(price) : undefined
      return key === undefined ? [] : [key]
    }),
  )
  return Object.entries(context.access.offers)
    .filter(([, offer]) => offer.prices.some((price) => prices.has(price)))
    .map(([key]) => key)
}

/**
 * A tag is bound to the subscription that Crossbill knows. Where that one has ended and its customer had subscribed again before the tag was set, the wish is about the
 * new one, which is no subscriber of the migration: saying that it is done would let the member pay on.
 */
export async function subscribedAgain(
  context: InboxContext,
  { tag, offer, receivedAt }: Signal,
  customer: string | undefined,
): Promise<Outcome<boolean>> {
  if (tag === undefined || offer === undefined || customer === undefined) return success(false)
  return givesNow(context, customer, offer, receivedAt)
}
