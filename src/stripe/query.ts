import type { Json } from '../core/json.ts'
import type { Params } from '../engine/ports.ts'

/**
 * `?status=all&expand[0]=data.customer&created[gte]=1…`: the form of parameters in the address of a
 * GET or DELETE; '' without parameters.
 */
export function queryString(params: Params): string {
  const pairs = Object.entries(params).flatMap(([name, value]) => encode(name, value))
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`
}

function encode(name: string, value: Json | undefined): string[] {
  if (value === undefined) return []
  if (Array.isArray(value)) return value.flatMap((one: Json, index) => encode(`${name}[${index}]`, one))
  if (value !== null && typeof value === 'object')
    return Object.entries(value).flatMap(([key, one]) => encode(`${name}[${key}]`, one))
  return [
    `${encodeURIComponent(name)}=${encodeURIComponent(value === null ? '' : String(value as string | number | boolean))}`,
  ]
}
