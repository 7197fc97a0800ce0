import Type, { type TSchema } from 'typebox'
import { closed, count, listOf, mapOf, optional, text, url } from '../../kinds/schema.ts'
import { secretRefSchema } from './secret.ts'

/** `kajabi:` in project.yaml: the course platform's site and the key of its public API. */
export const kajabiSchema: TSchema = Type.Union(
  [
    closed({ sandbox: Type.Literal(true) }),
    closed({
      sandbox: optional(Type.Literal(false)),
      site: Type.String({ pattern: '^[0-9]+$', description: 'The site’s id, from GET /v1/sites' }),
      client_id: secretRefSchema,
      client_secret: secretRefSchema,
      api_base: optional(url('Where the API is, when not https://api.kajabi.com')),
      requests_per_second: optional(
        Type.Number({ exclusiveMinimum: 0, maximum: 1_000, description: 'Kajabi documents no limit; 1 by default' }),
      ),
    }),
  ],
  { description: '{ sandbox: true }, or { site: "123", client_id: { env: NAME }, client_secret: { env: NAME } }' },
)

const rotating = (what: string): TSchema =>
  listOf(secretRefSchema, {
    minItems: 1,
    maxItems: 3,
    description: `${what}: the current one first, then the previous one during a rotation`,
  })

/** `serve:` in project.yaml: the cancel service. Secrets that are missing or weak keep it from starting. */
export const serveSchema: TSchema = closed({
  host: optional(text('Address to listen on; 127.0.0.1 by default')),
  port: optional(count('Port to listen on; 8787 by default')),
  admin_host: optional(text('Address for metrics, health and the status page; 127.0.0.1 by default')),
  admin_port: optional(count('Port for metrics, health and the status page; 8788 by default')),
  public_url: optional(url('How members and Kajabi reach the service; needed for cancel links and hooks')),
  hook_secrets: optional(rotating('The part of the hook’s address that only Kajabi knows')),
  relay_secrets: optional(rotating('Standard Webhooks secrets of relays and own pages')),
  link_secrets: optional(rotating('Keys that sign members’ cancel links')),
  stripe_webhook_secrets: optional(
    mapOf(
      '^[a-z][a-z0-9-]*$',
      secretRefSchema,
      'Signing secret of the webhook endpoint in each account, by account name',
    ),
  ),
  cancels_per_hour: optional(
    count('More cancels than this within an hour stop cancelling and call somebody; 50 by default'),
  ),
  poll_seconds: optional(count('Seconds between two looks at Kajabi; 30 by default')),
  second_look_seconds: optional(count('Seconds between the two reads that must agree; 20 by default')),
  mailer: optional(secretRefSchema),
  requests_per_minute: optional(count('Requests a minute from one address that has shown no secret; 600 by default')),
  trust_proxy: optional(
    Type.Union(
      [
        Type.Boolean({ description: '`true`: one proxy' }),
        Type.Integer({ minimum: 0, maximum: 10, description: 'How many proxies stand in front' }),
        Type.Array(Type.String({ pattern: '^[0-9a-fA-F:.]+(/[0-9]{1,3})?$' }), {
          minItems: 1,
          description: 'Their addresses, or ranges such as `10.0.0.0/8`',
        }),
      ],
      {
        description:
          'The proxies in front that append the sender to X-Forwarded-For: how many, or their addresses. Only what they appended is believed',
      },
    ),
  ),
  school: optional(
    closed({
      name: optional(text('The name by which members know you, on their cancel page')),
      contact: optional(
        Type.String({
          pattern: '^(?!mailto:)([^\\s@]+@[^\\s@]+|https?://\\S+)$',
          description: 'An e-mail address or a page (https://…) where members can ask, on their cancel page',
        }),
      ),
    }),
  ),
  link_days: optional(count('Days a cancel link holds; 14 by default')),
})

/** `alerts:` in project.yaml. Addresses and keys are secrets. */
export const alertsSchema: TSchema = closed({
  slack: optional(secretRefSchema),
  pagerduty: optional(secretRefSchema),
  webhook: optional(secretRefSchema),
})
