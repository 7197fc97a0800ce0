import type Stripe from 'stripe'
import Type from 'typebox'
import { asSet, fixed, ignored, metadata, mutable, written } from './fields.ts'
import type { FieldsOf, Kind } from './kind.ts'
import { closed, flag, listOf, metadataSchema, optional, text, url } from './schema.ts'
import { secretSinkSchema } from './secret-sink.ts'

/** The version an endpoint gets when the YAML names none: the one this program is written against. */
export const pinnedApiVersion = '2026-10-28.endive'

/** Stripe takes `connect` and never shows it again, so it is kept in the metadata beside our marks. */
export const markConnect = 'crossbill_connect'

const fields: FieldsOf<
  Stripe.WebhookEndpoint,
  Stripe.WebhookEndpointCreateParams,
  Stripe.WebhookEndpointUpdateParams,
  'secret_to'
> = {
  url: mutable(),
  enabled_events: mutable({ canonical: asSet }),
  description: mutable(),
  // Written `disabled: true`, as Stripe's parameter; Stripe answers with a status.
  disabled: mutable({
    default: false,
    afterwards: true,
    read: (live) => live['status'] === 'disabled',
    update: (value) => ({ disabled: value === true }),
  }),
  connect: fixed({ default: false, read: (live) => connectMark(live['metadata']) }),
  // Only compared where written: a newer program does not replace endpoints that a newer version would suit.
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
  url: url('Where events are posted'),
  enabled_events: listOf(
    Type.String({ pattern: '^(\\*|[a-z_0-9]+(\\.[a-z_0-9]+)+)$', description: 'customer.subscription.deleted, or *' }),
    { minItems: 1, uniqueItems: true },
  ),
  description: optional(text('A note for people')),
  disabled: optional(flag('Whether deliveries are stopped')),
  connect: optional(flag('Hears events of connected accounts instead of this one')),
  api_version: optional(text('Version of the events; this program’s own when absent', 40)),
  metadata: optional(metadataSchema),
  secret_to: optional(secretSinkSchema),
})

export const webhookEndpoint: Kind = {
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
    // Two endpoints may share an address: two sets of events, or two API versions during an upgrade.
    unique: false,
    desired: (_key, value) => (typeof value['url'] === 'string' ? value['url'] : undefined),
    live: (object) =>
      object['status'] !== 'disabled' && typeof object['url'] === 'string' ? object['url'] : undefined,
  },
  uses: () => [],
  replaceOrder: 'create_first',
  retired: (live) => live['status'] === 'disabled',
  // Disabled, not deleted: the signing secret lives on and the step can be taken back.
  retire: (live) => ({ method: 'POST', path: `/v1/webhook_endpoints/${live.id}`, params: { disabled: true } }),
  secretTo: 'secret_to',
  extraMarks: (form) => (form['connect'] === true ? { [markConnect]: 'true' } : {}),
  always: { api_version: pinnedApiVersion },
}
