import { exitCodes } from '../exit-codes.ts'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { suggest } from '../../core/suggest.ts'
import { pull } from '../../engine/pull.ts'
import { writeWhole } from '../../files/write.ts'
import { command } from '../command.ts'
import { schemaFolder } from '../../pull/files.ts'
import { refuseTakenSchemas, writeSchemas } from '../wiring/project-files.ts'
import { projectKeys } from '../wiring/project-keys.ts'
import { withProject } from '../wiring/project.ts'
import { columns, plural } from '../render/words.ts'
import { UsageError } from '../usage-error.ts'

export const main = command({
  positionals: {},
  options: {
    source: {
      type: 'string',
      array: true,
      requiresArg: true,
      describe: 'read only this account; may be repeated; `target` writes its own catalog as YAML',
    },
  },
  examples: [
    ['pull', 'write what the old accounts hold into catalog/; your edits and comments are kept'],
    ['pull --source us', 'read only one old account'],
  ],
  formats: ['text', 'json'],
  async run({ source: sources }, shell) {
    const schemas = join(shell.project, schemaFolder)
    return await withProject(shell, async ({ context, files }) => {
      await refuseTakenSchemas(schemas)
      refuseUnknown(sources ?? [], Object.keys(context.catalog.project.accounts))
      const known = new Map(files.map((file) => [file.path, file.text]))
      const pulled = await pull(context, { files: known, ...(sources === undefined ? {} : { sources }) })
      for (const [path, text] of pulled.files) await writeWhole(join(shell.project, 'catalog', path), text)
      const written = [...pulled.files.keys()]
      if (written.some((path) => !known.has(path)) || existsSync(schemas))
        await writeSchemas(schemas, { keys: await projectKeys(shell) })
      if (shell.format === 'json') shell.json({ summary: pulled.summary, written, notes: pulled.notes })
      else {
        for (const note of pulled.notes) shell.out(note)
        shell.out(
          columns(Object.entries(pulled.summary).map(([what, count]) => [`  ${String(count).padStart(6)}`, what])).join(
            '\n',
          ),
        )
        shell.out(declaredLine(context.catalog.subscribers.length, pulled.summary))
        shell.out(
          written.length === 0
            ? matchesLine(sources, context.accounts)
            : `Wrote ${plural(written.length, 'file')} below catalog/: ${written.join(', ')}`,
        )
      }
      return exitCodes.fine
    })
  },
})

/** A pull reads the old accounts; the target only on request, because plans compare it. */
function matchesLine(
  sources: readonly string[] | undefined,
  {
    target,
    sources: all,
  }: { readonly target: { readonly name: string }; readonly sources: ReadonlyMap<string, unknown> },
): string {
  const read = sources ?? [...all.keys()]
  const hint = read.includes(target.name)
    ? ''
    : ` The objects of ${target.name} were not read: crossbill pull --source ${target.name} reads them.`
  return read.length === 0
    ? `The project has no old account, so nothing was read.${hint}`
    : `catalog/ already matches ${read.join(', ')}.${hint}`
}

/** Why the number of those who were read is not that of the YAML. */
function declaredLine(before: number, summary: Readonly<Record<string, number>>): string {
  const { subscribers = 0, new_subscribers: added = 0 } = summary
  const all = before + added
  const absent = all - subscribers
  const rest =
    absent === 0
      ? ''
      : `: ${subscribers} live in the accounts that were read, ${absent} settled, ended or in another account`
  return `${plural(all, 'subscriber')} in the YAML${rest}.`
}

function refuseUnknown(named: readonly string[], known: readonly string[]): void {
  for (const name of named) {
    if (known.includes(name)) continue
    const near = suggest(name, known)
    throw new UsageError(
      'unknown-source',
      `the project has no account "${name}"`,
      near === undefined ? `It has: ${known.join(', ')}.` : `Did you mean ${near}?`,
    )
  }
}
