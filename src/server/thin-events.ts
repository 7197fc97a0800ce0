import { thinEvent } from '../cancel/stripe-event.ts'
import { heardEvents } from '../catalog/service-endpoint.ts'
import { targetAccount } from '../catalog/types.ts'
import type { JsonObject } from '../core/json.ts'
import type { ServerContext } from './context.ts'

/**
 * A thin event names the snapshot of the same event, which is read here: the signal then has the
 * snapshot's id, so that a second destination with snapshots delivers a duplicate. `unread`: Stripe
 * does not answer now, and the sender must try again. A thin event without a snapshot, or whose
 * snapshot the key may not read, stays as it is.
 */
export async function wholeEvent(
  context: Pick<ServerContext, 'eventOf'>,
  account: string,
  event: JsonObject,
): Promise<JsonObject | 'unread'> {
  const thin = thinEvent(event)
  if (thin?.snapshot === undefined) return event
  const { snapshot: id, type } = thin
  const heard: readonly string[] = heardEvents[account === targetAccount ? 'target' : 'source']
  // Without a request, as for other events that mean nothing.
  if (!heard.includes(type)) return { id, object: 'event', type, data: { object: {} } }
  const read = await context.eventOf(account, id)
  if (read.ok) return read.value['type'] === type ? read.value : event
  return read.failure.kind === 'rejected' ? event : 'unread'
}
