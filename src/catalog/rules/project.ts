import { suggest } from '../../core/suggest.ts'
import type { Diagnostic, Position } from '../../core/diagnostic.ts'
import { type Draft } from '../draft.ts'
import { error } from '../rule-names.ts'
import { targetAccount } from '../types.ts'

/** Every source that a file names is an account of the project. */
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
      const fix =
        near === undefined ? `the sources of the project are ${sources.join(', ')}` : `did you mean "${near}"?`
      return error('unknown-source', `"${name}" is not a source of the project`, fix, at)
    })
}

/**
 * Each configured account is a different Stripe account: an account with two names would be billed
 * twice and moved into itself.
 */
export function distinctAccounts({ project, projectFile }: Draft): readonly Diagnostic[] {
  if (project === undefined || projectFile === undefined) return []
  const found: Diagnostic[] = []
  const first = new Map<string, string>()
  const real = Object.entries(project.accounts).flatMap(([name, account]) =>
    account.sandbox === true ? [] : [{ name, id: account.account, livemode: account.livemode }],
  )
  for (const { name, id } of real) {
    const other = first.get(id)
    if (other === undefined) first.set(id, name)
    else {
      const message = `accounts ${other} and ${name} are the same account, ${id}`
      const fix = 'write the id of the other account: each name needs its own account'
      found.push(error('account-twice', message, fix, projectFile.locate(['accounts', name, 'account'])))
    }
  }
  const target = real.find(({ name }) => name === targetAccount)
  for (const { name, livemode } of real) {
    if (target === undefined || livemode === target.livemode) continue
    const message = `account ${name} is in ${mode(livemode)}, the target is in ${mode(target.livemode)}`
    const fix = 'use keys of one mode: a subscriber moved from live mode into test mode would not be charged'
    found.push(error('mixed-modes', message, fix, projectFile.locate(['accounts', name, 'livemode'])))
  }
  return found
}

function mode(livemode: boolean): string {
  return livemode ? 'live mode' : 'test mode'
}
