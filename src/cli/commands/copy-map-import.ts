import { exitCodes } from '../exit-codes.ts'
import { readFile } from 'node:fs/promises'
import { basename, extname } from 'node:path'
import { formatDiagnostic, hasErrors } from '../../core/diagnostic.ts'
import { importCopyMap } from '../../engine/copy-map.ts'
import { readCopyMapCsv } from '../../files/copy-map.ts'
import { command } from '../command.ts'
import { withProjectDespite } from '../wiring/project.ts'
import { plural } from '../render/words.ts'
import { FindingsError, UsageError } from '../usage-error.ts'

export const main = command({
  positionals: {
    files: {
      type: 'string',
      array: true,
      demandOption: true,
      describe: 'the CSV that Stripe provides after the copy (Dashboard, Documents)',
    },
  },
  options: {
    source: {
      type: 'string',
      requiresArg: true,
      describe: 'the old account of the file; default: the name of the file',
    },
  },
  examples: [
    ['copy-map import us.csv intl.csv', 'import one file for each account, each named like its account'],
    ['copy-map import mapping-2026-12.csv --source us', 'import a file with any name and say its account'],
  ],
  formats: ['text', 'json'],
  async run({ files, source }, shell) {
    return await withProjectDespite(shell, { leniency: 'accounts' }, async ({ context }) => {
      const known = [...context.accounts.sources.keys()]
      const read = await Promise.all(
        files.map(async (file) => {
          const from = sourceOf(file, source, known)
          return { source: from, ...readCopyMapCsv(from, file, await readFile(shell.path(file), 'utf8')) }
        }),
      )
      const findings = read.flatMap((one) => one.findings)
      if (hasErrors(findings)) throw new FindingsError(findings, files.length === 1 ? 'the copy map' : 'the copy maps')
      for (const finding of findings) shell.say(formatDiagnostic(finding))
      const imported = []
      for (const { source: from, rows } of read) imported.push(await importCopyMap(context, from, rows))
      if (shell.format === 'json') shell.json({ imported })
      else
        for (const one of imported)
          shell.out(
            `${one.source}: ${plural(one.rows, 'row')} read, ${one.added} new, ${one.changed} changed, ${one.unchanged} already known`,
          )
      return exitCodes.fine
    })
  },
})

function sourceOf(file: string, named: string | undefined, known: readonly string[]): string {
  const source = named ?? basename(file, extname(file))
  if (known.includes(source)) return source
  throw new UsageError(
    'unknown-source',
    named === undefined
      ? `the name of ${file} is not the name of a source account`
      : `there is no source account "${named}"`,
    `Use --source NAME with one of: ${known.join(', ')}.`,
  )
}
