import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import Stripe from 'stripe'
import { readKajabiHook } from '../cancel/kajabi-hook.ts'
import { readRelay } from '../cancel/relay.ts'
import type { Signal } from '../cancel/signal.ts'
import { verifyWebhook, webhookKey, type Verdict } from '../cancel/standard-webhooks.ts'
import { wholeEvent } from './thin-events.ts'
import { readStripeEvent } from '../cancel/stripe-event.ts'
import { targetAccount } from '../catalog/types.ts'
import { present } from '../core/assert.ts'
import { isJsonObject, type JsonObject } from '../core/json.ts'
import { reportBug } from '../engine/inbox/bugs.ts'
import type { Accepted } from '../engine/inbox/accept.ts'
import { notFound, notStored } from './app.ts'
import type { ServerContext } from './context.ts'
import { parseBody } from './json-body.ts'
import { limitOf, type LimitedDoor } from './limits.ts'
import type { Door } from './metrics.ts'
import { isOneOf } from './secrets.ts'

/** The routes that machines call. Each authenticates, reads and stores before it answers 2xx. */
export function signalRoutes(app: FastifyInstance, context: ServerContext): void {
  kajabiHooks(app, context)
  relays(app, context)
  stripeWebhooks(app, context)
}

/** Whether a request to the hook's address carries the secret. False for every other route. */
export function showsHookSecret(request: FastifyRequest, secrets: readonly string[]): boolean {
  return request.routeOptions.url === hookRoute && isOneOf((request.params as { secret: string }).secret, secrets)
}

const hookRoute = '/kajabi/hooks/:secret'

function kajabiHooks(app: FastifyInstance, context: ServerContext): void {
  const { metrics, secrets } = context
  const known = (request: FastifyRequest): boolean => {
    if (showsHookSecret(request, secrets.hooks)) return true
    metrics.refused('hook', 'unknown_secret')
    return false
  }
  // Kajabi probes an address with HEAD and GET before it sends anything, and stops using one that
  // answers 405.
  const probe = { config: limitOf('GET /kajabi/hooks/:secret') }
  app.get(hookRoute, probe, (request, reply) => (known(request) ? reply.send({ ok: true }) : notFound(reply)))
  app.post(hookRoute, { config: limitOf('POST /kajabi/hooks/:secret') }, async (request, reply) => {
    if (!known(request)) return notFound(reply)
    const body = textOf(request)
    const parsed = body === undefined ? undefined : parseBody(body)
    if (body === undefined || parsed === undefined) return malformed(context, 'hook', reply)
    const reading = readKajabiHook(body, parsed, context.access, context.clock())
    if ('ignored' in reading) {
      metrics.request('hook', reading.ignored)
      return reply.send({ ok: true, ignored: reading.ignored })
    }
    return store(context, 'hook', reading.signal, reply)
  })
}

function relays(app: FastifyInstance, context: ServerContext): void {
  const keys = context.secrets.relays.map(webhookKey).filter((key) => key !== undefined)
  const verify = (request: FastifyRequest): Verdict => {
    const header = (name: string): string | undefined => {
      const value = request.headers[name]
      return typeof value === 'string' ? value : undefined
    }
    // Svix, where the standard comes from, sends the same headers with its own prefix.
    const named = (name: string): string | undefined => header(`webhook-${name}`) ?? header(`svix-${name}`)
    const headers = { id: named('id'), timestamp: named('timestamp'), signature: named('signature') }
    return verifyWebhook(headers, textOf(request) ?? '', keys, [context.clock(), context.machineClock()])
  }
  app.post(
    '/cancel',
    uncounted('POST /cancel', (request) => verify(request).ok),
    async (request, reply) => {
      const body = textOf(request) ?? ''
      const verdict = verify(request)
      if (!verdict.ok) {
        context.metrics.refused('relay', verdict.reason)
        return reply.code(401).send({ error: verdict.reason })
      }
      const parsed = parseBody(body)
      if (parsed === undefined) return malformed(context, 'relay', reply)
      const reading = readRelay(parsed, verdict.id, context.access, context.clock())
      if ('refused' in reading) {
        context.metrics.request('relay', 'malformed')
        return reply.code(422).send({ error: 'malformed', message: reading.refused })
      }
      return store(context, 'relay', reading.signal, reply)
    },
  )
}

function stripeWebhooks(app: FastifyInstance, context: ServerContext): void {
  const signed = (request: FastifyRequest): boolean => {
    const event = genuineEvent(context, request)
    return typeof event === 'object' || event === 'malformed'
  }
  app.post('/stripe/webhooks/:account', uncounted('POST /stripe/webhooks/:account', signed), async (request, reply) => {
    const { account } = request.params as { account: string }
    if (!context.secrets.stripe.has(account)) return notFound(reply)
    const event = genuineEvent(context, request)
    if (event === 'malformed') return malformed(context, 'stripe', reply)
    if (typeof event === 'string') {
      context.metrics.refused('stripe', event)
      return reply.code(400).send({ error: 'bad_signature' })
    }
    const whole = await wholeEvent(context, account, event)
    if (whole === 'unread') {
      context.metrics.request('stripe', 'not_stored')
      return notStored(reply)
    }
    const reading = readStripeEvent(account, account === targetAccount, whole, context.clock())
    if (reading.notice !== undefined) context.alert(reading.notice)
    if (reading.signal !== undefined) return store(context, 'stripe', reading.signal, reply)
    context.metrics.request('stripe', reading.ignored ?? 'noticed')
    return reply.send({ ok: true })
  })
}

/**
 * Seconds for which an event's signature is valid, as Stripe recommends:
 * https://docs.stripe.com/webhooks#replay-attacks
 */
const tolerance = 300

/** The event, or the fault. `malformed`: the signature is valid, the body is not an object. */
function genuineEvent(
  context: ServerContext,
  request: FastifyRequest,
): JsonObject | 'unsigned' | 'bad_signature' | 'malformed' {
  const { account } = request.params as { account: string }
  const secrets = context.secrets.stripe.get(account)
  const signature = signatureOf(request.headers['stripe-signature'])
  const body = textOf(request)
  if (secrets === undefined || signature === undefined || body === undefined) return 'unsigned'
  const now = context.stripeClock(account) * 1_000
  // During a rotation two endpoints deliver each event, one under each secret.
  if (!secrets.some((secret) => isSignedWith(secret, { body, signature, now }))) return 'bad_signature'
  const event = parseBody(body)
  return isJsonObject(event) ? event : 'malformed'
}

function isSignedWith(
  secret: string,
  { body, signature, now }: { readonly body: string; readonly signature: string; readonly now: number },
): boolean {
  try {
    // Only the signature is checked here: the library would refuse a thin event with an error of
    // another class although its signature is valid.
    present(Stripe.webhooks.signature, 'signatures of Stripe').verifyHeader(
      body,
      signature,
      secret,
      tolerance,
      undefined,
      now,
    )
    return true
  } catch (error) {
    if (!(error instanceof Stripe.errors.StripeSignatureVerificationError)) throw error
    return false
  }
}

/**
 * The well-formed parts of the header. The library throws errors of other classes for some
 * malformed parts.
 */
function signatureOf(header: string | string[] | undefined): string | undefined {
  if (typeof header !== 'string') return undefined
  const parts = header.slice(0, 2_000).split(',')
  const time = parts.find((part) => /^t=\d{1,12}$/.test(part))
  const signatures = parts.filter((part) => /^v1=[0-9a-f]{64}$/.test(part))
  return time === undefined || signatures.length === 0 ? undefined : [time, ...signatures].join(',')
}

/**
 * Requests with a valid signature do not count against the rate limit of their address, because
 * Stripe sends all of an account's events from a few addresses.
 */
function uncounted(door: LimitedDoor, signed: (request: FastifyRequest) => boolean) {
  return { config: { rateLimit: { ...limitOf(door).rateLimit, hook: 'preHandler' as const, allowList: signed } } }
}

/** Answers 2xx only after the commit. A duplicate is stored already and gets a 2xx as well. */
async function store(context: ServerContext, door: Door, signal: Signal, reply: FastifyReply): Promise<FastifyReply> {
  const accepted = await acceptOrUndefined(context, signal)
  if (accepted === undefined) {
    context.metrics.request(door, 'not_stored')
    return notStored(reply)
  }
  context.metrics.request(door, accepted.duplicate ? 'duplicate' : 'accepted')
  return reply.code(accepted.duplicate ? 200 : 202).send({ ok: true, ...accepted })
}

/** Stores a signal. Undefined when the store cannot be written; that is logged and alerted. */
export async function acceptOrUndefined(context: ServerContext, signal: Signal): Promise<Accepted | undefined> {
  try {
    const accepted = await context.accept(signal)
    if (!accepted.duplicate) context.metrics.accepted(accepted.id)
    context.wake()
    return accepted
  } catch (error) {
    reportBug(context, error, 'the acceptance of signals')
    context.log({ level: 'error', event: 'not_stored', error: error instanceof Error ? error.name : 'unknown' })
    context.alert({
      key: 'store',
      severity: 'critical',
      summary: 'signals cannot be stored; senders get 503 and try again',
      fix: 'free disk space or repair the database, then check it with "crossbill doctor"',
    })
    return undefined
  }
}

function malformed(context: ServerContext, door: Door, reply: FastifyReply): FastifyReply {
  context.metrics.request(door, 'malformed')
  return reply.code(400).send({ error: 'malformed' })
}

function textOf(request: FastifyRequest): string | undefined {
  return typeof request.body === 'string' ? request.body : undefined
}
