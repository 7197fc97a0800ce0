import { exitCodes } from '../exit-codes.ts'
import { verify } from '../../engine/verify/verify.ts'
import { command } from '../command.ts'
import { withProjectDespite } from '../wiring/project.ts'
import { verifyMarkdown, verifyText } from '../render/verify-text.ts'

export const main = command({
  positionals: {},
  options: {},
  examples: [
    ['verify', 'is everybody billed by exactly one account, as declared? Exit 0 holds, 2 violations, 1 error'],
    ['verify --format json', 'for a job that runs every night'],
  ],
  formats: ['text', 'json', 'markdown'],
  async run(_flags, shell) {
    return await withProjectDespite(shell, { leniency: 'accounts' }, async ({ context }) => {
      const result = await verify(context)
      if (shell.format === 'json') shell.json(result)
      else shell.out(shell.format === 'markdown' ? verifyMarkdown(result) : verifyText(result, shell.paint))
      return result.ok ? exitCodes.fine : exitCodes.found
    })
  },
})
