import { readdir, readFile } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import type { CatalogFile } from '../catalog/load.ts'
import type { Diagnostic } from '../core/diagnostic.ts'
import { CommandError } from '../core/outcome.ts'

/**
 * Every YAML file below `folder` (the project's `catalog/`), in the order of their paths. A file that is not UTF-8 text is a finding; a folder that is not there
 * throws `CommandError`. Links to folders are not followed.
 */
export async function readCatalogFiles(
  folder: string,
): Promise<{ readonly files: readonly CatalogFile[]; readonly findings: readonly Diagnostic[] }> {
  const paths = (await entriesBelow(folder)).toSorted()
  const files: CatalogFile[] = []
  const findings: Diagnostic[] = []
  for (const path of paths) {
    const shown = relative(folder, path).split(sep).join('/')
    const text = decode(await readFile(path))
    if (text === undefined) findings.push(notText(shown))
    else files.push({ path: shown, text })
  }
  return { files, findings }
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

/** The text, a byte order mark left in place; undefined when it is not UTF-8. */
function decode(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}

function notText(file: string): Diagnostic {
  return {
    severity: 'error',
    rule: 'not-utf8',
    message: 'the file is not UTF-8 text',
    fix: 'save it as UTF-8',
    at: { file, line: 1, column: 1 },
  }
}
