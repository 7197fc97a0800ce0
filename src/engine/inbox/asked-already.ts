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
 * How long ago a wish may have been done for the next one to be its repeat: automations and relays
 * send one twice within minutes, people within a day.
 */
const repeatSeconds = secondsPerDay
/** Rows of one person that are looked at. */
const looked = 50

/** A repeat of an earlier wish, or a wish about a newer subscription. */
export type Repeat = { readonly reason: IgnoredReason } | { readonly newer: string } | undefined

/**
 * Why a signal that is found to mean nobody needs no person. The access that told whose it is may
 * be gone by an earlier signal of the same wish.
 *
 * | an earlier signal of the same person, and of the same tag or offer | then                                                       |
 * |---------------------------------------------------------------------|------------------------------------------------------------|
 * | waits and knows whom it means                                       | this one is its repeat                                     |
 * | came before this one, and waits                                     | this one is its repeat                                     |
 * | is a relay's, done in a day                                          | a repeat, unless the customer pays for the offer again     |
 * | none of these, and the tag is not on the contact                    | the tag's wish is over                                     |
 *
 * An earlier dead letter swallows nothing: it may have been dealt with by hand, and the tag set
 * anew.
 */
export async function askedAlready(
  context: InboxContext,
  row: Pick<InboxRow, 'id' | 'signal' | 'acceptedAt'>,
): Promise<Outcome<Repeat>> {
  const { signal } = row
  const { contact, customer, tag } = signal
  const all = await context.inbox.about({ contact, customer }, looked)
  const same = all.filter((one) => one.id !== row.id && one.signal.tag === tag && one.signal.offer === signal.offer)
  if (same.some((one) => isWaiting(one) && (knowsWhom(one) || isBefore(one, row)))) return repeat
  const since = row.acceptedAt - repeatSeconds
  // A tag that is there again was set again: we took the earlier one off.
  const done =
    tag !== undefined ? undefined : same.find(({ now, updatedAt }) => now.state === 'done' && updatedAt >= since)
  if (done !== undefined) {
    const newer = await newerThan(context, done, signal)
    if (!newer.ok) return newer
    return newer.value === undefined ? repeat : success({ newer: newer.value })
  }
  if (tag === undefined) return success(undefined)
  const truth = await verifySignal(context, signal)
  return success(truth.truth === 'false' ? { reason: truth.reason } : undefined)
}

const repeat = success({ reason: 'asked_already' } as const)

async function newerThan(
  context: InboxContext,
  done: InboxRow,
  signal: InboxRow['signal'],
): Promise<Outcome<string | undefined>> {
  const subscriber = done.signal.subscriber ?? done.facts['subscriber']
  if (typeof subscriber !== 'string') return success(undefined)
  const both = await readSides(context, subscriber as SubscriberKey)
  return both.ok ? subscribedAgain(context, signal, both.value.customer) : both
}

function isWaiting({ now }: InboxRow): boolean {
  return now.state !== 'done' && now.state !== 'ignored' && now.state !== 'dead'
}

/**
 * Of two that do not know whom they mean, the later leaves it to the earlier, never both to each
 * other.
 */
function isBefore(one: Pick<InboxRow, 'id' | 'acceptedAt'>, other: Pick<InboxRow, 'id' | 'acceptedAt'>): boolean {
  return one.acceptedAt === other.acceptedAt ? one.id < other.id : one.acceptedAt < other.acceptedAt
}

function knowsWhom({ signal, facts }: InboxRow): boolean {
  return signal.subscriber !== undefined || typeof facts['subscriber'] === 'string'
}
