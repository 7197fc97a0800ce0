import { exitCodes } from '../exit-codes.ts'
import { formatInstant } from '../../core/instant.ts'
import { CommandError } from '../../core/outcome.ts'
import { command } from '../command.ts'
import { entryOf, withInbox } from '../wiring/inbox.ts'
import { columns } from '../render/words.ts'

export const main = command({
  positionals: { id: { type: 'string', demandOption: true, describe: 'id of the entry, from inbox list' } },
  options: {},
  examples: [['inbox show 42', 'show one entry with its history']],
  formats: ['text', 'json'],
  async run({ id }, shell) {
    return await withInbox(shell, async (inbox) => {
      const found = await inbox.get(id)
      if (found === undefined)
        throw new CommandError('inbox_unknown', `the inbox has no entry ${id}`, { fix: 'See: crossbill inbox list' })
      const { row, notes } = found
      if (shell.format === 'json') shell.json({ ...entryOf(row), signal: row.signal, facts: row.facts, notes })
      else {
        shell.out(columns(Object.entries(entryOf(row)).filter(([, text]) => text !== '')).join('\n'))
        for (const { at, state, text } of notes) shell.out(`  ${formatInstant(at)} ${state}: ${text}`)
      }
      return exitCodes.fine
    })
  },
})
