import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import { reportBug } from '../engine/inbox/bugs.ts'
import type { ServerContext } from './context.ts'
import { limitOf } from './limits.ts'

/** A store that takes longer than this cannot store signals in time either. */
const patienceMilliseconds = 3_000

async function inTime(ready: Promise<boolean>): Promise<boolean> {
  const late = sleep(patienceMilliseconds, false, { ref: false })
  return Promise.race([ready, late])
}

/**
 * `/livez`: the process answers. `/readyz`: signals can be stored. Neither depends on Stripe or
 * Kajabi, because the inbox must keep accepting signals during their outages.
 */
export function healthRoutes(app: FastifyInstance, context: Pick<ServerContext, 'ready' | 'alert'>): void {
  // One check of the store answers every request that arrives while it runs.
  let looking: Promise<boolean> | undefined
  const ready = (): Promise<boolean> => {
    looking ??= inTime(context.ready())
      .catch((error: unknown) => {
        reportBug(context, error, 'the readiness check')
        return false
      })
      .finally(() => (looking = undefined))
    return looking
  }
  app.get('/livez', { config: limitOf('GET /livez') }, (_, reply) => reply.send({ ok: true }))
  app.get('/readyz', { config: limitOf('GET /readyz') }, async (_, reply) => {
    const isReady = await ready()
    return reply.code(isReady ? 200 : 503).send({ ok: isReady })
  })
}
