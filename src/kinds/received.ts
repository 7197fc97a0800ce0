import type { JsonObject } from '../core/json.ts'
import { namesInText } from './ends.ts'
import type { Ending, Left } from './kind.ts'

const everything = '*'

/** Whether a receiver gets whole objects (`snapshot`) or only their ids (`thin`). */
function payloadOf(receiver: JsonObject): string {
  const payload = receiver['event_payload']
  return typeof payload === 'string' ? payload : 'snapshot'
}

function eventsOf(receiver: JsonObject): readonly string[] {
  const events = receiver['enabled_events']
  return Array.isArray(events) ? (events as readonly string[]) : []
}

/** The events that nobody receives in this form when a receiver is taken out of use. */
export function eventsUnreceived(receiver: JsonObject, { inUse }: Pick<Left, 'inUse'>): readonly Ending[] {
  const others = [...inUse('webhook_endpoint'), ...inUse('event_destination')]
    .filter((one) => payloadOf(one) === payloadOf(receiver))
    .flatMap(eventsOf)
  if (others.includes(everything)) return []
  const lost = eventsOf(receiver).filter((name) => !others.includes(name))
  if (lost.length === 0) return []
  const message = lost.includes(everything)
    ? 'nobody receives the events that no other endpoint has'
    : `nobody receives ${lost.length === 1 ? 'this event' : `these ${lost.length} events`} any more: ${namesInText(lost)}`
  return [{ what: 'events', message, objects: lost }]
}
