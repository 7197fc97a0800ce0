import { exitCodes } from '../exit-codes.ts'
import { command } from '../command.ts'
import { changeRow, withInbox, type InboxEntry } from '../wiring/inbox.ts'
import { plural } from '../render/words.ts'
import { UsageError } from '../usage-error.ts'

/** Largest number of dead letters in one run. There are few; more are a reason to look first. */
const mostAtOnce = 10_000

export const main = command({
  positionals: { id: { type: 'string', describe: 'id of the entry, from inbox list' } },
  options: { all: { type: 'boolean', default: false, describe: 'retry every dead letter' } },
  examples: [
    ['inbox redrive 42', 'retry one dead letter'],
    ['inbox redrive --all', 'retry every dead letter, for example after an outage of Stripe or Kajabi'],
  ],
  formats: ['text', 'json'],
  async run({ id, all }, shell) {
    if ((id === undefined) === !all)
      throw new UsageError(
        'which-entry',
        'inbox redrive needs one entry or --all, and not both',
        'See: crossbill inbox list --state dead',
      )
    return await withInbox(shell, async (inbox) => {
      const ids =
        id === undefined ? (await inbox.list({ state: 'dead', limit: mostAtOnce })).map((row) => row.id) : [id]
      const redriven: InboxEntry[] = []
      for (const one of ids)
        redriven.push(await changeRow(inbox, one, { event: 'redriven' }, 'redriven by an operator'))
      if (shell.format === 'json') shell.json({ redriven })
      else shell.out(`The service will retry ${plural(redriven.length, 'entry', 'entries')}.`)
      return exitCodes.fine
    })
  },
})
