import { exitCodes } from '../exit-codes.ts'
import { command } from '../command.ts'
import { changeRow, withInbox, type InboxEntry } from '../wiring/inbox.ts'
import { plural } from '../render/words.ts'
import { UsageError } from '../usage-error.ts'

/** Dead letters are few; more than this at once is a reason to look first. */
const mostAtOnce = 10_000

export const main = command({
  positionals: { id: { type: 'string', describe: 'the entry, as inbox list names it' } },
  options: { all: { type: 'boolean', default: false, describe: 'every dead letter' } },
  examples: [
    ['inbox redrive 42', 'try this one again'],
    ['inbox redrive --all', 'every dead letter, after Stripe or Kajabi came back'],
  ],
  formats: ['text', 'json'],
  async run({ id, all }, shell) {
    if ((id === undefined) === !all)
      throw new UsageError(
        'which-entry',
        'inbox redrive takes one entry, or --all',
        'See: crossbill inbox list --state dead',
      )
    return await withInbox(shell, async (inbox) => {
      const ids =
        id === undefined ? (await inbox.list({ state: 'dead', limit: mostAtOnce })).map((row) => row.id) : [id]
      const redriven: InboxEntry[] = []
      for (const one of ids)
        redriven.push(await changeRow(inbox, one, { event: 'redriven' }, 'redriven by an operator'))
      if (shell.format === 'json') shell.json({ redriven })
      else shell.out(`${plural(redriven.length, 'entry', 'entries')} will be tried again by the service.`)
      return exitCodes.fine
    })
  },
})
