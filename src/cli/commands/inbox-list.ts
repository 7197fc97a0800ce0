import { exitCodes } from '../exit-codes.ts'
import { inboxStates } from '../../cancel/machine.ts'
import { command } from '../command.ts'
import { reasonCode } from '../../cancel/reasons.ts'
import { entryOf, withInbox, type InboxEntry } from '../wiring/inbox.ts'
import { columns } from '../render/words.ts'

export const main = command({
  positionals: {},
  options: {
    state: { type: 'string', choices: inboxStates, requiresArg: true, describe: 'list only entries in this state' },
    limit: { type: 'number', requiresArg: true, default: 100, describe: 'number of entries, newest first' },
  },
  examples: [
    ['inbox list --state dead', 'list the signals that wait for a person'],
    ['inbox list --limit 20 --format json', 'list the newest entries as JSON'],
  ],
  formats: ['text', 'json'],
  async run({ state, limit }, shell) {
    return await withInbox(shell, async (inbox) => {
      const rows = await inbox.list({ limit, ...(state === undefined ? {} : { state }) })
      const entries = rows.map(entryOf)
      if (shell.format === 'json') shell.json(entries)
      else if (entries.length === 0) shell.out(state === undefined ? 'The inbox is empty.' : `No entry is ${state}.`)
      else {
        shell.out(
          columns(
            entries.map(({ id, state: now, accepted, from, about, reason }) => [
              id,
              now,
              accepted,
              from,
              about,
              reason,
            ]),
          ).join('\n'),
        )
        const said = legend(entries)
        if (said.length > 0) shell.out(['', ...said].join('\n'))
      }
      return exitCodes.fine
    })
  },
})

/** The meaning of each reason, once for all entries that have it. */
function legend(entries: readonly InboxEntry[]): string[] {
  const ends = entries.filter(({ means }) => means !== '')
  return [...Map.groupBy(ends, ({ means }) => means).values()].flatMap(([first]) => {
    if (first === undefined) return []
    const { id, reason, means, next, command } = first
    const does = command === '' ? '' : ` ${command.replace(id, '<id>')}`
    return [`${reasonCode(reason)}: ${means} ${next}${does}`]
  })
}
