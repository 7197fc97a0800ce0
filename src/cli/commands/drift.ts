import { exitCodes } from '../exit-codes.ts'
import { drift } from '../../engine/verify/drift.ts'
import { command } from '../command.ts'
import { withProjectDespite } from '../wiring/project.ts'
import { driftMarkdown, driftText } from '../render/drift-text.ts'

export const main = command({
  positionals: {},
  options: {},
  examples: [
    [
      'drift',
      'show what was changed outside Crossbill since the last apply or pull; exit 0 no drift, 2 drift, 1 error',
    ],
  ],
  formats: ['text', 'json', 'markdown'],
  pages: true,
  async run(_flags, shell) {
    return await withProjectDespite(shell, { leniency: 'accounts' }, async ({ context }) => {
      const result = await drift(context)
      if (shell.format === 'json') shell.json(result)
      else shell.out(shell.format === 'markdown' ? driftMarkdown(result) : driftText(result, shell.paint))
      return result.drift.length === 0 && context.catalog.leftOut === undefined ? exitCodes.fine : exitCodes.found
    })
  },
})
