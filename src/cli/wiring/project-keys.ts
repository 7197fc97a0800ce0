import { join } from 'node:path'
import { loadCatalog, type CatalogFile } from '../../catalog/load.ts'
import { leftOutEntries } from '../../catalog/left-out.ts'
import { isJsonObject } from '../../core/json.ts'
import { CommandError } from '../../core/outcome.ts'
import { readCatalogFiles } from '../../files/catalog-files.ts'
import { kinds } from '../../kinds/registry.ts'
import type { ProjectKeys } from '../schemas.ts'
import type { Shell } from '../shell.ts'

/**
 * The keys of a project's catalog, for completion in an editor. An entry with an error has a key as
 * well; a folder without a catalog has none.
 */
export async function projectKeys(shell: Shell): Promise<ProjectKeys> {
  try {
    return keysIn(await readCatalogFiles(join(shell.project, 'catalog')))
  } catch (error) {
    if (error instanceof CommandError && error.code === 'no_catalog') return new Map()
    throw error
  }
}

function keysIn(files: readonly CatalogFile[]): ProjectKeys {
  // Nothing refers to a subscriber, and there may be very many.
  const { catalog } = loadCatalog(
    files.filter(({ path }) => !path.startsWith('subscribers/')),
    'accounts',
  )
  if (catalog === undefined) return new Map()
  const entries = [...catalog.resources, ...leftOutEntries(catalog)]
  const offers = isJsonObject(catalog.access['offers']) ? Object.keys(catalog.access['offers']) : []
  return new Map<string, readonly string[]>([
    ...kinds.map((kind): [string, string[]] => [
      kind.section,
      [...new Set(entries.filter((one) => one.kind === kind.name).map(({ key }) => key))].toSorted(),
    ]),
    ['offers', offers],
  ])
}
