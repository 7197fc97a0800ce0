import type { Context } from './context.ts'
import { notYet } from './not-yet.ts'

export interface PullOptions {
  /** Only these sources; all of them when absent. `target` may be named to bring its own catalog into YAML. */
  readonly sources?: readonly string[]
  /** The YAML there is, by path relative to catalog/ (`prices.yaml`, `subscribers/us/wave-01.yaml`): hand-made edits and comments are kept. */
  readonly files: ReadonlyMap<string, string>
}

export interface PullResult {
  /** Files to write, new or changed, by path relative to catalog/. An unchanged account gives none. */
  readonly files: ReadonlyMap<string, string>
  /** What was found and merged, one sentence each, for people. */
  readonly notes: readonly string[]
  readonly summary: Readonly<Record<string, number>>
}

/** Reads the accounts and says what the YAML should be. The command line writes the files. */
export async function pull(context: Context, options: PullOptions): Promise<PullResult> {
  return notYet(`pull ${context.tool} ${options.files.size}`)
}
