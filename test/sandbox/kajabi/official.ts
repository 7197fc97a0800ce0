import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { isJsonObject, type Json, type JsonObject } from '../../../src/core/json.ts'

/**
 * The known parts of the site's API: attributes with their JSON types by resource type, and
 * documented statuses by route.
 */
export interface Described {
  readonly types: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>
  readonly routes: Readonly<Record<string, readonly number[]>>
}

/** Kajabi's own description, if a copy is beside this repository or the environment names one. */
const folder =
  process.env['CROSSBILL_KAJABI_SPEC'] ?? fileURLToPath(new URL('../../../../shared/spec', import.meta.url))

export function officialText(): string | undefined {
  if (!existsSync(folder)) return undefined
  if (/\.ya?ml$/.test(folder)) return readFileSync(folder, 'utf8')
  const file = readdirSync(folder).find((name) => /^kajabi-openapi.*\.ya?ml$/.test(name))
  return file === undefined ? undefined : readFileSync(join(folder, file), 'utf8')
}

/** Resource types whose schemas have another name. */
const called: Readonly<Record<string, string>> = { me: 'users', form: 'forms', form_submission: 'form_submissions' }

export function readOfficial(text: string): Described {
  const whole = parse(text) as JsonObject
  const schemas = objectIn(objectIn(whole, 'components'), 'schemas')
  const types: Record<string, Record<string, readonly string[]>> = {}
  for (const [name, schema] of Object.entries(schemas)) {
    const [, resource] = /^(\w+)_attributes$/.exec(name) ?? []
    if (resource === undefined || !isJsonObject(schema)) continue
    const attributes = Object.entries(objectIn(schema, 'properties'))
    types[called[resource] ?? resource] = Object.fromEntries(
      attributes.map(([key, one]) => [key, typesOf(one ?? null)]),
    )
  }
  const routes: Record<string, readonly number[]> = {}
  for (const [path, operations] of Object.entries(objectIn(whole, 'paths')))
    for (const [method, operation] of Object.entries(operations as JsonObject))
      if (isJsonObject(operation) && isJsonObject(operation['responses']))
        routes[`${method.toUpperCase()} ${path.replaceAll(/\{\w+\}/g, '*')}`] = Object.keys(operation['responses']).map(
          Number,
        )
  return { types, routes }
}

function objectIn(object: JsonObject, key: string): JsonObject {
  const inner = object[key]
  return isJsonObject(inner) ? inner : {}
}

/** `type: [string, null]`, `nullable: true`, or no type: anything. */
function typesOf(schema: Json): readonly string[] {
  if (!isJsonObject(schema)) return []
  const { type, nullable } = schema
  const named = (Array.isArray(type) ? type : type === undefined ? [] : [type]).map(String)
  return [...new Set(nullable === true && named.length > 0 ? [...named, 'null'] : named)].toSorted()
}
