import { readFileSync } from 'node:fs'
import { type Json, type JsonObject, isJsonObject } from '../../../src/core/json.ts'
import { type Described, officialText, readOfficial } from './official.ts'

/**
 * The part of the official description that the sandbox implements, kept here for machines without
 * a copy of the description.
 */
export const trimmed = JSON.parse(readFileSync(new URL('description.json', import.meta.url), 'utf8')) as Described

const text = officialText()
export const official = text === undefined ? undefined : readOfficial(text)
const described = official ?? trimmed

/**
 * Attributes that the official description names only in its prose. The details page alone shows
 * some of them, so they may be missing.
 */
const prose: Described['types'] = {
  purchases: {
    payment_plan_total_payments: ['integer', 'null'],
    status: ['string'],
    trial: ['boolean', 'null'],
    trial_end_at: ['null', 'string'],
  },
  form_submissions: { mobile_phone_number: ['null', 'string'] },
}

export interface Answered {
  readonly status: number
  readonly type: string
  readonly body: JsonObject
}

/**
 * The differences between an answer of the site and the official description; empty when it
 * conforms.
 */
export function strangers(method: string, path: string, answer: Answered): string[] {
  const route = `${method} ${path.split('?')[0]?.replaceAll(/\/\d+/g, '/*')}`
  const statuses = described.routes[route]
  if (statuses === undefined)
    return answer.type.includes('html') && answer.status === 404 ? [] : [`${route} is not described`]
  // Observed on every route, although the description names them only on some.
  const known = [...statuses, 400, 401, 403, 404, 422]
  const found = known.includes(answer.status) ? [] : [`${route} answered ${answer.status}`]
  if (answer.status >= 400) return [...found, ...errorStrangers(route, answer.body)]
  if (answer.status === 204 || /\/(oauth\/\w+|version)$/.test(route)) return found
  const { data, included } = answer.body
  const many = /^GET \/v1\/\w+$/.test(route) && route !== 'GET /v1/me'
  // The answer of a deletion is empty.
  if (data === undefined && method === 'DELETE') return found
  if (many !== Array.isArray(data) && !route.includes('relationships'))
    found.push(`${route} answered no ${many ? 'list' : 'object'}`)
  const sparse = /[?&]fields(\[|%5B)/.test(path)
  for (const entry of [data, included].flat())
    found.push(
      ...(isJsonObject(entry)
        ? resourceStrangers(route, entry, sparse)
        : entry === undefined
          ? []
          : [`${route}: no resource`]),
    )
  return found
}

function errorStrangers(route: string, body: JsonObject): string[] {
  // The route of the token has flat errors (`errors_authentication_failed`).
  if (route === 'POST /v1/oauth/token')
    return typeof body['error'] === 'string' ? [] : [`${route} refused without "error"`]
  const errors = body['errors']
  const first = Array.isArray(errors) ? errors[0] : undefined
  const keys = isJsonObject(first) ? Object.keys(first).toSorted().join() : ''
  return keys === 'detail,source,status,title' ? [] : [`${route} refused without the usual error: ${keys}`]
}

function resourceStrangers(route: string, resource: JsonObject, sparse: boolean): string[] {
  const { id, type, attributes } = resource
  const known = typeof type === 'string' ? described.types[type] : undefined
  if (known === undefined) return [`${route} answered with the unknown type ${JSON.stringify(type)}`]
  const found = typeof id === 'string' ? [] : [`${route}: ${JSON.stringify(type)} without an id of text`]
  // An identifier has no attributes.
  if (!isJsonObject(attributes)) return found
  const all = { ...known, ...prose[type as string] }
  for (const [name, value] of Object.entries(attributes)) {
    const types = all[name]
    if (types === undefined) found.push(`${route}: ${JSON.stringify(type)} has no ${name}`)
    else if (types.length > 0 && !types.some((one) => isOf(one, value)))
      found.push(
        `${route}: ${JSON.stringify(type)} ${name} should be ${types.join(' or ')}, is ${JSON.stringify(value)}`,
      )
  }
  const missing = sparse ? [] : Object.keys(known).filter((name) => !Object.hasOwn(attributes, name))
  return [...found, ...missing.map((name) => `${route}: ${JSON.stringify(type)} lacks ${name}`)]
}

function isOf(type: string, value: Json | undefined): boolean {
  switch (type) {
    case 'null':
      return value === null
    case 'array':
      return Array.isArray(value)
    case 'object':
      return isJsonObject(value)
    case 'integer':
      return Number.isInteger(value)
    default:
      return typeof value === type
  }
}
