import { isIP } from 'node:net'
import { hostname } from 'node:os'
import type { FastifyInstance } from 'fastify'
import type { ServerContext } from './context.ts'
import { openapi } from './openapi.ts'
import { knownStatus } from './known-status.ts'
import { statusPage } from './status-page.ts'

/**
 * Protects the admin listener against DNS rebinding: a foreign page can point its own name at this
 * machine's address and let the browser read from here. A request must therefore name an IP
 * address, this machine or the host of the listener.
 */
export function checkHost(app: FastifyInstance, host: string): void {
  const names = new Set(['localhost', hostname().toLowerCase(), host.toLowerCase()])
  app.addHook('onRequest', (request, reply, done) => {
    const named = request.hostname.toLowerCase().replace(/^\[(.*)\]$/, '$1')
    if (names.has(named) || isIP(named) !== 0) return done()
    void reply.code(421).send({ error: 'unknown_host' })
  })
}

/**
 * The routes for people on call and for Prometheus. They have their own listener, which is bound to
 * this machine unless the configuration names another address.
 */
export function adminRoutes(app: FastifyInstance, context: ServerContext): void {
  const known = knownStatus(
    async () => context.status(),
    () => context.clock(),
  )
  app.get('/metrics', async (_, reply) => {
    const { metrics } = context
    return reply.type(metrics.contentType).send(await metrics.text())
  })
  app.get('/openapi.json', (_, reply) => reply.send(openapi(context.version)))
  app.get('/', async (request, reply) => {
    const watches = Object.hasOwn(request.query as object, 'watch')
    const { status, at, away } = await known()
    const { metrics, school, version } = context
    const about = { latency: metrics.latency(), school: school.name, version, watches, at, away }
    return reply
      .header('cache-control', 'no-store')
      .type('text/html; charset=utf-8')
      .send(statusPage(status, context.clock(), about))
  })
}
