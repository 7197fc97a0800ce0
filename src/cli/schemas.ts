import { confirmedSchema } from '../assumptions/record.ts'
import { placeOf, type FileKind } from '../catalog/file-kinds.ts'
import { withHoverTexts } from './hover-texts.ts'
import type { OutputKind } from '../files/outputs.ts'
import { present } from '../core/assert.ts'
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts'
import { keyMark } from '../kinds/schema.ts'

/**
 * The kinds of files that people write, and the one that `confirm` writes. The mappings of the
 * target adopt objects of every kind, so they have a schema of their own.
 */
export type SchemaName = FileKind | 'target-mappings' | 'confirmed'

/** An example file of each kind, and where such files are. */
const files: readonly { readonly kind: SchemaName; readonly example: string; readonly where: string }[] = [
  { kind: 'project', example: 'project.yaml', where: 'catalog/project.yaml' },
  { kind: 'resources', example: 'prices.yaml', where: 'catalog/*.yaml' },
  { kind: 'access', example: 'access.yaml', where: 'catalog/access.yaml' },
  { kind: 'externals', example: 'externals.yaml', where: 'catalog/externals.yaml' },
  { kind: 'mappings', example: 'mappings/us.yaml', where: 'catalog/mappings/*.yaml' },
  { kind: 'target-mappings', example: 'mappings/target.yaml', where: 'catalog/mappings/target.yaml' },
  { kind: 'subscribers', example: 'subscribers/us/wave-01.yaml', where: 'catalog/subscribers/*/*.yaml' },
  { kind: 'confirmed', example: '', where: 'state/confirmed.json' },
]

export const schemaNames: readonly SchemaName[] = files.map((file) => file.kind)

/** A schema that an earlier run wrote. */
export const schemaKind: OutputKind = {
  what: 'a schema',
  isOne: (text) => /^\s*\{\s*"\$schema":\s*"[^"]*",\s*"title":\s*"Crossbill: /.test(text),
}

/**
 * The JSON Schema of one kind of file, for editors. `validate` checks with the same schema.
 */
export function schemaOf(kind: SchemaName, keys: ProjectKeys = new Map()): JsonObject {
  const { example, where } = present(
    files.find((file) => file.kind === kind),
    kind,
  )
  const schema = kind === 'confirmed' ? confirmedSchema : present(placeOf(example), example).schema
  const plain = JSON.parse(
    JSON.stringify(schema).replaceAll('"format":"instant"', '"format":"date-time"'),
  ) as JsonObject
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: `Crossbill: ${where}`,
    // A round trip through JSON removes the symbols of the schema library, which editors do not
    // need. `instant` is Crossbill's stricter date-time.
    ...(withHoverTexts(withKeys(plain, keys)) as JsonObject),
  }
}

/** Keys of this catalog, by section; `offers` are those of access.yaml. */
export type ProjectKeys = ReadonlyMap<string, readonly string[]>

/**
 * Editors complete a reference from the keys of the project. Another key stays valid, because it
 * may be written a minute later; `validate` finds the ones that are missing.
 */
function withKeys(schema: JsonObject, keys: ProjectKeys): JsonObject {
  const used = new Set<string>()
  const completed = completing(schema, (section) => {
    if ((keys.get(section)?.length ?? 0) === 0) return undefined
    used.add(section)
    return { $ref: `#/$defs/${section}` }
  })
  if (used.size === 0 || !isJsonObject(completed)) return schema
  const lists = [...used].toSorted().map((section) => [section, { enum: [...(keys.get(section) ?? [])] }] as const)
  return { ...completed, $defs: Object.fromEntries(lists) }
}

function completing(node: Json, listOf: (section: string) => JsonObject | undefined): Json {
  if (Array.isArray(node)) return (node as readonly Json[]).map((one) => completing(one, listOf))
  if (!isJsonObject(node)) return node
  const { $comment: comment, description } = node
  const section = typeof comment === 'string' && comment.startsWith(keyMark) ? comment.slice(keyMark.length) : undefined
  const list = section === undefined ? undefined : listOf(section)
  if (list !== undefined)
    return { anyOf: [list, { type: 'string', pattern: node['pattern'] ?? '.' }], description: description ?? '' }
  return Object.fromEntries(Object.entries(node).map(([name, inner]) => [name, completing(inner ?? null, listOf)]))
}
