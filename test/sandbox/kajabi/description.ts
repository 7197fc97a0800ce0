import { readFileSync } from 'node:fs'
import { type JsonObject, isJsonObject } from '../../../src/core/json.ts'

interface Description {
  types: Record<string, string[]>
  routes: Record<string, number[]>
}

const described = JSON.parse(readFileSync(new URL('description.json', import.meta.url), 'utf8')) as Description

/** What an answer of the site has that the official description does not know; empty when it conforms. */
export function strangers(
  method: string,
  path: string,
  answer: { status: number; type: string; body: JsonObject },
): string[] {
  const route = `${method} ${path.split('?')[0]?.replaceAll(/\/\d+/g, '/*')}`
  const statuses = described.routes[route]
  if (statuses === undefined)
    return answer.type.includes('html') && answer.status === 404 ? [] : [`${route} is not described`]
  // Observed on every route, although the description names them on some only.
  const known = [...statuses, 400, 401, 403, 404, 422]
  const found = known.includes(answer.status) ? [] : [`${route} answered ${answer.status}`]
  if (answer.status >= 400) return [...found, ...errorStrangers(route, answer.body)]
  const { data, included } = answer.body
  for (const entry of [data, included].flat()) if (isJsonObject(entry)) found.push(...resourceStrangers(route, entry))
  return found
}

function errorStrangers(route: string, body: JsonObject): string[] {
  const errors = body['errors']
  const first = Array.isArray(errors) ? errors[0] : undefined
  const keys = isJsonObject(first) ? Object.keys(first).toSorted().join() : ''
  return keys === 'detail,source,status,title' ? [] : [`${route} refused without the usual error: ${keys}`]
}

function resourceStrangers(route: string, resource: JsonObject): string[] {
  const { type, attributes } = resource
  const known = typeof type === 'string' ? described.types[type] : undefined
  if (known === undefined) return [`${route} answered with the unknown type ${JSON.stringify(type)}`]
  // An identifier has no attributes.
  if (!isJsonObject(attributes)) return []
  return Object.keys(attributes)
    .filter((name) => !known.includes(name))
    .map((name) => `${route}: ${JSON.stringify(type)} has no ${name}`)
}
