import type { FastifyInstance } from 'fastify'
import type { ServerContext } from './context.ts'
import { statusPage } from './status-page.ts'

/** What people on call and Prometheus look at. On a listener of its own, on this machine only unless told otherwise. */
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
