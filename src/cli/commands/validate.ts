import { exitCodes } from '../exit-codes.ts'
import { checkCatalog } from '../wiring/catalog.ts'
import { command } from '../command.ts'
import { findingsText } from '../report-error.ts'
import { plural } from '../render/words.ts'

export const main = command({
  positionals: {},
  options: {},
  examples: [['validate', 'check catalog/ offline; each finding has its file, line, rule and fix']],
  formats: ['text', 'json'],
  pages: true,
  async run(_flags, shell) {
    const { catalog, findings } = await checkCatalog(shell, 'strict', { lints: true })
    if (shell.format === 'json') shell.json({ ok: catalog !== undefined, findings })
    else {
      if (findings.length > 0) shell.out(findingsText(findings))
      if (catalog !== undefined)
        shell.out(
          shell.paint.green(
            `Valid: ${plural(catalog.resources.length, 'resource')}, ${plural(catalog.subscribers.length, 'subscriber')}.`,
          ),
        )
    }
    return catalog === undefined ? exitCodes.error : exitCodes.fine
  },
})
