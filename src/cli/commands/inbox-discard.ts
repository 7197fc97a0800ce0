import { exitCodes } from '../exit-codes.ts'
import { command } from '../command.ts'
import { changeRow, withInbox } from '../wiring/inbox.ts'

export const main = command({
  positionals: { id: { type: 'string', demandOption: true, describe: 'id of the entry, from inbox list' } },
  options: {
    reason: {
      type: 'string',
      requiresArg: true,
      demandOption: true,
      describe: 'the reason, stored with the entry; do not name a person',
    },
  },
  examples: [
    [
      'inbox discard 42 --reason "was a test"',
      'close an entry; nothing is cancelled, and the entry stays with the reason',
    ],
  ],
  formats: ['text', 'json'],
  async run({ id, reason }, shell) {
    return await withInbox(shell, async (inbox) => {
      const entry = await changeRow(inbox, id, { event: 'discarded', reason }, `discarded by an operator: ${reason}`)
      if (shell.format === 'json') shell.json({ discarded: entry })
      else shell.out(`${id} is discarded. Nothing was cancelled.`)
      return exitCodes.fine
    })
  },
})
