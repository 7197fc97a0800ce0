// What most resources share: the look-up of an object, and the route that retrieves it.
import type { Context } from './context.ts'
import { missing } from './errors.ts'
import { route, type Route } from './module.ts'
import { fields } from './params.ts'
import type { Row, TableDefinition } from './tables.ts'

export interface Kind<R extends Row> {
  readonly table: TableDefinition<R>
  /** As errors name it: `No such tax rate: …`. */
  readonly noun: string
  /** `/v1/tax_rates` */
  readonly url: string
  readonly permission: string
  readonly render: (context: Context, row: R) => object
}

/**
 * The row, or Stripe's `resource_missing`: 404 for an id in the path, 400 for an id in a parameter.
 */
export function find<R extends Row>(
  context: Context,
  kind: Pick<Kind<R>, 'table' | 'noun'>,
  id: string,
  param?: string,
): R {
  const row = context.table(kind.table).get(id)
  if (row === undefined) throw missing(kind.noun, id, param)
  return row
}

/** `GET <url>/:id` */
export function retrieveRoute<R extends Row>(kind: Kind<R>): Route {
  return route('GET', `${kind.url}/:id`, {
    permission: kind.permission,
    params: fields({}),
    handle: (context) => kind.render(context, find(context, kind, context.id('id'))),
  })
}
