import type Stripe from 'stripe'
import Type from 'typebox'
import { isJsonObject, type StripeObject } from '../core/json.ts'
import { asSet, fixed, ignored, metadata, mutable, written } from './fields.ts'
import type { FieldsOf, Kind } from './kind.ts'
import { closed, flag, listOf, metadataSchema, optional, text, url } from './schema.ts'
import { secretSinkSchema } from './secret-sink.ts'
import { eventsUnreceived } from './received.ts'

/**
 * API version of an endpoint when the YAML names none: the version for which Crossbill is written.
 */
export const pinnedApiVersion = '2026-10-28.endive'

/**
 * Stripe accepts `connect` but does not return it, so it is stored in the metadata beside the
 * marks.
 */
export const markConnect = 'crossbill_connect'

/**
 * On the second endpoint of a rotation: the first one's id and address,
 * `we_1 webhook_endpoint.main`. Without a mark of its own address, the second belongs to no entry.
 */
export const markSucceeds = 'crossbill_succeeds'

function isSecond({ metadata }: StripeObject): boolean {
  return isJsonObject(metadata) && metadata[markSucceeds] !== undefined
}

const fields: FieldsOf<
  Stripe.WebhookEndpoint,
  Stripe.WebhookEndpointCreateParams,
  Stripe.WebhookEndpointUpdateParams,
  'secret_to'
> = {
  url: mutable(),
  enabled_events: mutable({ canonical: asSet }),
  description: mutable(),
  // The YAML uses Stripe's parameter `disabled: true`; Stripe returns a status.
  disabled: mutable({
    default: false,
    afterwards: true,
    read: (live) => live['status'] === 'disabled',
    update: (value) => ({ disabled: value === true }),
  }),
  connect: fixed({ default: false, read: (live) => connectMark(live['metadata']) }),
  // Compared only where the YAML names one, so that a newer Crossbill version does not replace
  // endpoints.
  api_version: fixed({ silent: 'left_alone' }),
  metadata,
  secret_to: written,
  secret: ignored,
  status: ignored,
  application: ignored,
}

function connectMark(metadata: unknown): boolean {
  return (
    typeof metadata === 'object' && metadata !== null && (metadata as Record<string, unknown>)[markConnect] === 'true'
  )
}

const schema = closed({
  url: url('Address that receives the events'),
  enabled_events: listOf(
    Type.String({ pattern: '^(\\*|[a-z_0-9]+(\\.[a-z_0-9]+)+)$', description: 'customer.subscription.deleted, or *' }),
    { minItems: 1, uniqueItems: true },
  ),
  description: optional(text('A note for people')),
  disabled: optional(flag('Whether deliveries are disabled')),
  connect: optional(flag('Receives events of connected accounts instead of this account')),
  api_version: optional(text('API version of the events; Crossbill’s own version by default', 40)),
  metadata: optional(metadataSchema),
  secret_to: optional(secretSinkSchema),
})

declare module './kind.ts' {
  interface KindNames {
    webhook_endpoint: true
  }
}

export const webhookEndpoint: Kind<'webhook_endpoint'> = {
  name: 'webhook_endpoint',
  section: 'webhook_endpoints',
  file: 'webhooks.yaml',
  docs: 'https://docs.stripe.com/api/webhook_endpoints',
  schema,
  path: '/v1/webhook_endpoints',
  lists: [{}],
  fields,
  marks: true,
  naturalKey: {
    name: 'url',
    // Two endpoints may share an address, for two sets of events or for two API versions during an
    // upgrade.
    unique: false,
    desired: (_key, value) => (typeof value['url'] === 'string' ? value['url'] : undefined),
    // The second endpoint of a rotation belongs to the first one's entry. No other entry takes it.
    live: (object) =>
      object['status'] !== 'disabled' && typeof object['url'] === 'string' && !isSecond(object)
        ? object['url']
        : undefined,
  },
  uses: () => [],
  replaceOrder: 'create_first',
  isSecond,
  whatEnds: { use: () => 'it receives nothing any more', beyond: eventsUnreceived },
  retired: (live) => live['status'] === 'disabled',
  // Disabled and not deleted: the signing secret remains, and the step can be reverted.
  retire: (live) => ({ method: 'POST', path: `/v1/webhook_endpoints/${live.id}`, params: { disabled: true } }),
  secretTo: 'secret_to',
  extraMarks: (form) => (form['connect'] === true ? { [markConnect]: 'true' } : {}),
  always: { api_version: pinnedApiVersion },
}
