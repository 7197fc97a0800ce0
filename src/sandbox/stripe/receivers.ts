// Who receives the events of an account: webhook endpoints, and event destinations that are one.
// https://docs.stripe.com/event-destinations
import type { Json } from '../../core/json.ts'
import type { Context } from '../kernel/context.ts'
import { apiVersion, type EventRow } from '../kernel/events.ts'
import { coupons, renderCoupon } from './coupons.ts'
import { destinations, type DestinationRow } from './event-destinations.ts'
import { renderEvent } from './events.ts'
import { inVersion } from './older-shapes.ts'
import { endpoints, type EndpointRow } from './webhook-endpoints.ts'

export interface Receiver {
  readonly id: string
  readonly url: string
  readonly secret: string
  readonly hears: (type: string) => boolean
  /** What it is sent for an event. */
  readonly body: (context: Context, event: EventRow) => object
}

/** The receivers in use. */
export function receiversIn(context: Context): readonly Receiver[] {
  const found = [...context.table(endpoints).all()].filter(({ status }) => status === 'enabled').map(ofEndpoint)
  const own = [...context.table(destinations).all()].filter(
    ({ status, events_from: from }) => status === 'enabled' && from.includes('@self'),
  )
  return [...found, ...own.flatMap(ofDestination)]
}

export function receiver(context: Context, id: string): Receiver | undefined {
  const endpoint = context.table(endpoints).get(id)
  if (endpoint !== undefined) return ofEndpoint(endpoint)
  const destination = context.table(destinations).get(id)
  return destination === undefined ? undefined : ofDestination(destination)[0]
}

function ofEndpoint({ id, url, secret, enabled_events: names, api_version: version }: EndpointRow): Receiver {
  return { id, url, secret, hears: among(names, ''), body: snapshotIn(version ?? apiVersion) }
}

/** EventBridge and Event Grid do not receive over HTTP. */
function ofDestination(row: DestinationRow): readonly Receiver[] {
  const { id, url, secret, enabled_events: names, event_payload: payload, snapshot_api_version: version } = row
  if (url === undefined) return []
  return [
    payload === 'thin'
      ? { id, url, secret, hears: among(names, thinPrefix), body: thin }
      : { id, url, secret, hears: among(names, ''), body: snapshotIn(version ?? apiVersion) },
  ]
}

/** Thin events of the first version of the API: `v1.customer.created`. */
const thinPrefix = 'v1.'

function among(names: readonly string[], prefix: string): Receiver['hears'] {
  return (type) => names.includes('*') || names.includes(`${prefix}${type}`)
}

function snapshotIn(version: string): Receiver['body'] {
  return (context, event) => {
    const shown = renderEvent(context, event)
    const data = inVersion(shown.data, version, (id) => couponNow(context, id))
    return context.world.expander.shape(context, { ...shown, api_version: version, data }, [])
  }
}

function couponNow(context: Context, id: string): Json {
  const row = context.table(coupons).get(id)
  return row === undefined ? { id, object: 'coupon' } : (renderCoupon(context, row) as unknown as Json)
}

/** Names the object and the snapshot of the same event, and has no data of them. */
function thin(context: Context, { id, created, type, object, request }: EventRow): object {
  return {
    id: id.replace('evt_', 'evt_65'),
    object: 'v2.core.event',
    created: new Date(created * 1_000).toISOString(),
    livemode: context.livemode,
    reason: request.id === null ? null : { type: 'request', request },
    related_object: related(object),
    snapshot_event: id,
    type: `${thinPrefix}${type}`,
  }
}

/** `/v1/subscriptions/sub_1`; null for an object without an address of its own. */
function related(object: object): object | null {
  const { id, object: type } = object as { readonly id?: unknown; readonly object?: unknown }
  if (typeof id !== 'string' || typeof type !== 'string') return null
  return { id, type, url: `/v1/${type.replaceAll('.', '/')}s/${id}` }
}
