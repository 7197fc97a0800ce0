import type { TSchema } from 'typebox'
import { accessSchema } from './schemas/access.ts'
import { kinds } from '../kinds/registry.ts'
import { catalogSchema, externalsSchema } from './schemas/catalog.ts'
import { mappingsSchema, targetMappingsSchema } from './schemas/mappings.ts'
import { projectSchema } from './schemas/project.ts'
import { subscribersSchema } from './schemas/subscribers.ts'
import { targetAccount } from './types.ts'

const targetMappings = targetMappingsSchema(kinds.map((kind) => kind.section))

export type FileKind = 'project' | 'resources' | 'access' | 'externals' | 'mappings' | 'subscribers'

/** What a file below catalog/ holds; its path decides. */
export interface FilePlace {
  readonly kind: FileKind
  readonly schema: TSchema
  /** The account to which the mappings or subscribers belong. */
  readonly source?: string
}

/** Undefined for a file that has no place in a catalog. */
export function placeOf(path: string): FilePlace | undefined {
  if (path === 'project.yaml') return { kind: 'project', schema: projectSchema }
  if (path === 'access.yaml') return { kind: 'access', schema: accessSchema }
  if (path === 'externals.yaml') return { kind: 'externals', schema: externalsSchema }
  if (/^[^/]+\.ya?ml$/.test(path)) return { kind: 'resources', schema: catalogSchema }
  const mappings = /^mappings\/([^/]+)\.ya?ml$/.exec(path)?.[1]
  if (mappings !== undefined) {
    const schema = mappings === targetAccount ? targetMappings : mappingsSchema
    return { kind: 'mappings', schema, source: mappings }
  }
  const source = /^subscribers\/([^/]+)\/(?:[^/]+\/)*[^/]+\.ya?ml$/.exec(path)?.[1]
  return source === undefined ? undefined : { kind: 'subscribers', schema: subscribersSchema, source }
}
