import type { FastifyInstance } from 'fastify'
import type { ServerContext } from './context.ts'

/**
 * `/livez`: the process answers. `/readyz`: signals can be stored. Whether Stripe or Kajabi can be reached is in neither: an outage of theirs must go on filling the inbox.
 */
export function healthRoutes(app: FastifyInstance, context: Pick<ServerContext, 'ready'>): void {
  app.get('/livez', (_, reply) => reply.send({ ok: true }))
  app.get('/readyz', async (_, reply) => {
    const ready = await context.ready().catch(() => false)
    return reply.code(ready ? 200 : 503).send({ ok: ready })
  })
}
