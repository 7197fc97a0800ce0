import { readdir, rm } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { CommandError } from '../../core/outcome.ts'
import { applyLease } from '../../engine/lease.ts'
import { removeOutput, type OutputKind } from '../../files/outputs.ts'
import { loadProject } from './catalog.ts'
import { withStore } from './project.ts'
import type { Shell } from '../shell.ts'
import { UsageError } from '../usage-error.ts'

export interface ResetSandbox {
  /** Files that were deleted, absolute. */
  readonly deleted: readonly string[]
  /** The clock of the world that the next command makes. */
  readonly clock: number | undefined
}

/**
 * Deletes the simulated accounts of the project, the store, which knows only them, and the reports
 * about them. The YAML stays. A project with a real account is refused, because its store holds
 * facts of that account.
 */
export async function resetSandbox(shell: Shell, reports: readonly OutputKind[]): Promise<ResetSandbox> {
  const {
    catalog: { project },
  } = await loadProject(shell, 'accounts')
  const real = Object.entries(project.accounts).find(([, account]) => account.sandbox !== true)
  if (real !== undefined)
    throw new UsageError(
      'no-sandbox',
      `the account ${real[0]} of this project is not simulated`,
      'Nothing was deleted.',
    )
  const { store } = project
  if (!('file' in store))
    throw new UsageError(
      'store-is-a-database',
      'the store of this project is a PostgreSQL database',
      'Nothing was deleted. Delete that database with its own tools.',
    )
  const holder = await withStore(project, shell, async (open) => open.leaseHolder(applyLease))
  if (holder !== undefined)
    throw new CommandError('lease_held', `${holder.holder} is working on these accounts`, {
      notDone: 'nothing was deleted',
      fix: 'Wait until it ends, or stop it; then run crossbill sandbox reset again.',
    })
  const file = resolve(shell.project, store.file)
  const deleted: string[] = []
  for (const name of await namesIn(dirname(file)))
    if (belongsTo(basename(file), name)) {
      await rm(join(dirname(file), name))
      deleted.push(join(dirname(file), name))
    }
  const folder = shell.pathInProject('report')
  for (const name of await namesIn(folder)) {
    const path = join(folder, name)
    for (const kind of reports) if (await removeOutput({ path, kind })) deleted.push(path)
  }
  return { deleted, clock: project.sandbox.clock }
}

/** The database, its log, and the simulated world beside it. */
function belongsTo(store: string, name: string): boolean {
  return [store, `${store}.sandbox`].some((one) => ['', '-wal', '-shm'].some((end) => name === `${one}${end}`))
}

async function namesIn(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch(() => [])
}
