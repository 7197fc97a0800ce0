// Search: a small query language over an index with a delay. https://docs.stripe.com/search
import { invalid } from './errors.ts'
import type { Kind } from './kind.ts'
import { route, type Route } from './module.ts'
import { fields, int, required, text } from './params.ts'
import type { Row } from './tables.ts'

/**
 * Seconds until search finds a new object: less than a minute in normal operation, so clients must
 * not search for an object that they just created.
 */
const lag = 60

type Value = string | number | boolean | null | undefined
export interface Searchable<R extends Row> {
  readonly fields: Readonly<Record<string, (row: R) => Value>>
  readonly metadata: (row: R) => Readonly<Record<string, string>>
  /** Rows that the index does not contain (deleted ones). */
  readonly keep?: (row: R) => boolean
}

type Clause = {
  readonly field: string
  readonly key?: string
  readonly operator: string
  readonly value: string
  readonly not: boolean
}

/** `GET <url>/search` */
export function searchRoute<R extends Row>(kind: Kind<R>, searchable: Searchable<R>): Route {
  return route('GET', `${kind.url}/search`, {
    permission: kind.permission,
    params: fields({ query: required(text()), limit: int({ min: 1, max: 100 }), page: text() }),
    handle(context, params) {
      const query = parseQuery(params.query)
      const from = params.page === undefined ? 0 : Number(params.page.replace(/^page_/, ''))
      if (!Number.isSafeInteger(from)) throw invalid(`Invalid page: ${params.page}`, { param: 'page' })
      const limit = params.limit ?? 10
      const found: R[] = []
      for (const row of context.table(kind.table).newest()) {
        if (row.created + lag > context.now || searchable.keep?.(row) === false || !holds(query, row, searchable))
          continue
        found.push(row)
        if (found.length > from + limit) break
      }
      const more = found.length > from + limit
      return {
        object: 'search_result',
        data: found.slice(from, from + limit).map((row) => kind.render(context, row)),
        has_more: more,
        next_page: more ? `page_${from + limit}` : null,
        url: `${kind.url}/search`,
      }
    },
  })
}

interface Query {
  readonly clauses: readonly Clause[]
  readonly all: boolean
}

const clause =
  /^(-?)(\w+(?:\.\w+)*)(?:\["((?:[^"\\]|\\.)*)"\]|\['((?:[^'\\]|\\.)*)'\])?(:|~|>=|<=|>|<)(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([\w.-]+))/

function parseQuery(query: string): Query {
  const clauses: Clause[] = []
  const words = new Set<string>()
  for (let rest = query.trim(); rest !== '';) {
    const match = clause.exec(rest)
    if (match === null)
      throw invalid(`We were unable to parse your search query near: ${rest.slice(0, 30)}`, { param: 'query' })
    const [whole, minus, field = '', double, single, operator = ':', a, b, c] = match
    const key = double ?? single
    clauses.push({
      field,
      ...(key === undefined ? {} : { key }),
      operator,
      value: a ?? b ?? c ?? '',
      not: minus === '-',
    })
    rest = rest.slice(whole.length).trim()
    const word = /^(AND|OR)\s+/i.exec(rest)
    if (word !== null) {
      words.add((word[1] ?? '').toUpperCase())
      rest = rest.slice(word[0].length)
    } else if (rest !== '') words.add('AND')
  }
  if (words.size > 1) throw invalid('You cannot combine AND and OR in the same query.', { param: 'query' })
  return { clauses, all: !words.has('OR') }
}

function holds<R extends Row>(query: Query, row: R, searchable: Searchable<R>): boolean {
  const one = (c: Clause) => matches(c, valueOf(c, row, searchable)) !== c.not
  return query.all ? query.clauses.every(one) : query.clauses.some(one)
}

function valueOf<R extends Row>(c: Clause, row: R, searchable: Searchable<R>): Value {
  if (c.field === 'metadata' && c.key !== undefined) return searchable.metadata(row)[c.key]
  if (c.field === 'created') return row.created
  const read = searchable.fields[c.field]
  if (read === undefined)
    throw invalid(`Field \`${c.field}\` is an unsupported search field for this resource.`, { param: 'query' })
  return read(row)
}

function matches(c: Clause, value: Value): boolean {
  if (c.value === 'null') return value === null || value === undefined
  if (value === null || value === undefined) return false
  if (c.operator === '~') return c.value.length >= 3 && String(value).toLowerCase().includes(c.value.toLowerCase())
  if (c.operator === ':') return String(value).toLowerCase() === c.value.toLowerCase()
  const [left, right] = [Number(value), Number(c.value)]
  return { '>': left > right, '<': left < right, '>=': left >= right, '<=': left <= right }[c.operator] ?? false
}
