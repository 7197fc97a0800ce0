import { targetAccount } from '../../catalog/types.ts'
import { splitSubscriberKey, type SubscriberKey } from '../../core/address.ts'
import type { StripeObject } from '../../core/json.ts'
import { hasHoldMark, isAlive } from '../../live/subscription.ts'
import { isUnfinished } from '../handover/hand-over.ts'
import type { StripeAccount } from '../ports.ts'
import { read } from '../send/perform.ts'
import type { InboxContext } from './context.ts'
import { isSuccessorOf } from './live-sides.ts'

/** A subscription that certainly bills the subscriber, as the account shows it now. */
export interface Payer {
  readonly account: StripeAccount
  readonly subscription: StripeObject
}

/**
 * Finds the subscription that bills the subscriber by its id, with one read. It ends first, so that
 * nothing is charged while both accounts are read. The read decides; the store only says where to
 * look.
 *
 * | the store says          | read                   | the payer, if it is                      |
 * |-------------------------|------------------------|------------------------------------------|
 * | moved or settled        | the recorded successor | alive, and marked for this subscriber    |
 * | nothing, or not moved   | the old subscription   | alive, and never held                    |
 * | a hand-over in progress |                        | unknown                                  |
 *
 * @returns undefined when this is unknown: then both accounts are read before anything ends
 */
export async function payerOf(context: InboxContext, subscriber: SubscriberKey): Promise<Payer | undefined> {
  const { source, subscription } = splitSubscriberKey(subscriber)
  const record = await context.store.subscriber(subscriber)
  if (record !== undefined && isUnfinished(record)) return undefined
  const { target, sources } = context.accounts
  const isMoved = record?.phase === 'moved' || record?.phase === 'settled'
  const successor = record?.facts['successor']
  const account = isMoved ? target : sources.get(source)
  const id = isMoved ? successor : subscription
  if (source === targetAccount || account === undefined || typeof id !== 'string') return undefined
  const one = await read(context, account, `/v1/subscriptions/${id}`)
  if (!one.ok || one.value.id !== id || !isAlive(one.value)) return undefined
  const pays = isMoved ? isSuccessorOf(one.value, subscriber) : !hasHoldMark(one.value)
  return pays ? { account, subscription: one.value } : undefined
}
