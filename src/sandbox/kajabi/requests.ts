import { type Json, type JsonObject, isJsonObject } from '../../core/json.ts'
import { refuse, refuseToken } from './answers.ts'

/** A request to the site: its path, without the sandbox's prefix `/kajabi`. */
export interface SiteRequest {
  method: string
  path: string
  query: URLSearchParams
  headers: Headers
  body: string
}

export function jsonBody(request: SiteRequest): JsonObject {
  const value = parse(request.body)
  if (!isJsonObject(value)) throw refuse(400, 'The request body is not a JSON object.')
  return value
}

/** `data` of a JSON:API document that describes one resource. */
export function resourceBody(request: SiteRequest, type: string): { attributes: JsonObject; data: JsonObject } {
  const data = jsonBody(request)['data']
  if (!isJsonObject(data)) throw refuse(400, 'The request body has no data object.', '/data')
  if (data['type'] !== type) throw refuse(400, `data.type must be "${type}".`, '/data/type')
  const attributes = data['attributes']
  return { data, attributes: isJsonObject(attributes) ? attributes : {} }
}

/** The ids of a list of resource identifiers. */
export function identifiersOf(request: SiteRequest, type: string): string[] {
  const data = jsonBody(request)['data']
  if (!Array.isArray(data)) throw refuse(400, 'data must be a list of resource identifiers.', '/data')
  return data.map((entry: Json, index) => {
    if (!isJsonObject(entry) || entry['type'] !== type || typeof entry['id'] !== 'string')
      throw refuse(400, `Every entry of data needs type "${type}" and an id.`, `/data/${index}`)
    return entry['id']
  })
}

/** The site that a new resource belongs to; a creation without it is refused with 400. */
export function siteNamed(data: JsonObject): string {
  const relationships = data['relationships']
  const site = isJsonObject(relationships) ? relationships['site'] : undefined
  const of = isJsonObject(site) ? site['data'] : undefined
  const id = isJsonObject(of) ? of['id'] : undefined
  if (typeof id !== 'string') throw refuse(400, 'Site relationship is required.', '/data/relationships/site')
  return id
}

/** The token routes accept a form; in practice JSON works as well. */
export function formBody(request: SiteRequest): URLSearchParams {
  if (!(request.headers.get('content-type') ?? '').includes('json')) return new URLSearchParams(request.body)
  const value = parse(request.body)
  if (!isJsonObject(value)) throw refuseToken(400, 'Invalid request')
  const form = new URLSearchParams()
  for (const [name, field] of Object.entries(value)) if (typeof field === 'string') form.set(name, field)
  return form
}

export function text(attributes: JsonObject, name: string): string | undefined {
  const value = attributes[name]
  return typeof value === 'string' ? value : undefined
}

/**
 * "Must be a valid and deliverable address": well formed, and not under a reserved domain that can
 * never exist.
 */
export function deliverable(email: string): boolean {
  return /^[^\s@]+@[^\s@]+\.[^\s@.]{2,}$/.test(email.trim()) && !email.trim().toLowerCase().endsWith('.invalid')
}

function parse(body: string): Json | undefined {
  try {
    return JSON.parse(body) as Json
  } catch {
    return undefined
  }
}
