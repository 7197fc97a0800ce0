import { isIPv6 } from 'node:net'
import helmet from '@fastify/helmet'
import rateLimit from '@fastify/rate-limit'
import fastify, {
  LogController,
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify'
import type { LogLine } from '../engine/inbox/context.ts'
import { styleHash } from './page.ts'

/**
 * How many proxies are in front of the service, each appending the address that called it; or the
 * addresses of those proxies.
 */
export type TrustedProxies = number | readonly string[]

export interface AppOptions {
  readonly log: (line: LogLine) => void
  /** Requests a minute from one address. */
  readonly requestsPerMinute: number
  /** Whether a request carries a secret and does not count against the rate limit. */
  readonly trusted: (request: FastifyRequest) => boolean
  /** The proxies whose `X-Forwarded-For` is believed: their number or their addresses. */
  readonly trustProxy: TrustedProxies
  readonly patience?: Patience
  /** Called with an error that no route expects. */
  readonly failed: (error: unknown) => void
}

/**
 * Milliseconds that a sender may take. Node's defaults are one minute for headers and five for a
 * request, checked every half minute.
 */
export interface Patience {
  readonly headers: number
  readonly request: number
  /** Idle time of a connection. */
  readonly silence: number
  readonly check: number
}

const patient: Patience = { headers: 5_000, request: 10_000, silence: 15_000, check: 1_000 }

/** Largest body in bytes. The largest known Kajabi hook is below 20 kB. */
const bodyLimit = 256 * 1_024

/**
 * A listener with limits, security headers and a request log. The log names routes, never paths,
 * because a path may hold a secret.
 */
export async function createApp(options: AppOptions): Promise<FastifyInstance> {
  const { headers, request, silence, check } = options.patience ?? patient
  const app = fastify({
    http: { headersTimeout: headers, connectionsCheckingInterval: check },
    logger: false,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit,
    requestTimeout: request,
    connectionTimeout: silence,
    keepAliveTimeout: 30_000,
    trustProxy: trusted(options.trustProxy),
    routerOptions: { maxParamLength: 2_048 },
    // While closing, requests in flight are finished and new ones get 503.
    return503OnClosing: true,
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: false } },
  })
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        styleSrc: [styleHash],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
        baseUri: ["'none'"],
      },
    },
    referrerPolicy: { policy: 'no-referrer' },
  })
  await app.register(rateLimit, {
    max: options.requestsPerMinute,
    timeWindow: 60_000,
    cache: 10_000,
    allowList: options.trusted,
    keyGenerator: budgetOf,
    errorResponseBuilder: () =>
      Object.assign(new Error('too many requests'), { statusCode: 429, code: 'too_many_requests' }),
  })
  const refusals = countRefusals(options.log)
  app.addHook('onResponse', (request, reply, done) => {
    if (refusals(request.routeOptions.url ?? 'none', reply.statusCode)) return done()
    options.log({
      level: reply.statusCode >= 500 ? 'error' : 'info',
      event: 'request',
      method: request.method,
      route: request.routeOptions.url ?? 'none',
      status: reply.statusCode,
      milliseconds: Math.round(reply.elapsedTime),
    })
    done()
  })
  app.setNotFoundHandler({ preHandler: app.rateLimit() }, (_, reply) => notFound(reply))
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const status = error.statusCode ?? 500
    if (status >= 500) {
      options.failed(error)
      options.log({
        level: 'error',
        event: 'request_failed',
        route: request.routeOptions.url ?? 'none',
        error: error.name,
      })
    }
    return reply.code(status).send({ error: status >= 500 ? 'unavailable' : (error.code ?? 'refused').toLowerCase() })
  })
  takeText(app, ['application/json', 'application/vnd.api+json'])
  return app
}

/**
 * Believes only the addresses that the nearest proxies appended. Anything that the sender wrote in
 * front of them is ignored.
 */
function trusted(proxies: TrustedProxies): false | string[] | ((address: string, hop: number) => boolean) {
  if (typeof proxies !== 'number') return [...proxies]
  return proxies === 0 ? false : (_address, hop) => hop < proxies
}

/** The key of the rate limit. One household has a whole /64 of IPv6, so that prefix is the key. */
function budgetOf({ ip }: FastifyRequest): string {
  if (!isIPv6(ip) || ip.includes('.')) return ip
  const [head = '', tail] = ip.split('::')
  const front = head === '' ? [] : head.split(':')
  const back = tail === undefined || tail === '' ? [] : tail.split(':')
  const filled = tail === undefined ? front : [...front, ...Array(8 - front.length - back.length).fill('0'), ...back]
  return filled.slice(0, 4).join(':')
}

/**
 * Keeps bodies of these types as raw text, because signatures cover that text. Every other content
 * type is refused with 415.
 */
export function takeText(app: FastifyInstance, types: string[]): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(types, { parseAs: 'string' }, (_, body, done) => done(null, body))
}

const countedMinutes = 1

/**
 * Logs a refused request once. Requests refused the same way within a minute are counted, and the
 * count is logged with the next one.
 */
function countRefusals(log: (line: LogLine) => void): (route: string, status: number) => boolean {
  const counted = new Map<string, { until: number; more: number }>()
  return (route, status) => {
    if (status < 400 || status >= 500) return false
    const now = performance.now()
    const key = `${status} ${route}`
    const known = counted.get(key)
    if (known !== undefined && now < known.until) {
      known.more++
      return true
    }
    if (known !== undefined && known.more > 0)
      log({ level: 'info', event: 'requests_refused', route, status, count: known.more })
    counted.set(key, { until: now + countedMinutes * 60_000, more: 0 })
    return false
  }
}

export function notFound(reply: FastifyReply): FastifyReply {
  return reply.code(404).send({ error: 'not_found' })
}

/** The signal was not stored; the sender tries again later. */
export function notStored(reply: FastifyReply): FastifyReply {
  return reply.code(503).header('retry-after', '5').send({ error: 'not_stored' })
}
