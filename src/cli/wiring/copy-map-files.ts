import { addAll } from '../../core/lists.ts'
import { isSystemError } from '../report-error.ts'
import type { Leniency } from '../../catalog/load.ts'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Project } from '../../catalog/types.ts'
import { hasErrors, type Diagnostic, formatDiagnostic } from '../../core/diagnostic.ts'
import { instant } from '../../core/instant.ts'
import type { CopyMapRow, Store } from '../../engine/ports.ts'
import { CopyMapIndex, readCopyMapCsv } from '../../files/copy-map.ts'
import type { Shell } from '../shell.ts'
import { FindingsError } from '../usage-error.ts'

/**
 * The store with the copy maps of the repository (`copy_maps` in project.yaml) added to the
 * imported rows. For the same old payment method the imported row wins, because it is newer.
 */
export async function withCopyMapFiles<S extends Store>(
  store: S,
  project: Project,
  shell: Shell,
  leniency: Leniency = 'strict',
): Promise<S> {
  const kept = await readCopyMapFiles(project, shell, leniency)
  if (kept.length === 0) return store
  return {
    ...store,
    async *copyMap(source?: string) {
      const imported = new Set<string>()
      for await (const row of store.copyMap(source)) {
        imported.add(identity(row))
        yield row
      }
      for (const row of kept)
        if ((source === undefined || row.source === source) && !imported.has(identity(row))) yield row
    },
  }
}

function identity({ source, customerOld, sourceOld }: CopyMapRow): string {
  return `${source} ${customerOld} ${sourceOld}`
}

async function readCopyMapFiles(project: Project, shell: Shell, leniency: Leniency): Promise<CopyMapRow[]> {
  const findings: Diagnostic[] = []
  const rows: CopyMapRow[] = []
  const left = new Set<string>()
  for (const [source, names] of Object.entries(project.copy_maps)) {
    // Files of the repository have no order. Only an import can ask the target which of two
    // conflicting rows is right.
    const index = new CopyMapIndex()
    for (const name of names) {
      const path = join(shell.project, 'catalog', name)
      const text = await textOf(path, shell, leniency)
      if (text === undefined) continue
      const read = readCopyMapCsv(source, shell.near(path), text, index)
      addAll(findings, read.findings)
      if (hasErrors(read.findings)) left.add(source)
      addAll(
        rows,
        read.rows.map((row) => ({ ...row, importedAt: instant(0) })),
      )
    }
  }
  if (!hasErrors(findings)) return rows
  if (leniency === 'strict') throw new FindingsError(findings)
  // Subscribers of a file that is left out have no copied payment method, so they are not moved.
  for (const finding of findings) shell.say(formatDiagnostic(finding))
  return rows.filter((row) => !left.has(row.source))
}

async function textOf(path: string, shell: Shell, leniency: Leniency): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (leniency === 'strict' || !isSystemError(error)) throw error
    shell.say(`${shell.near(path)} cannot be read (${error.code}); its subscribers are not moved`)
    return undefined
  }
}
