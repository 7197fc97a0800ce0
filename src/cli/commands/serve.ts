import { exitCodes } from '../exit-codes.ts'
import { startServing, type Serving } from '../../engine/inbox/serve.ts'
import { recover } from '../../engine/apply/recover.ts'
import { openLog } from '../../server/log.ts'
import { checkSecrets } from '../../server/secrets.ts'
import { startService } from '../../server/service.ts'
import { command } from '../command.ts'
import { withProjectDespite } from '../wiring/project.ts'
import {
  openProjectAlerts,
  readServerSecrets,
  serverContext,
  serviceContext,
  serviceSettings,
} from '../wiring/service.ts'

/** Signals worked on side by side: enough for fifty a second when Stripe takes a second for each. */
const atOnce = 128

export const main = command({
  positionals: {},
  options: {
    port: {
      type: 'number',
      requiresArg: true,
      describe: 'port to listen on; serve.port when absent, 0 for any free one',
    },
    'admin-port': {
      type: 'number',
      requiresArg: true,
      describe: 'port for metrics and the status page; serve.admin_port when absent',
    },
  },
  examples: [
    ['serve', 'the cancel handler, its worker, the poller and the reconciliation, until Ctrl-C'],
    ['serve --format json', 'prints { "url", "admin_url" } when it listens'],
  ],
  formats: ['text', 'json'],
  async run(flags, shell) {
    return await withProjectDespite(shell, { leniency: 'accounts' }, async (project) => {
      const { serve } = project.context.catalog.project
      await project.store.moveLogBeside()
      const settings = serviceSettings(serve)
      const secrets = await readServerSecrets(serve, shell)
      const accounts = [project.context.accounts.target.name, ...project.context.accounts.sources.keys()]
      checkSecrets(secrets, accounts)
      const stderr = shell.surroundings.stderr
      let heard = openLog({ write: (text) => void stderr.write(text) })
      const log: typeof heard = (line) => heard(line)
      const alerts = await openProjectAlerts(project, log, shell)
      let kajabiAnswered = (_route: string, _status: number): void => {}
      const announcing = {
        alerts,
        log,
        kajabiAnswered: (route: string, status: number) => kajabiAnswered(route, status),
      }
      const context = await serviceContext(project, secrets, announcing, shell)
      let serving: Serving | undefined
      const server = serverContext(context, secrets, () => serving)
      const print = heard
      heard = (line) => {
        const milliseconds = server.metrics.heard(line)
        print(milliseconds === undefined ? line : { ...line, milliseconds })
      }
      kajabiAnswered = (route, status) => server.metrics.kajabi(route, status)
      const service = await startService(server, {
        ...settings,
        port: flags.port ?? settings.port,
        adminPort: flags['admin-port'] ?? settings.adminPort,
      })
      serving = startServing(context, {
        atOnce,
        pollSeconds: settings.pollSeconds,
        recover: async () => void (await recover({ ...project.context, progress: context.progress })),
      })
      if (shell.format === 'json') shell.out(JSON.stringify({ url: service.url, admin_url: service.adminUrl }))
      else shell.out(`Listening on ${service.url}; status and metrics on ${service.adminUrl}.`)
      shell.stop.finishFirst('Stopping: nothing new is taken, what is in hand is finished, the rest stays stored.')
      try {
        await Promise.race([shell.stop.asked, serving.ended])
      } finally {
        await service.close()
        await serving.stop()
        await alerts.flush()
      }
      return exitCodes.fine
    })
  },
})
