import { exitCodes } from '../exit-codes.ts'
import { accessIn } from '../../catalog/access-read.ts'
import { CommandError, type Outcome } from '../../core/outcome.ts'
import { ensureHooks } from '../../engine/inbox/hooks.ts'
import { command } from '../command.ts'
import { loadProject } from '../wiring/catalog.ts'
import { connectKajabi } from '../wiring/connect-kajabi.ts'
import { withStore } from '../wiring/project.ts'
import { plural } from '../render/words.ts'
import { publicUrl, serviceSecrets } from '../wiring/service-secrets.ts'

export const main = command({
  positionals: {},
  options: {},
  examples: [['kajabi hooks ensure', 'create and remove hooks after a change of cancel tags or hook_secrets']],
  formats: ['text', 'json'],
  async run(_flags, shell) {
    const { catalog } = await loadProject(shell)
    const { serve, kajabi: config } = catalog.project
    return await withStore(catalog.project, shell, async (_store, sandbox) => {
      const kajabi = await connectKajabi(config, sandbox, shell)
      const secrets = await serviceSecrets(serve, 'hook_secrets', shell)
      if (kajabi === undefined || secrets.length === 0)
        throw new CommandError(
          'no_hooks',
          `the project has no ${kajabi === undefined ? 'Kajabi site' : 'hook secret'}`,
          {
            notDone: 'no request was sent to Kajabi',
            fix: 'Set both in catalog/project.yaml: kajabi: and serve: { hook_secrets: [{ env: NAME }] }',
          },
        )
      const address = { publicUrl: publicUrl(serve), secrets }
      const counts = answered(await ensureHooks(kajabi, accessIn(catalog), address))
      if (shell.format === 'json') shell.json(counts)
      else shell.out(`${plural(counts.created, 'hook')} created, ${counts.kept} kept, ${counts.removed} removed.`)
      return exitCodes.fine
    })
  },
})

function answered<T>(outcome: Outcome<T>): T {
  if (outcome.ok) return outcome.value
  const { code, message } = outcome.failure
  throw new CommandError('kajabi_refused', `Kajabi: ${message} (${code})`, {
    notDone: 'some hooks may be missing or outdated',
    fix: 'Run the command again; it does only what is missing.',
  })
}
