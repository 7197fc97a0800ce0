import Type, { type Static } from 'typebox'
import { closed, count, listOf, mapOf, optional, text, url } from '../kinds/schema.ts'
import { secretRefSchema } from './secret-schema.ts'

/** `kajabi:` in project.yaml: the Kajabi site and the credentials of its public API. */
export const kajabiSchema = Type.Union(
  [
    closed({ sandbox: Type.Literal(true) }),
    closed({
      sandbox: optional(Type.Literal(false)),
      site: Type.String({ pattern: '^[0-9]+$', description: 'The site’s id, from GET /v1/sites' }),
      client_id: secretRefSchema,
      client_secret: secretRefSchema,
      api_base: optional(url('Address of the API; https://api.kajabi.com by default')),
      requests_per_second: optional(
        Type.Number({
          exclusiveMinimum: 0,
          maximum: 1_000,
          description:
            'Highest request rate. By default one request a second, and up to 100 a minute while Kajabi refuses none; it documents no limit. A refusal (429) halves the rate in any case',
        }),
      ),
    }),
  ],
  { description: '{ sandbox: true }, or { site: "123", client_id: { env: NAME }, client_secret: { env: NAME } }' },
)

const rotating = (what: string) =>
  listOf(secretRefSchema, {
    minItems: 1,
    maxItems: 3,
    description: `${what}: the current one first, then the previous one during a rotation`,
  })

/** `serve:` in project.yaml: the cancel service. It does not start with missing or weak secrets. */
export const serveSchema = closed({
  host: optional(text('Address to listen on; 127.0.0.1 by default')),
  port: optional(count('Port to listen on; 8787 by default')),
  admin_host: optional(text('Address for metrics, health and the status page; 127.0.0.1 by default')),
  admin_port: optional(count('Port for metrics, health and the status page; 8788 by default')),
  public_url: optional(
    url('Address at which members and Kajabi reach the service; required for cancel links and hooks'),
  ),
  hook_secrets: optional(rotating('Secret part of the hook’s address, known only to Kajabi')),
  relay_secrets: optional(rotating('Standard Webhooks secrets of relays and of your own pages')),
  link_secrets: optional(rotating('Keys that sign members’ cancel links')),
  stripe_webhook_secrets: optional(
    mapOf(
      '^[a-z][a-z0-9-]*$',
      Type.Union([secretRefSchema, rotating('Signing secrets of the webhook endpoint')], {
        description: 'One secret, or a list of the current one and the previous one during a rotation',
      }),
      'Signing secret of the webhook endpoint in each account, by account name',
    ),
  ),
  cancels_per_hour: optional(
    count('More cancels than this within an hour stop all cancelling and alert an operator; 50 by default'),
  ),
  poll_seconds: optional(count('Seconds between two polls of Kajabi; 30 by default')),
  second_look_seconds: optional(count('Seconds between the two reads that must agree before a cancel; 20 by default')),
  mailer: optional(secretRefSchema),
  requests_per_minute: optional(count('Requests per minute from one address without a valid secret; 600 by default')),
  trust_proxy: optional(
    Type.Union(
      [
        Type.Boolean({ description: '`true`: one proxy' }),
        Type.Integer({ minimum: 0, maximum: 10, description: 'Number of proxies in front' }),
        Type.Array(Type.String({ pattern: '^[0-9a-fA-F:.]+(/[0-9]{1,3})?$' }), {
          minItems: 1,
          description: 'Addresses of the proxies, or ranges such as `10.0.0.0/8`',
        }),
      ],
      {
        description:
          'The proxies in front that append the sender to X-Forwarded-For: their number or their addresses. Only values that they append are trusted',
      },
    ),
  ),
  school: optional(
    closed({
      name: optional(text('Name of the school on the cancel page')),
      contact: optional(
        Type.String({
          pattern: '^(?!mailto:)([^\\s@]+@[^\\s@]+|https?://\\S+)$',
          description: 'E-mail address or page (https://…) for questions, shown on the cancel page',
        }),
      ),
    }),
  ),
  link_days: optional(count('Days for which a cancel link is valid; 14 by default')),
  keep_days: optional(
    count('Days for which signals that are done or ignored are kept; 180 by default, and longer than link_days'),
  ),
})

/** `alerts:` in project.yaml. Addresses and keys are secrets. */
export const alertsSchema = closed({
  slack: optional(secretRefSchema),
  pagerduty: optional(secretRefSchema),
  webhook: optional(secretRefSchema),
  email: optional(
    closed(
      { smtp: secretRefSchema, from: secretRefSchema, to: secretRefSchema },
      '`smtp`: the URL of the mail server (smtps://user:password@host:465, or smtp://… for STARTTLS; TLS is required unless the server is on this machine). `from`: the sender’s address. `to`: one address, or several with commas between them',
    ),
  ),
})

export type KajabiConfig = Static<typeof kajabiSchema>
export type ServeConfig = Static<typeof serveSchema>
export type AlertsConfig = Static<typeof alertsSchema>
