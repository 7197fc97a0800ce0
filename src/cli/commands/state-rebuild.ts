import { exitCodes } from '../exit-codes.ts'
import { stateRebuild } from '../../engine/rebuild.ts'
import { command } from '../command.ts'
import { withProjectDespite } from '../wiring/project.ts'
import { plural } from '../render/words.ts'

export const main = command({
  positionals: {},
  options: {},
  examples: [
    ['state rebuild', 'restore the store from the marks on live objects; import the copy map again afterwards'],
  ],
  formats: ['text', 'json'],
  async run(_flags, shell) {
    return await withProjectDespite(shell, { leniency: 'entries' }, async ({ context }) => {
      shell.stop.finishFirst('Stopping after the write in flight. Run the command again to continue.')
      const rebuilt = await stateRebuild(context)
      if (shell.format === 'json') shell.json(rebuilt)
      else {
        shell.out(
          `Found ${plural(rebuilt.objects, 'object')} and ${plural(rebuilt.subscribers, 'subscriber')} by their marks.`,
        )
        for (const finding of rebuilt.findings) shell.out(`  ${finding}`)
      }
      return rebuilt.findings.length === 0 ? exitCodes.fine : exitCodes.found
    })
  },
})
