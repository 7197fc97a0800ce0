import { placeOf, type FileKind } from '../catalog/file-kinds.ts'
import { present } from '../core/assert.ts'
import type { JsonObject } from '../core/json.ts'

/** A file of each kind, and where such files lie below catalog/. */
const files: readonly { readonly kind: FileKind; readonly example: string; readonly where: string }[] = [
  { kind: 'project', example: 'project.yaml', where: 'catalog/project.yaml' },
  { kind: 'resources', example: 'prices.yaml', where: 'catalog/*.yaml' },
  { kind: 'access', example: 'access.yaml', where: 'catalog/access.yaml' },
  { kind: 'externals', example: 'externals.yaml', where: 'catalog/externals.yaml' },
  { kind: 'mappings', example: 'mappings/us.yaml', where: 'catalog/mappings/*.yaml' },
  { kind: 'subscribers', example: 'subscribers/us/wave-01.yaml', where: 'catalog/subscribers/*/*.yaml' },
]

export const schemaNames: readonly FileKind[] = files.map((file) => file.kind)

/**
 * The JSON Schema of one kind of file, as editors take it: the very schema that `validate` checks
 * with.
 */
export function schemaOf(kind: FileKind): JsonObject {
  const { example, where } = present(
    files.find((file) => file.kind === kind),
    kind,
  )
  const { schema } = present(placeOf(example), example)
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: `Crossbill: ${where}`,
    // Once through JSON: what only the program needs (symbols of the schema library) stays behind.
    // `instant` is a stricter date-time of ours.
    ...(JSON.parse(JSON.stringify(schema).replaceAll('"format":"instant"', '"format":"date-time"')) as JsonObject),
  }
}
