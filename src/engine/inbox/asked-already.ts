import type { IgnoredReason } from '../../cancel/reasons.ts'
import type { SubscriberKey } from '../../core/address.ts'
import { secondsPerDay } from '../../core/instant.ts'
import { success, type Outcome } from '../../core/outcome.ts'
import type { InboxContext } from './context.ts'
import { readSides } from './live-sides.ts'
import type { InboxRow } from './port.ts'
import { verifySignal } from './truth.ts'
import { subscribedAgain } from './whom.ts'

/**
 * A request done within this time makes the next one a repeat: automations and relays send one
 * twice within minutes, people within a day.
 */
const repeatSeconds = secondsPerDay
/** The number of a person's rows that are read. */
const looked = 50

/** A repeat of an earlier request, or a request about a newer subscription. */
export type Repeat = { readonly reason: IgnoredReason } | { readonly newer: string } | undefined

/**
 * Decides whether a signal that matches no subscription can be ignored without asking a person. An
 * earlier signal of the same request may already have removed the access that identified its
 * subscriber.
 *
 * | an earlier signal of the same person and tag or offer | then                              |
 * | ----------------------------------------------------- | --------------------------------- |
 * | waits, and its subscriber is known                    | a repeat                          |
 * | was accepted before this one, and waits               | a repeat                          |
 * | came from a relay and was done within a day           | a repeat, unless subscribed again |
 * | … and was of another customer than this one names     | no repeat: a person decides       |
 * | none of these, and the contact lacks the tag          | the tag's request is over         |
 *
 * An earlier dead letter does not make this signal a repeat: a person may have handled it, and the
 * tag may have been set again.
 */
export async function askedAlready(
  context: InboxContext,
  row: Pick<InboxRow, 'id' | 'signal' | 'acceptedAt'>,
): Promise<Outcome<Repeat>> {
  const { signal } = row
  const { contact, customer, tag } = signal
  const all = await context.inbox.about({ contact, customer }, looked)
  const same = all.filter((one) => one.id !== row.id && isSameRequest(one.signal, signal))
  if (same.some((one) => isWaiting(one) && (knowsWhom(one) || isBefore(one, row)))) return repeat
  const since = row.acceptedAt - repeatSeconds
  // Crossbill removed the tag after the earlier request, so a tag on the contact was set again.
  const done =
    tag !== undefined ? undefined : same.find(({ now, updatedAt }) => now.state === 'done' && updatedAt >= since)
  if (done !== undefined) {
    return afterDone(context, done, signal)
  }
  if (tag === undefined) return success(undefined)
  const truth = await verifySignal(context, signal)
  return success(truth.truth === 'false' ? { reason: truth.reason } : undefined)
}

/**
 * The same tag and offer, and no id that names another person: a relay may send one wrong id with
 * every request.
 */
function isSameRequest(one: InboxRow['signal'], other: InboxRow['signal']): boolean {
  const agree = (name: 'contact' | 'customer' | 'subscriber'): boolean =>
    one[name] === undefined || other[name] === undefined || one[name] === other[name]
  return (
    one.tag === other.tag && one.offer === other.offer && agree('contact') && agree('customer') && agree('subscriber')
  )
}

const repeat = success({ reason: 'asked_already' } as const)

/**
 * A request after one that is done: a repeat, unless it is about another customer or a newer
 * purchase.
 */
async function afterDone(context: InboxContext, done: InboxRow, signal: InboxRow['signal']): Promise<Outcome<Repeat>> {
  const subscriber = done.signal.subscriber ?? done.facts['subscriber']
  if (typeof subscriber !== 'string') return repeat
  if (signal.subscriber !== undefined && signal.subscriber !== subscriber) return success(undefined)
  const both = await readSides(context, subscriber as SubscriberKey)
  if (!both.ok) return both
  const { customer } = both.value
  if (signal.customer !== undefined && customer !== undefined && signal.customer !== customer) return success(undefined)
  const newer = await subscribedAgain(context, signal, customer)
  if (!newer.ok) return newer
  return newer.value === undefined ? repeat : success({ newer: newer.value })
}

function isWaiting({ now }: InboxRow): boolean {
  return now.state !== 'done' && now.state !== 'ignored' && now.state !== 'dead'
}

/**
 * When neither of two signals has a known subscriber, the later one yields to the earlier. Without
 * this order each could yield to the other.
 */
function isBefore(one: Pick<InboxRow, 'id' | 'acceptedAt'>, other: Pick<InboxRow, 'id' | 'acceptedAt'>): boolean {
  return one.acceptedAt === other.acceptedAt ? one.id < other.id : one.acceptedAt < other.acceptedAt
}

function knowsWhom({ signal, facts }: InboxRow): boolean {
  return signal.subscriber !== undefined || typeof facts['subscriber'] === 'string'
}
