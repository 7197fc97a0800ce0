import { placeOf, type FileKind } from '../catalog/file-kinds.ts'
import { present } from '../core/assert.ts'
import type { JsonObject } from '../core/json.ts'

/** An example file of each kind, and where such files are. */
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
 * The JSON Schema of one kind of file, for editors. `validate` checks with the same schema.
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
    // A round trip through JSON removes the symbols of the schema library, which editors do not
    // need. `instant` is Crossbill's stricter date-time.
    ...(JSON.parse(JSON.stringify(schema).replaceAll('"format":"instant"', '"format":"date-time"')) as JsonObject),
  }
}
