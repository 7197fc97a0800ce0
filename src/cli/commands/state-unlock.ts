import { exitCodes } from '../exit-codes.ts'
import { stateUnlock } from '../../engine/state.ts'
import { command } from '../command.ts'
import { withProjectDespite } from '../wiring/project.ts'

export const main = command({
  positionals: {
    lease: { type: 'string', default: 'apply', describe: 'the lease, as state show names it' },
  },
  options: {},
  examples: [
    ['state unlock apply', 'drops the lease of a run that is surely gone; leases end by themselves within minutes'],
  ],
  formats: ['text', 'json'],
  async run({ lease }, shell) {
    return await withProjectDespite(shell, { leniency: 'accounts' }, async ({ context }) => {
      const holder = await stateUnlock(context, lease)
      if (shell.format === 'json') shell.json({ lease, dropped: holder ?? null })
      else shell.out(holder === undefined ? `Nobody holds ${lease}.` : `Dropped the lease ${lease} of ${holder}.`)
      return exitCodes.fine
    })
  },
})
