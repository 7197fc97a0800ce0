import type { Json, JsonObject } from '../../core/json.ts'
import { type Answer, document, refuse } from './answers.ts'

/** A resource in JSON:API form. */
export interface Resource {
  id: string
  type: string
  attributes: JsonObject
  relationships?: JsonObject
  links?: JsonObject
}

/**
 * What a client may ask of a list route. Filters that are not named here are ignored without an
 * error, as in the real API.
 */
export interface ListRoute<Row> {
  path: string
  type: string
  /**
   * Sort keys and the value that each compares. Without a sort parameter the first one applies,
   * descending.
   */
  sorts: Readonly<Record<string, (row: Row) => string | number>>
  filters: Readonly<Record<string, (row: Row, value: string) => boolean>>
  /**
   * Filters of the official description that this site does not model. They are refused, because a
   * wrong answer would go unnoticed.
   */
  unmodelled?: readonly string[]
  render(row: Row): Resource
  /** Which of the two forms of totals the route returns. */
  meta: 'pages' | 'count'
}

const usualSize = 25
const largestSize = 500

/**
 * Filters, sorts and pages the rows, and renders the page with the links and totals of the real
 * API.
 */
export function list<Row>(route: ListRoute<Row>, rows: Iterable<Row>, query: URLSearchParams): Answer {
  const chosen = filtered(route, [...rows], query)
  sort(route, chosen, query.get('sort'))
  const size = clamp(whole(query.get('page[size]'), usualSize), 1, largestSize)
  const number = Math.max(1, whole(query.get('page[number]'), 1))
  const pages = Math.max(1, Math.ceil(chosen.length / size))
  const part = chosen.slice((number - 1) * size, number * size)
  const fields = query.get(`fields[${route.type}]`)
  const data = part.map((row) => sparse(route.render(row), fields))
  const meta: JsonObject =
    route.meta === 'count'
      ? { count: part.length, total_count: chosen.length, total_pages: pages }
      : { total_pages: pages, total_count: chosen.length, current_page: number }
  return document({ data: data as unknown as Json, links: links(route.path, query, number, pages), meta })
}

function filtered<Row>(route: ListRoute<Row>, rows: Row[], query: URLSearchParams): Row[] {
  let chosen = rows
  for (const [key, value] of query) {
    const name = /^filter\[(.+?)\](?:\[\])?$/.exec(key)?.[1]
    if (name === undefined) continue
    if (route.unmodelled?.includes(name) === true)
      throw refuse(501, `The sandbox does not model filter[${name}] of ${route.path}.`)
    const accepts = route.filters[name]
    if (accepts !== undefined) chosen = chosen.filter((row) => accepts(row, value))
  }
  return chosen
}

function sort<Row>(route: ListRoute<Row>, rows: Row[], asked: string | null): void {
  const first = Object.keys(route.sorts)[0] ?? ''
  const descending = asked === null ? true : asked.startsWith('-')
  const key = route.sorts[(asked ?? first).replace(/^-/, '')] ?? route.sorts[first]
  if (key === undefined) return
  rows.sort((a, b) => compare(key(a), key(b)) * (descending ? -1 : 1))
}

function compare(a: string | number, b: string | number): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}

/**
 * The links name another host than the request did (seen in the official samples), so a client must
 * use their query string only.
 */
function links(path: string, query: URLSearchParams, number: number, pages: number): JsonObject {
  const to = (page: number): string => {
    const asked = new URLSearchParams(query)
    asked.set('page[number]', String(page))
    return `https://app.kajabi.com/api${path}?${asked.toString()}`
  }
  return {
    self: to(number),
    current: to(number),
    first: to(1),
    last: to(pages),
    ...(number > 1 ? { prev: to(number - 1) } : {}),
    ...(number < pages ? { next: to(number + 1) } : {}),
  }
}

export function sparse(resource: Resource, fields: string | null): Resource {
  if (fields === null) return resource
  const asked = fields.split(',')
  const attributes = Object.fromEntries(Object.entries(resource.attributes).filter(([name]) => asked.includes(name)))
  return { ...resource, attributes }
}

function whole(text: string | null, otherwise: number): number {
  return text !== null && /^\d{1,9}$/.test(text) ? Number(text) : otherwise
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value))
}
