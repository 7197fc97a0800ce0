// Lists with cursors. https://docs.stripe.com/api/pagination
import type { Context } from './context.ts'
import { invalid, missing } from './errors.ts'
import { int, text } from './params.ts'
import type { Row, TableDefinition } from './tables.ts'

/** The parameters of every list: spread them into its `fields`. */
export const paging = { limit: int({ min: 1, max: 100 }), starting_after: text(), ending_before: text() }

export interface Paging {
  readonly limit?: number
  readonly starting_after?: string
  readonly ending_before?: string
}

export interface Page {
  readonly object: 'list'
  readonly data: readonly object[]
  readonly has_more: boolean
  readonly url: string
}

export interface Listing<R extends Row> {
  readonly table: TableDefinition<R>
  readonly url: string
  readonly render: (context: Context, row: R) => object
  /** Read the rows under one value of an index instead of the whole table. */
  readonly by?: readonly [index: string, value: string]
  readonly keep?: (row: R) => boolean
}

/** One page, newest first. */
export function listPage<R extends Row>(context: Context, params: Paging, listing: Listing<R>): Page {
  const { limit = 10, starting_after, ending_before } = params
  if (starting_after !== undefined && ending_before !== undefined)
    throw invalid('You may only specify one of these parameters: ending_before, starting_after.')
  const table = context.table(listing.table)
  const cursor = starting_after ?? ending_before
  const after = cursor === undefined ? undefined : table.get(cursor)
  if (cursor !== undefined && after === undefined)
    throw missing(noun(listing.table.name), cursor, starting_after === undefined ? 'ending_before' : 'starting_after')
  const backwards = ending_before !== undefined
  const found: R[] = []
  for (const row of walk(context, listing, { after, backwards })) {
    if (listing.keep !== undefined && !listing.keep(row)) continue
    found.push(row)
    if (found.length > limit) break
  }
  const shown = found.slice(0, limit)
  if (backwards) shown.reverse()
  return listOf(
    shown.map((row) => listing.render(context, row)),
    { url: listing.url, has_more: found.length > limit },
  )
}

export function listOf(data: readonly object[], about: { url: string; has_more?: boolean }): Page {
  return { object: 'list', data, has_more: about.has_more ?? false, url: about.url }
}

function walk<R extends Row>(
  context: Context,
  listing: Listing<R>,
  from: { after: R | undefined; backwards: boolean },
): Iterable<R> {
  const table = context.table(listing.table)
  if (listing.by === undefined) return from.backwards ? table.oldest(from.after) : table.newest(from.after)
  const rows = table.by(...listing.by).toSorted((a, b) => table.compare(a, b))
  if (!from.backwards) rows.reverse()
  const { after } = from
  if (after === undefined) return rows
  return rows.filter((row) => (from.backwards ? table.compare(row, after) > 0 : table.compare(row, after) < 0))
}

function noun(table: string): string {
  return table.replaceAll('_', ' ').replace(/ies$/, 'y').replace(/s$/, '')
}
