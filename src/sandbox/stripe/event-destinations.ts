// Where events go, in the second version of the API, which speaks JSON.
// https://docs.stripe.com/api/v2/core/event_destinations
import type Stripe from 'stripe'
import type { Context } from '../kernel/context.ts'
import { invalid } from '../kernel/errors.ts'
import { isVersion } from '../kernel/events.ts'
import { generator } from '../kernel/ids.ts'
import { find, type Kind } from '../kernel/kind.ts'
import { route, type Module } from '../kernel/module.ts'
import { fields, int, list, mergeMetadata, metadata, oneOf, required, text, type Metadata } from '../kernel/params.ts'
import type { Row, TableDefinition } from '../kernel/tables.ts'
import type { Wire } from '../kernel/wire.ts'

export interface DestinationRow extends Row {
  readonly name: string
  readonly type: 'webhook_endpoint' | 'amazon_eventbridge' | 'azure_event_grid'
  readonly event_payload: 'snapshot' | 'thin'
  readonly enabled_events: readonly string[]
  readonly description: string
  readonly events_from: readonly string[]
  readonly metadata: Metadata
  readonly snapshot_api_version: string | undefined
  readonly status: 'enabled' | 'disabled'
  readonly updated: number
  readonly url: string | undefined
  readonly secret: string
  readonly amazon: { readonly aws_account_id: string; readonly aws_region: string } | undefined
  readonly azure: AzureGiven | undefined
}

interface AzureGiven {
  readonly azure_region: string
  readonly azure_resource_group_name: string
  readonly azure_subscription_id: string
}

export const destinations: TableDefinition<DestinationRow> = { name: 'event_destinations' }
const url = '/v2/core/event_destinations'
const permission = 'event_destinations'
const kind: Pick<Kind<DestinationRow>, 'table' | 'noun'> = { table: destinations, noun: 'event destination' }
const most = 16

const include = list(oneOf('webhook_endpoint.signing_secret', 'webhook_endpoint.url'))
const endpoint = fields({ url: required(text({ max: 2_048 })) })

export const eventDestinationModule: Module = {
  routes: [
    route('POST', url, {
      permission,
      params: fields({
        amazon_eventbridge: fields({ aws_account_id: required(text()), aws_region: required(text()) }),
        azure_event_grid: fields({
          azure_region: required(text()),
          azure_resource_group_name: required(text()),
          azure_subscription_id: required(text()),
        }),
        description: maybeEmpty(),
        enabled_events: required(list(text(), { min: 1 })),
        event_payload: required(oneOf('snapshot', 'thin')),
        events_from: list(text()),
        include,
        metadata: metadata(),
        name: required(text()),
        snapshot_api_version: text(),
        type: required(oneOf('webhook_endpoint', 'amazon_eventbridge', 'azure_event_grid')),
        webhook_endpoint: endpoint,
      }),
      handle(context, params) {
        const { type, event_payload: payload, snapshot_api_version: version } = params
        if (params[type] === undefined)
          throw invalid(`Missing required param: ${type}.`, { code: 'parameter_missing', param: type })
        if (payload === 'thin' && version !== undefined)
          throw invalid('snapshot_api_version is for snapshot events only.', { param: 'snapshot_api_version' })
        if (version !== undefined && !isVersion(version))
          throw invalid(`Invalid Stripe API version: ${version}`, { param: 'snapshot_api_version' })
        if (context.table(destinations).size >= most)
          throw invalid(`You have reached the maximum of ${most} event destinations.`)
        const row = context.table(destinations).put({
          id: context.newId('ed'),
          created: context.now,
          updated: context.now,
          name: params.name,
          type,
          event_payload: payload,
          enabled_events: params.enabled_events,
          description: params.description ?? '',
          events_from: params.events_from ?? ['@self'],
          metadata: mergeMetadata({}, params.metadata),
          snapshot_api_version: version,
          status: 'enabled',
          url: params.webhook_endpoint?.url,
          secret: secretFor(context),
          amazon: params.amazon_eventbridge,
          azure: params.azure_event_grid,
        })
        return render(context, row, params.include)
      },
    }),
    route('GET', url, {
      permission,
      params: fields({ include, limit: int({ min: 1, max: 100 }), page: text() }),
      handle(context, { include: shown, limit = 20, page = '0' }) {
        const all = [...context.table(destinations).newest()]
        const begin = Number(page)
        const rows = all.slice(begin, begin + limit)
        const next = begin + limit < all.length ? `${url}?page=${begin + limit}` : null
        return { data: rows.map((row) => render(context, row, shown)), next_page_url: next, previous_page_url: null }
      },
    }),
    route('GET', `${url}/:id`, {
      permission,
      params: fields({ include }),
      handle: (context, params) => render(context, find(context, kind, context.id('id')), params.include),
    }),
    route('POST', `${url}/:id`, {
      permission,
      params: fields({
        description: maybeEmpty(),
        enabled_events: list(text(), { min: 1 }),
        include,
        metadata: metadata(),
        name: text(),
        webhook_endpoint: endpoint,
      }),
      handle(context, params) {
        const row = find(context, kind, context.id('id'))
        const changed = context.table(destinations).put({
          ...row,
          updated: context.now,
          name: params.name ?? row.name,
          description: params.description ?? row.description,
          enabled_events: params.enabled_events ?? row.enabled_events,
          metadata: mergeMetadata(row.metadata, params.metadata),
          url: params.webhook_endpoint?.url ?? row.url,
        })
        return render(context, changed, params.include)
      },
    }),
    ...(['enable', 'disable'] as const).map((action) =>
      route('POST', `${url}/:id/${action}`, {
        permission,
        params: fields({}),
        handle(context) {
          const row = find(context, kind, context.id('id'))
          const status = action === 'enable' ? 'enabled' : 'disabled'
          const changed = context.table(destinations).put({ ...row, updated: context.now, status })
          if (action === 'disable') context.react('event_destination.stopped', row.id)
          return render(context, changed)
        },
      }),
    ),
    route('DELETE', `${url}/:id`, {
      permission,
      params: fields({}),
      handle(context) {
        const row = find(context, kind, context.id('id'))
        context.table(destinations).delete(row.id)
        context.react('event_destination.stopped', row.id)
        return { id: row.id, object: 'v2.core.event_destination', deleted: true }
      },
    }),
  ],
}

/** A text that an update empties with `''`. */
function maybeEmpty(): ReturnType<typeof text> {
  const whole = text({ max: 1_000 })
  return { ...whole, parse: (raw, at) => (raw === '' ? '' : whole.parse(raw, at)) }
}

function secretFor(context: Context): string {
  const next = generator(context.world.seed, `${context.account.name}/${context.newId('whsec')}`)
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
  return `whsec_${Array.from({ length: 32 }, () => letters[Math.floor(next() * letters.length)] ?? 'A').join('')}`
}

function render(
  context: Context,
  row: DestinationRow,
  include: readonly string[] = [],
): Wire<Stripe.V2.Core.EventDestination> {
  const isShown = (name: string): boolean => include.includes(`webhook_endpoint.${name}`)
  return {
    id: row.id,
    object: 'v2.core.event_destination',
    ...(row.amazon === undefined
      ? {}
      : {
          amazon_eventbridge: {
            aws_account_id: row.amazon.aws_account_id,
            aws_event_source_arn: `arn:aws:events:${row.amazon.aws_region}::event-source/aws.partner/stripe.com/${row.id}`,
            aws_event_source_status: 'pending',
          },
        }),
    ...(row.azure === undefined
      ? {}
      : {
          azure_event_grid: {
            ...row.azure,
            azure_partner_topic_name: row.id,
            azure_partner_topic_status: 'never_activated',
          },
        }),
    created: new Date(row.created * 1_000).toISOString(),
    description: row.description,
    enabled_events: row.enabled_events,
    event_payload: row.event_payload,
    events_from: row.events_from,
    livemode: context.livemode,
    metadata: row.metadata,
    name: row.name,
    ...(row.snapshot_api_version === undefined ? {} : { snapshot_api_version: row.snapshot_api_version }),
    status: row.status,
    ...(row.status === 'disabled' ? { status_details: { disabled: { reason: 'user' } } } : {}),
    type: row.type,
    updated: new Date(row.updated * 1_000).toISOString(),
    ...(row.url === undefined
      ? {}
      : {
          webhook_endpoint: {
            ...(isShown('signing_secret') ? { signing_secret: row.secret } : {}),
            ...(isShown('url') ? { url: row.url } : {}),
          },
        }),
  }
}
