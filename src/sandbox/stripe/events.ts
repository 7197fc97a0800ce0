// https://docs.stripe.com/api/events
import type { Context } from '../kernel/context.ts'
import { invalid, missing } from '../kernel/errors.ts'
import { apiVersion, events, type EventRow } from '../kernel/events.ts'
import { listPage, paging } from '../kernel/lists.ts'
import { route, type Module } from '../kernel/module.ts'
import { fields, flag, inRange, list, range, text } from '../kernel/params.ts'

export const eventModule: Module = {
  routes: [
    route('GET', '/v1/events', {
      permission: 'events',
      params: fields({
        ...paging,
        created: range(),
        delivery_success: flag(),
        type: text(),
        types: list(text(), { max: 20 }),
      }),
      handle(context, params) {
        const { type, types, delivery_success } = params
        if (type !== undefined && types !== undefined)
          throw invalid('You may only specify one of these parameters: type, types.')
        const wanted = type === undefined ? types : [type]
        return listPage(context, params, {
          table: events,
          url: '/v1/events',
          keep: (row) =>
            inRange(row.created, params.created) &&
            (wanted === undefined || wanted.some((pattern) => matches(pattern, row.type))) &&
            (delivery_success === undefined || delivery_success === (row.waiting.length === 0)),
          render: renderEvent,
        })
      },
    }),
    route('GET', '/v1/events/:event', {
      permission: 'events',
      params: fields({}),
      handle(context) {
        const row = context.table(events).get(context.id('event'))
        if (row === undefined) throw missing('event', context.id('event'))
        return renderEvent(context, row)
      },
    }),
  ],
}

/** `customer.*` means every type with that prefix. */
function matches(pattern: string, type: string): boolean {
  return pattern === '*' || pattern === type || (pattern.endsWith('.*') && type.startsWith(pattern.slice(0, -1)))
}

export function renderEvent(context: Context, row: EventRow) {
  return {
    id: row.id,
    object: 'event',
    api_version: apiVersion,
    created: row.created,
    data: {
      object: row.object,
      ...(row.previous_attributes === null ? {} : { previous_attributes: row.previous_attributes }),
    },
    livemode: context.livemode,
    pending_webhooks: row.waiting.length,
    request: row.request,
    type: row.type,
  }
}
