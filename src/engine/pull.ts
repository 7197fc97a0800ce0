import type { Context } from './context.ts'
import { pullCatalog } from '../catalog/pull.ts'
import { readAccount } from './read-account.ts'
import { readResources } from './read-resources.ts'

export interface PullOptions {
  /** Only these sources; all of them when absent. `target` may be named to bring its own catalog into YAML. */
  readonly sources?: readonly string[]
  /** The YAML there is, by path relative to catalog/ (`prices.yaml`, `subscribers/us/wave-01.yaml`): hand-made edits and comments are kept. */
  readonly files: ReadonlyMap<string, string>
  /** Subscribers in a new wave; 500 when absent. */
  readonly waveSize?: number
}

export interface PullResult {
  /** Files to write, new or changed, by path relative to catalog/. An unchanged account gives none. */
  readonly files: ReadonlyMap<string, string>
  /** What was found and merged, one sentence each, for people. */
  readonly notes: readonly string[]
  readonly summary: Readonly<Record<string, number>>
}

/**
 * Reads the accounts and says what the YAML should be. The command line writes the files.
 * @throws CommandError when an account cannot be read to its end.
 */
export async function pull(context: Context, options: PullOptions): Promise<PullResult> {
  const { accounts, progress, catalog } = context
  const known = [accounts.target, ...accounts.sources.values()]
  const wanted = options.sources ?? [...accounts.sources.keys()]
  const chosen = known.filter(({ name }) => wanted.includes(name))
  progress.start('reading accounts', chosen.length)
  const read = await Promise.all(
    chosen.map(async (account) => ({
      live: await readAccount(account, progress),
      resources: await readResources(account),
    })),
  )
  progress.done()
  return pullCatalog({
    project: catalog.project.name,
    accounts: read,
    files: options.files,
    now: accounts.target.now(),
    ...(options.waveSize === undefined ? {} : { waveSize: options.waveSize }),
  })
}
