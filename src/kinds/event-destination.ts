import type Stripe from 'stripe'
import Type from 'typebox'
import { isJsonObject, type Json, type JsonObject, type StripeObject } from '../core/json.ts'
import { asSet, fixed, ignored, metadata, mutable, refused, written } from './fields.ts'
import type { FieldsOf, Kind } from './kind.ts'
import { closed, flag, listOf, metadataSchema, oneOf, optional, text, url } from './schema.ts'
import { secretSinkSchema } from './secret-sink.ts'
import { pinnedApiVersion } from './webhook-endpoint.ts'
import { eventsUnreceived } from './received.ts'

/**
 * Where events go: as snapshots of objects, as a webhook endpoint sends them, or thin, with an id
 * alone. The SDK's comments: the transport "cannot be changed by update", neither can the API
 * version of snapshots ("Thin events are not pinned"), and the signing secret is "returned only in
 * the create response when explicitly included". A destination of this API also shows as a webhook
 * endpoint where it is one; declare it in one of the two sections.
 */
const fields: FieldsOf<
  Stripe.V2.Core.EventDestination,
  Stripe.V2.Core.EventDestinationCreateParams,
  Stripe.V2.Core.EventDestinationUpdateParams,
  'disabled' | 'secret_to'
> = {
  name: mutable(),
  type: fixed(),
  event_payload: fixed(),
  enabled_events: mutable({ canonical: asSet }),
  // Stripe answers an empty text for a destination without a description.
  description: mutable({ default: '', update: (value) => ({ description: value ?? '' }) }),
  webhook_endpoint: mutable({ read: urlOf }),
  amazon_eventbridge: fixed({ read: eventBridgeOf }),
  azure_event_grid: fixed({ read: eventGridOf }),
  events_from: fixed({ silent: 'left_alone', canonical: asSet }),
  // Compared only where the YAML names one, as for webhook endpoints.
  snapshot_api_version: fixed({ silent: 'left_alone' }),
  // Requests of their own disable and enable it.
  disabled: mutable({
    default: false,
    afterwards: true,
    read: (live) => live['status'] === 'disabled',
    action: (value) => (value === true ? '/disable' : '/enable'),
  }),
  metadata,
  secret_to: written,
  include: refused,
  status: ignored,
  status_details: ignored,
}

function urlOf(live: StripeObject): Json | undefined {
  const endpoint = live['webhook_endpoint']
  return isJsonObject(endpoint) && typeof endpoint['url'] === 'string' ? { url: endpoint['url'] } : undefined
}

/** `arn:aws:events:us-east-1::event-source/…` names the region. */
function eventBridgeOf(live: StripeObject): Json | undefined {
  const bridge = live['amazon_eventbridge']
  if (!isJsonObject(bridge)) return undefined
  const { aws_account_id: account = null, aws_event_source_arn: arn } = bridge
  return { aws_account_id: account, aws_region: typeof arn === 'string' ? (arn.split(':')[3] ?? '') : '' }
}

/** Without the topic that Stripe makes. */
function eventGridOf(live: StripeObject): Json | undefined {
  const grid = live['azure_event_grid']
  if (!isJsonObject(grid)) return undefined
  const { azure_region = null, azure_resource_group_name = null, azure_subscription_id = null } = grid
  return { azure_region, azure_resource_group_name, azure_subscription_id }
}

const schema = closed({
  name: text('A name for people', 255),
  type: oneOf(['webhook_endpoint', 'amazon_eventbridge', 'azure_event_grid'], 'How events are delivered'),
  event_payload: oneOf(['snapshot', 'thin'], 'The whole object as it was, or its id alone'),
  enabled_events: listOf(
    Type.String({
      pattern: '^(\\*|[a-z_0-9]+(\\.[a-z_0-9\\[\\]]+)+)$',
      description: 'customer.subscription.deleted, v1.customer.created, or *',
    }),
    { minItems: 1, uniqueItems: true },
  ),
  description: optional(text('A note for people', 1_000)),
  webhook_endpoint: optional(closed({ url: url('Address that receives the events') })),
  amazon_eventbridge: optional(
    closed({
      aws_account_id: Type.String({ pattern: '^\\d{12}$', description: 'Account of AWS' }),
      aws_region: text('Region of AWS', 40),
    }),
  ),
  azure_event_grid: optional(
    closed({
      azure_region: text('Region of Azure', 60),
      azure_resource_group_name: text('Resource group', 90),
      azure_subscription_id: text('Id of the Azure subscription', 60),
    }),
  ),
  events_from: optional(listOf(text('@self, @accounts, …', 100), { minItems: 1, uniqueItems: true })),
  snapshot_api_version: optional(text('API version of snapshots; Crossbill’s own version by default', 40)),
  disabled: optional(flag('Whether deliveries are disabled')),
  metadata: optional(metadataSchema),
  secret_to: optional(secretSinkSchema),
})

/** A thin and a snapshot destination may share an address. */
function placeOf(value: JsonObject): string | undefined {
  const endpoint = value['webhook_endpoint']
  if (!isJsonObject(endpoint) || typeof endpoint['url'] !== 'string') return undefined
  return `${value['event_payload'] === 'thin' ? 'thin' : 'snapshot'} ${endpoint['url']}`
}

declare module './kind.ts' {
  interface KindNames {
    event_destination: true
  }
}

export const eventDestination: Kind<'event_destination'> = {
  name: 'event_destination',
  section: 'event_destinations',
  file: 'event-destinations.yaml',
  docs: 'https://docs.stripe.com/api/v2/core/event_destinations',
  schema,
  path: '/v2/core/event_destinations',
  lists: [{ include: ['webhook_endpoint.url'] }],
  readWhen: 'named',
  fields,
  marks: true,
  naturalKey: {
    name: 'webhook_endpoint',
    unique: false,
    desired: (_key, value) => placeOf(value),
    live: (object) => (object['status'] === 'disabled' ? undefined : placeOf(object)),
  },
  uses: () => [],
  replaceOrder: 'create_first',
  whatEnds: { use: () => 'it receives nothing any more', beyond: eventsUnreceived },
  retired: (live) => live['status'] === 'disabled',
  // Disabled and not deleted, as a webhook endpoint.
  retire: (live) => ({ method: 'POST', path: `/v2/core/event_destinations/${live.id}/disable`, params: {} }),
  secretTo: 'secret_to',
  hasSecret: (value) => value['type'] === 'webhook_endpoint',
  secretIn: ({ webhook_endpoint: endpoint }) => (isJsonObject(endpoint) ? endpoint['signing_secret'] : undefined),
  always: (form) => ({
    ...(form['type'] === 'webhook_endpoint'
      ? { include: ['webhook_endpoint.signing_secret', 'webhook_endpoint.url'] }
      : {}),
    ...(form['event_payload'] === 'snapshot' ? { snapshot_api_version: pinnedApiVersion } : {}),
  }),
}
