import { exitCodes } from '../exit-codes.ts'
import { closeBreaker } from '../../engine/inbox/breaker.ts'
import { loadProject } from '../wiring/catalog.ts'
import { command } from '../command.ts'
import { withStore } from '../wiring/project.ts'

export const main = command({
  positionals: {},
  options: {},
  examples: [['inbox resume', 'closes the breaker, when it is right that so many leave']],
  formats: ['text', 'json'],
  async run(_flags, shell) {
    const { catalog } = await loadProject(shell, 'accounts')
    return await withStore(catalog.project, shell, async (store) => {
      await closeBreaker({ store })
      if (shell.format === 'json') shell.json({ breaker: 'closed' })
      else shell.out('The breaker is closed: cancelling goes on.')
      return exitCodes.fine
    })
  },
})
