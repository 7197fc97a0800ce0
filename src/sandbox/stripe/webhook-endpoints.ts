// https://docs.stripe.com/api/webhook_endpoints
import type Stripe from 'stripe'
import type { Context } from '../kernel/context.ts'
import { invalid } from '../kernel/errors.ts'
import { isVersion } from '../kernel/events.ts'
import { generator } from '../kernel/ids.ts'
import { find, retrieveRoute, type Kind } from '../kernel/kind.ts'
import { listPage, paging } from '../kernel/lists.ts'
import { route, type Module } from '../kernel/module.ts'
import {
  emptyable,
  fields,
  flag,
  list,
  mergeMetadata,
  metadata,
  required,
  text,
  type Metadata,
} from '../kernel/params.ts'
import type { Row, TableDefinition } from '../kernel/tables.ts'
import type { Wire } from '../kernel/wire.ts'
import { eventTypes } from './event-types.ts'

export interface EndpointRow extends Row {
  readonly api_version: string | null
  readonly description: string | null
  readonly enabled_events: readonly string[]
  readonly metadata: Metadata
  readonly secret: string
  readonly status: 'enabled' | 'disabled'
  readonly url: string
}

export const endpoints: TableDefinition<EndpointRow> = { name: 'webhook_endpoints' }

const endpointKind: Kind<EndpointRow> = {
  table: endpoints,
  noun: 'webhook endpoint',
  url: '/v1/webhook_endpoints',
  permission: 'webhook_endpoints',
  render,
}

const most = 16
const wanted = list(text(), { min: 1 })

export const webhookEndpointModule: Module = {
  routes: [
    route('POST', '/v1/webhook_endpoints', {
      permission: 'webhook_endpoints',
      params: fields({
        api_version: text(),
        connect: flag(),
        description: emptyable(text()),
        enabled_events: required(wanted),
        metadata: metadata(),
        url: required(text({ max: 2_048 })),
      }),
      handle(context, params) {
        checkUrl(context, params.url)
        checkEvents(params.enabled_events)
        // An endpoint keeps the version of its creation: old accounts have versions from years ago.
        if (params.api_version !== undefined && !isVersion(params.api_version))
          throw invalid(`Invalid Stripe API version: ${params.api_version}`, { param: 'api_version' })
        if (context.table(endpoints).size >= most)
          throw invalid(
            `You have reached the maximum of ${most} ${context.livemode ? 'live' : 'test'} webhook endpoints.`,
          )
        const row = context.table(endpoints).put({
          id: context.newId('we'),
          created: context.now,
          api_version: params.api_version ?? null,
          description: params.description ?? null,
          enabled_events: params.enabled_events,
          metadata: mergeMetadata({}, params.metadata),
          secret: secretFor(context),
          status: 'enabled',
          url: params.url,
        })
        // Only the creation shows the secret.
        return { ...render(context, row), secret: row.secret }
      },
    }),
    retrieveRoute(endpointKind),
    route('POST', '/v1/webhook_endpoints/:id', {
      permission: 'webhook_endpoints',
      params: fields({
        description: emptyable(text()),
        disabled: flag(),
        enabled_events: wanted,
        metadata: metadata(),
        url: text({ max: 2_048 }),
      }),
      handle(context, params) {
        const row = find(context, endpointKind, context.id('id'))
        if (params.url !== undefined) checkUrl(context, params.url)
        if (params.enabled_events !== undefined) checkEvents(params.enabled_events)
        const changed = context.table(endpoints).put({
          ...row,
          description: params.description === undefined ? row.description : params.description,
          enabled_events: params.enabled_events ?? row.enabled_events,
          metadata: mergeMetadata(row.metadata, params.metadata),
          status: params.disabled === undefined ? row.status : params.disabled ? 'disabled' : 'enabled',
          url: params.url ?? row.url,
        })
        if (changed.status === 'disabled') context.react('webhook_endpoint.stopped', row.id)
        return render(context, changed)
      },
    }),
    route('GET', '/v1/webhook_endpoints', {
      permission: 'webhook_endpoints',
      params: fields({ ...paging }),
      handle: (context, params) =>
        listPage(context, params, { table: endpoints, url: '/v1/webhook_endpoints', render }),
    }),
    route('DELETE', '/v1/webhook_endpoints/:id', {
      permission: 'webhook_endpoints',
      params: fields({}),
      handle(context) {
        const row = find(context, endpointKind, context.id('id'))
        context.table(endpoints).delete(row.id)
        context.react('webhook_endpoint.stopped', row.id)
        return { id: row.id, object: 'webhook_endpoint', deleted: true }
      },
    }),
  ],
}

function checkUrl(context: Context, url: string): void {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol))
    throw invalid('Invalid URL: must be a valid URL beginning with http:// or https://.', {
      code: 'url_invalid',
      param: 'url',
    })
  if (context.livemode && parsed.protocol !== 'https:')
    throw invalid('Invalid URL: webhook endpoints in live mode must use https://.', {
      code: 'url_invalid',
      param: 'url',
    })
}

function checkEvents(types: readonly string[]): void {
  if (types.includes('*') && types.length > 1)
    throw invalid("You cannot specify '*' together with other events.", { param: 'enabled_events' })
  for (const [index, type] of types.entries())
    if (type !== '*' && !eventTypes.has(type))
      throw invalid(`Invalid enabled_events[${index}]: ${type} is not an event type.`, {
        param: `enabled_events[${index}]`,
      })
}

function secretFor(context: Context): string {
  const next = generator(context.world.seed, `${context.account.name}/${context.newId('whsec')}`)
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
  return `whsec_${Array.from({ length: 32 }, () => letters[Math.floor(next() * letters.length)] ?? 'A').join('')}`
}

function render(context: Context, row: EndpointRow): Wire<Stripe.WebhookEndpoint> {
  return {
    id: row.id,
    object: 'webhook_endpoint',
    api_version: row.api_version,
    application: null,
    created: row.created,
    description: row.description,
    enabled_events: row.enabled_events,
    livemode: context.livemode,
    metadata: row.metadata,
    status: row.status,
    url: row.url,
  }
}
