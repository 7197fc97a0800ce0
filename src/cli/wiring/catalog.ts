import { join } from 'node:path'
import { loadCatalog, type CatalogFile, type Leniency } from '../../catalog/load.ts'
import type { Catalog } from '../../catalog/types.ts'
import { formatDiagnostic, grouped, type Diagnostic, type Position } from '../../core/diagnostic.ts'
import { readCatalogFiles } from '../../files/catalog-files.ts'
import type { Shell } from '../shell.ts'
import { FindingsError } from '../usage-error.ts'

export interface CheckedCatalog {
  /** Absent when a finding is an error. */
  readonly catalog?: Catalog
  readonly files: readonly CatalogFile[]
  /**
   * Their paths are relative to the current folder, so that editors and CI can open them.
   */
  readonly findings: readonly Diagnostic[]
}

/** Reads and checks all files below catalog/, offline. */
export async function checkCatalog(
  shell: Shell,
  leniency: Leniency = 'strict',
  options: { readonly lints?: boolean } = {},
): Promise<CheckedCatalog> {
  const files = await readCatalogFiles(join(shell.project, 'catalog'))
  const loaded = loadCatalog(files, leniency, options)
  const folder = join(shell.near(shell.project), 'catalog')
  const findings = grouped(loaded.findings).map((finding) => below(folder, finding))
  return { files, findings, ...(loaded.catalog === undefined ? {} : { catalog: loaded.catalog }) }
}

/**
 * The catalog that a command works on. Findings that do not stop the command go to stderr.
 * @throws FindingsError with all findings, when the command needs an entry that is wrong
 */
export async function loadProject(
  shell: Shell,
  leniency: Leniency = 'strict',
): Promise<{ readonly catalog: Catalog; readonly files: readonly CatalogFile[] }> {
  const { catalog, files, findings } = await checkCatalog(shell, leniency)
  if (catalog === undefined) throw new FindingsError(findings)
  for (const finding of findings) shell.say(formatDiagnostic(finding))
  if (catalog.leftOut !== undefined)
    shell.say('The entries named above are left out, with the subscribers that need them. The rest continues.')
  return { catalog, files }
}

function below(folder: string, finding: Diagnostic): Diagnostic {
  const moved = (at: Position): Position => ({ ...at, file: join(folder, at.file) })
  const { at, also } = finding
  return {
    ...finding,
    ...(at === undefined ? {} : { at: moved(at) }),
    ...(also === undefined ? {} : { also: also.map(moved) }),
  }
}
