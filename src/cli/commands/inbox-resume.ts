import { exitCodes } from '../exit-codes.ts'
import { closeBreaker } from '../../engine/inbox/breaker.ts'
import { loadProject } from '../wiring/catalog.ts'
import { command } from '../command.ts'
import { withStore } from '../wiring/project.ts'

export const main = command({
  positionals: {},
  options: {},
  examples: [
    ['inbox resume', 'let the service cancel again, after a person has checked that the many cancels are right'],
  ],
  formats: ['text', 'json'],
  async run(_flags, shell) {
    const { catalog } = await loadProject(shell, 'accounts')
    return await withStore(catalog.project, shell, async (store) => {
      await closeBreaker({ store })
      if (shell.format === 'json') shell.json({ breaker: 'closed' })
      else shell.out('The breaker is closed. Cancelling continues.')
      return exitCodes.fine
    })
  },
})
