import { exitCodes } from '../exit-codes.ts'
import { stateUnlock } from '../../engine/state.ts'
import { command } from '../command.ts'
import { withProjectDespite } from '../wiring/project.ts'

export const main = command({
  positionals: {
    lease: { type: 'string', default: 'apply', describe: 'name of the lease, from state show' },
  },
  options: {},
  examples: [
    [
      'state unlock apply',
      'drop the lease of a run that has certainly ended; leases also expire by themselves within minutes',
    ],
  ],
  formats: ['text', 'json'],
  async run({ lease }, shell) {
    return await withProjectDespite(shell, { leniency: 'accounts' }, async ({ context }) => {
      const holder = await stateUnlock(context, lease)
      if (shell.format === 'json') shell.json({ lease, dropped: holder ?? null })
      else
        shell.out(
          holder === undefined ? `No run holds the lease ${lease}.` : `Dropped the lease ${lease} of ${holder}.`,
        )
      return exitCodes.fine
    })
  },
})
