import { readdir, readFile } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import type { CatalogFile } from '../catalog/load.ts'
import { CommandError } from '../core/outcome.ts'

/**
 * Every YAML file below `folder` (the project's `catalog/`), in the order of their paths. Bytes
 * that are not UTF-8 become U+FFFD, by which the catalog recognises such a file and reports the
 * position; a byte order mark is kept. A missing folder throws `CommandError`. Links to folders are
 * not followed.
 */
export async function readCatalogFiles(folder: string): Promise<readonly CatalogFile[]> {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  const files: CatalogFile[] = []
  for (const path of (await entriesBelow(folder)).toSorted())
    files.push({ path: relative(folder, path).split(sep).join('/'), text: decoder.decode(await readFile(path)) })
  return files
}

async function entriesBelow(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true })
    return entries
      .filter((entry) => !entry.isDirectory() && /\.ya?ml$/i.test(entry.name) && !entry.name.startsWith('.'))
      .map((entry) => join(entry.parentPath, entry.name))
  } catch (error) {
    throw new CommandError('no_catalog', `there is no catalog in ${folder}`, {
      notDone: 'nothing was read',
      fix: 'run "crossbill init" here, or name the folder of the project with --project',
      cause: error,
    })
  }
}
