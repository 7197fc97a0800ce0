import { suggest } from '../../core/suggest.ts'
import type { Diagnostic, Position } from '../../core/diagnostic.ts'
import { type Draft } from '../draft.ts'
import { error } from '../rule-names.ts'
import { targetAccount } from '../types.ts'

/** Every source named anywhere is an account of the project. */
export function unknownSources(draft: Draft): readonly Diagnostic[] {
  const { project, projectFile } = draft
  if (project === undefined || projectFile === undefined) return []
  const sources = Object.keys(project.accounts).filter((name) => name !== targetAccount)
  const named = new Map<string, { readonly name: string; readonly at: Position }>()
  const note = (where: string, name: string, at: Position): void => {
    if (!named.has(where)) named.set(where, { name, at })
  }
  for (const name of Object.keys(project.copy_maps))
    note(`copy_maps ${name}`, name, projectFile.locate(['copy_maps', name], 'key'))
  for (const [index, name] of project.sandbox.copied.entries())
    note(`copied ${name}`, name, projectFile.locate(['sandbox', 'copied', index]))
  for (const one of draft.mappings)
    if (one.source !== targetAccount) note(one.file.path, one.source, one.file.locate([]))
  for (const one of draft.subscribers) note(one.file, one.source, one.at)
  for (const one of draft.externals) note(`external ${one.source}`, one.source, one.at)
  return [...named.values()]
    .filter(({ name }) => !sources.includes(name))
    .map(({ name, at }) => {
      const near = suggest(name, sources)
      const fix = near === undefined ? `the project’s sources: ${sources.join(', ')}` : `did you mean "${near}"?`
      return error('unknown-source', `"${name}" is not a source of the project`, fix, at)
    })
}
