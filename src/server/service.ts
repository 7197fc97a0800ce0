import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { CommandError } from '../core/outcome.ts'
import { reportBug } from '../engine/inbox/bugs.ts'
import { adminRoutes, checkHost } from './admin.ts'
import { createApp, type Patience, type TrustedProxies } from './app.ts'
import { cardRoutes } from './cards.ts'
import type { ServerContext } from './context.ts'
import { healthRoutes } from './health.ts'
import { linkRoutes } from './links.ts'
import { checkSecrets } from './secrets.ts'
import { showsHookSecret, signalRoutes } from './signals.ts'

export interface ListenOptions {
  readonly host: string
  /** 0 for any free port. */
  readonly port: number
  readonly adminHost: string
  readonly adminPort: number
  /** Requests a minute from one address that has shown no secret. */
  readonly requestsPerMinute: number
  readonly trustProxy: TrustedProxies
  /** How long the service waits for a slow sender. */
  readonly patience?: Patience
}

export interface Service {
  /** The address of the listener: `http://127.0.0.1:8787`. */
  readonly url: string
  readonly adminUrl: string
  /** Stops accepting requests and answers those in flight first. */
  close(): Promise<void>
}

/**
 * Opens both listeners. Throws `CommandError` `weak_secret` or `port_taken` before anything
 * listens.
 */
export async function startService(context: ServerContext, options: ListenOptions): Promise<Service> {
  checkSecrets(context.secrets, context.accounts)
  const { requestsPerMinute, trustProxy, patience } = options
  const failed = (error: unknown): void => reportBug(context, error, 'a request')
  const open = await createApp({
    failed,
    log: (line) => context.log(line),
    requestsPerMinute,
    trustProxy,
    ...(patience === undefined ? {} : { patience }),
    trusted: (request) => showsHookSecret(request, context.secrets.hooks),
  })
  signalRoutes(open, context)
  await linkRoutes(open, context)
  await cardRoutes(open, context)
  healthRoutes(open, context)

  const admin = await createApp({
    failed,
    log: () => {},
    requestsPerMinute: 6_000,
    trustProxy: 0,
    trusted: () => false,
  })
  checkHost(admin, options.adminHost)
  adminRoutes(admin, context)
  healthRoutes(admin, context)

  const url = await listen(open, options.host, options.port)
  try {
    const adminUrl = await listen(admin, options.adminHost, options.adminPort)
    return { url, adminUrl, close: async () => void (await Promise.all([open.close(), admin.close()])) }
  } catch (error) {
    await open.close()
    throw error
  }
}

async function listen(app: FastifyInstance, host: string, port: number): Promise<string> {
  try {
    await app.listen({ host, port })
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    throw new CommandError('port_taken', `the service cannot listen on ${host}:${port} (${code})`, {
      notDone: 'the service was not started',
      fix: 'stop the process that listens there, or set other ports below serve: in catalog/project.yaml',
      cause: error,
    })
  }
  const { address, family, port: bound } = app.server.address() as AddressInfo
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${bound}`
}
