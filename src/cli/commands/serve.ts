import { setTimeout as sleep } from 'node:timers/promises'
import type { Alerts } from '../../alerts/open.ts'
import { exitCodes } from '../exit-codes.ts'
import { startServing, type Serving } from '../../engine/inbox/serve.ts'
import { recover } from '../../engine/apply/recover.ts'
import { openLog } from '../../server/log.ts'
import { checkSecrets } from '../../server/secrets.ts'
import type { Service } from '../../server/service.ts'
import { command } from '../command.ts'
import { withProjectDespite } from '../wiring/project.ts'
import { awaitStore } from '../wiring/await-store.ts'
import {
  openProjectAlerts,
  readServerSecrets,
  serverContext,
  serviceContext,
  serviceSettings,
} from '../wiring/service.ts'

/**
 * Signals worked on concurrently: enough for fifty a second when Stripe takes a second for each.
 */
const atOnce = 128

/**
 * Seconds until unfinished signals go back to the inbox, and until the service ends without waiting
 * any longer.
 */
const handSeconds = 5
const stopSeconds = 8

/** Seconds that the start waits for the store before the service listens. */
const firstSeconds = 1

/** A wait that does not keep the process alive. */
async function inBackground(seconds: number): Promise<void> {
  await sleep(seconds * 1_000, undefined, { ref: false })
}

/** Only the failure of the work; its success does not end the service. */
async function rejected(work: Promise<void>): Promise<never> {
  await work
  return new Promise(() => {})
}

async function stopAll(service: Service, serving: Serving, alerts: Alerts): Promise<void> {
  await Promise.all([service.close(), serving.stop(handSeconds)])
  await alerts.flush()
}

export const main = command({
  positionals: {},
  options: {
    port: {
      type: 'number',
      requiresArg: true,
      describe: 'port to listen on; default: serve.port; 0 chooses any free port',
    },
    'admin-port': {
      type: 'number',
      requiresArg: true,
      describe: 'port for metrics and the status page; default: serve.admin_port',
    },
  },
  examples: [
    ['serve', 'run the cancel handler, its worker, the poller and the reconciliation until Ctrl-C'],
    ['serve --format json', 'print { "url", "admin_url" } when the service listens'],
  ],
  formats: ['text', 'json'],
  async run(flags, shell) {
    return await withProjectDespite(shell, { leniency: 'accounts', service: true }, async (project) => {
      const { serve } = project.context.catalog.project
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
        back: () => serving?.wake(),
      }
      let serving: Serving | undefined
      const opened = awaitStore(project.store, {
        log,
        wait: async (seconds) => sleep(seconds * 1_000),
        stopped: () => shell.stop.requested,
      })
      // Usually the store is open before the service listens; a store that cannot be used ends it.
      await Promise.race([opened, inBackground(firstSeconds)])
      const context = await serviceContext(project, secrets, announcing, shell)
      const server = serverContext(
        context,
        secrets,
        () => serving,
        () => project.store.inPlace(),
      )
      const print = heard
      heard = (line) => {
        const milliseconds = server.metrics.heard(line)
        print(milliseconds === undefined ? line : { ...line, milliseconds })
      }
      kajabiAnswered = (route, status) => server.metrics.kajabi(route, status)
      const { startService } = await import('../../server/service.ts')
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
      shell.stop.finishFirst(
        'Stopping: no new signals are accepted, those in progress are finished, the others stay stored.',
      )
      try {
        await Promise.race([shell.stop.asked, serving.ended, rejected(opened)])
      } catch (error) {
        await Promise.race([stopAll(service, serving, alerts), inBackground(stopSeconds)])
        throw error
      }
      await Promise.race([stopAll(service, serving, alerts), inBackground(stopSeconds)])
      // A connection that Stripe holds open would keep the process alive, and no answer on it is
      // needed any more.
      shell.surroundings.leave(exitCodes.fine)
      return exitCodes.fine
    })
  },
})
