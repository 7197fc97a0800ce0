import { signalKeys, type Signal } from '../../cancel/signal.ts'
import { instant } from '../../core/instant.ts'
import { accessOf } from '../access/remember.ts'
import type { InboxContext } from './context.ts'

export interface Accepted {
  readonly id: string
  readonly duplicate: boolean
}

/**
 * Takes a signal in: bound to its subscriber now, so that a late retry never hits a subscription
 * made afterwards, and durable before this returns. It asks nobody outside, since the sender waits
 * and the outside may be down.
 */
export async function acceptSignal(
  context: Pick<InboxContext, 'accounts' | 'inbox' | 'clock' | 'access'>,
  arrival: Signal,
): Promise<Accepted> {
  // Grants and subscriptions are dated by Stripe: a wish must not look older than what it is about
  // because this machine's clock is behind.
  const receivedAt = instant(Math.max(arrival.receivedAt, context.accounts.target.now()))
  const signal = await bind(context, { ...arrival, receivedAt })
  return context.inbox.accept({ keys: signalKeys(signal), signal, at: context.clock() })
}

/**
 * The offer named by the tag, and the subscriber that was granted it. Two subscribers stay unbound:
 * the worker finds out, or asks.
 */
async function bind(context: Pick<InboxContext, 'inbox' | 'access'>, signal: Signal): Promise<Signal> {
  const offer = signal.offer ?? offerOfTag(context, signal.tag)
  const named = offer === undefined ? signal : { ...signal, offer }
  if (named.subscriber !== undefined || offer === undefined) return named
  const filter =
    named.contact !== undefined
      ? { contact: named.contact }
      : named.customer === undefined
        ? undefined
        : { customer: named.customer }
  if (filter === undefined) return named
  const grants = await accessOf(context.inbox, filter)
  // A customer beside the contact that is another person's: the worker finds out, and asks.
  const { contact, customer } = named
  if (
    contact !== undefined &&
    customer !== undefined &&
    grants.length > 0 &&
    !grants.some((grant) => grant.customer === customer)
  )
    return named
  // What was given after the wish cannot be what was meant.
  const meant = grants.filter((grant) => grant.offer === offer && grant.grantedAt <= named.receivedAt)
  const subscribers = new Set(meant.flatMap((grant) => grant.subscribers))
  const [only, ...others] = subscribers
  return only === undefined || others.length > 0 ? named : { ...named, subscriber: only }
}

function offerOfTag(context: Pick<InboxContext, 'access'>, tag: string | undefined): string | undefined {
  if (tag === undefined) return undefined
  return Object.entries(context.access.offers).find(([, offer]) => offer.cancel_tags?.includes(tag))?.[0]
}
