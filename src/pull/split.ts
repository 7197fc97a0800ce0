import { loadCatalog } from '../catalog/load.ts'
import type { DesiredSubscriber } from '../catalog/types.ts'
import { canonicalJson } from '../core/canonical.ts'
import type { Wave } from '../plan/waves.ts'
import { PulledFiles } from './files.ts'

/** New contents by path relative to catalog/, and files that no longer have an entry. */
export interface SplitFiles {
  readonly written: ReadonlyMap<string, string>
  readonly emptied: readonly string[]
}

/**
 * Moves the entries of subscribers into the files of their waves. Each entry keeps its text and its
 * comments. Undefined when the result would not declare exactly the same subscribers.
 */
export function splitFiles(before: ReadonlyMap<string, string>, waves: readonly Wave[]): SplitFiles | undefined {
  const home = new Map(subscribersIn(before).map(({ key, file }) => [key as string, file]))
  const files = new PulledFiles(before)
  const moved = waves.flatMap((wave) =>
    wave.subscribers.map((key) => {
      const from = home.get(key) ?? wave.file
      return { from, pair: files.open(from).take('subscribers', oldIdOf(key)), wave }
    }),
  )
  for (const { file, rule, renewals } of waves) {
    const text = files.open(file)
    text.setHeader(headerOf(rule, renewals))
    text.setTop('stage', 'source')
  }
  for (const { pair, wave } of moved) if (pair !== undefined) files.open(wave.file).put('subscribers', pair)
  const emptied = [...new Set(moved.map(({ from }) => from))].filter((path) => files.open(path).isEmpty('subscribers'))
  const written = new Map([...files.changed()].filter(([path]) => !emptied.includes(path)))
  const after = new Map([...before, ...written])
  for (const path of emptied) after.delete(path)
  return told(subscribersIn(before)) === told(subscribersIn(after)) ? { written, emptied } : undefined
}

function headerOf(rule: string, renewals: Wave['renewals']): string {
  const dates =
    renewals === null ? '' : `, next renewals ${renewals.first.slice(0, 10)} to ${renewals.last.slice(0, 10)}`
  return `Wave by rule: ${rule}${dates}. \`stage\` moves it: source → target → settled.`
}

function oldIdOf(key: string): string {
  return key.slice(key.indexOf('/') + 1)
}

function subscribersIn(files: ReadonlyMap<string, string>): readonly DesiredSubscriber[] {
  const loaded = loadCatalog(
    [...files].map(([path, text]) => ({ path, text })),
    'entries',
  )
  return loaded.catalog?.subscribers ?? []
}

/** Everything that an entry says, without its place. A file without a stage gets `source`. */
function told(subscribers: readonly DesiredSubscriber[]): string {
  const said = subscribers.map(({ at: _at, file: _file, unstaged: _unstaged, ...terms }) => canonicalJson(terms))
  return said.toSorted().join('\n')
}
