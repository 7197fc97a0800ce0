import { exitCodes } from '../exit-codes.ts'
import { stateShow } from '../../engine/state.ts'
import { command } from '../command.ts'
import { withProjectDespite } from '../wiring/project.ts'
import { columns } from '../render/words.ts'

export const main = command({
  positionals: {},
  options: {},
  examples: [['state show', 'show objects, subscribers by phase, unfinished requests and leases']],
  formats: ['text', 'json'],
  async run(_flags, shell) {
    return await withProjectDespite(shell, { leniency: 'accounts' }, async ({ context }) => {
      const state = await stateShow(context)
      if (shell.format === 'json') shell.json(state)
      else
        shell.out(
          columns([
            ['lineage', state.lineage],
            ['serial', String(state.serial)],
            ['objects', String(state.objects)],
            ...Object.entries(state.subscribers).map(([phase, count]) => [`subscribers ${phase}`, String(count)]),
            ['unfinished requests', String(state.open_journal)],
            ...state.leases.map(({ name, holder, expires }) => [`lease ${name}`, `${holder} until ${expires}`]),
          ]).join('\n'),
        )
      return exitCodes.fine
    })
  },
})
