import { exitCodes } from '../exit-codes.ts'
import { verify } from '../../engine/verify/verify.ts'
import { command } from '../command.ts'
import { withProjectDespite } from '../wiring/project.ts'
import { verifyMarkdown, verifyText } from '../render/verify-text.ts'

export const main = command({
  positionals: {},
  options: {},
  examples: [
    [
      'verify',
      'check that exactly one account bills each subscriber, as declared; exit 0 no violation, 2 violations, 1 error',
    ],
    ['verify --format json', 'print JSON, for a nightly job'],
  ],
  formats: ['text', 'json', 'markdown'],
  pages: true,
  async run(_flags, shell) {
    return await withProjectDespite(shell, { leniency: 'accounts' }, async ({ context }) => {
      const result = await verify(context)
      if (shell.format === 'json') shell.json(result)
      else shell.out(shell.format === 'markdown' ? verifyMarkdown(result) : verifyText(result, shell.paint))
      return result.ok ? exitCodes.fine : exitCodes.found
    })
  },
})
