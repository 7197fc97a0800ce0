import { signalKeys, type Signal } from '../../cancel/signal.ts'
import { instant } from '../../core/instant.ts'
import { accessOf } from '../access/remember.ts'
import type { Grant } from '../grants.ts'
import type { InboxContext } from './context.ts'

export interface Accepted {
  readonly id: string
  readonly duplicate: boolean
}

/**
 * Stores a signal durably before it returns. It binds the signal to its subscriber now, so that a
 * late retry cannot cancel a subscription created afterwards. It calls no outside service: the
 * sender is waiting, and the service may be down.
 */
export async function acceptSignal(
  context: Pick<InboxContext, 'accounts' | 'inbox' | 'clock' | 'access'>,
  arrival: Signal,
): Promise<Accepted> {
  const grants = await grantsOf(context, arrival)
  // Stripe dates grants and subscriptions. When this machine's clock is behind, or Stripe has not
  // answered since the start, a request must still not look older than the subscription it is
  // about: what the store knows already happened before the request arrived.
  const known = grants.map(({ grantedAt }) => grantedAt).filter((at) => at > context.clock())
  const receivedAt = instant(Math.max(arrival.receivedAt, context.accounts.target.now(), ...known))
  const signal = bind(context, { ...arrival, receivedAt }, grants)
  return context.inbox.accept({ keys: signalKeys(signal), signal, at: context.clock() })
}

async function grantsOf({ inbox }: Pick<InboxContext, 'inbox'>, signal: Signal): Promise<readonly Grant[]> {
  const { contact, customer } = signal
  if (contact !== undefined) return accessOf(inbox, { contact })
  return customer === undefined ? [] : accessOf(inbox, { customer })
}

/**
 * Adds the offer that the tag names and the subscriber that was granted it. When two subscribers
 * match, the signal stays unbound: the worker decides or asks a person.
 */
function bind(context: Pick<InboxContext, 'access'>, signal: Signal, grants: readonly Grant[]): Signal {
  const offer = signal.offer ?? offerOfTag(context, signal.tag)
  const named = offer === undefined ? signal : { ...signal, offer }
  if (named.subscriber !== undefined || offer === undefined) return named
  // The signal names a customer and a contact that belong to different people. The worker decides
  // or asks.
  const { contact, customer } = named
  if (
    contact !== undefined &&
    customer !== undefined &&
    grants.length > 0 &&
    !grants.some((grant) => grant.customer === customer)
  )
    return named
  // An offer granted after the request cannot be the one that was meant.
  const meant = grants.filter((grant) => grant.offer === offer && grant.grantedAt <= named.receivedAt)
  const subscribers = new Set(meant.flatMap((grant) => grant.subscribers))
  const [only, ...others] = subscribers
  return only === undefined || others.length > 0 ? named : { ...named, subscriber: only }
}

function offerOfTag(context: Pick<InboxContext, 'access'>, tag: string | undefined): string | undefined {
  if (tag === undefined) return undefined
  return Object.entries(context.access.offers).find(([, offer]) => offer.cancel_tags?.includes(tag))?.[0]
}
