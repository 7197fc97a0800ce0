import { isIP } from 'node:net'
import { hostname } from 'node:os'
import type { FastifyInstance } from 'fastify'
import type { ServerContext } from './context.ts'
import { statusPage } from './status-page.ts'

/**
 * A page that a browser has loaded elsewhere may give its own name this machine's address, and
 * would then be let in as this machine. So a request has to name an address, this machine or the
 * host of the listener.
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
 * What people on call and Prometheus look at. On a listener of its own, on this machine only unless
 * told otherwise.
 */
export function adminRoutes(app: FastifyInstance, context: ServerContext): void {
  app.get('/metrics', async (_, reply) => {
    const { metrics } = context
    return reply.type(metrics.contentType).send(await metrics.text())
  })
  app.get('/', async (_, reply) => {
    const status = await context.status()
    return reply
      .header('cache-control', 'no-store')
      .type('text/html; charset=utf-8')
      .send(statusPage(status, context.clock(), context.metrics.latency()))
  })
}
