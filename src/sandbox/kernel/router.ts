// From a request to its answer: authenticate, find the route, read the parameters, run one
// transaction, expand, answer. https://docs.stripe.com/api
import { Bug } from '../../core/assert.ts'
import type { Account } from './account.ts'
import { clockIn } from './clocks.ts'
import { Context } from './context.ts'
import { invalid, StripeError } from './errors.ts'
import { apiVersion, isVersion } from './events.ts'
import { decodeForm, type RawFields } from './form.ts'
import { replay, saveAnswer } from './idempotency.ts'
import { idFor } from './ids.ts'
import { accountOf, checkPermission } from './keys.ts'
import { Limiter } from './limits.ts'
import type { HttpAnswer, HttpRequest, Route } from './module.ts'
import { list, text, type Parsed } from './params.ts'
import { unknownRoute } from './unknown-route.ts'
import type { World } from './world.ts'

const expandSchema = list(text())

interface Found {
  readonly route: Route
  readonly path: Readonly<Record<string, string>>
}

export class Router {
  readonly #world: World
  readonly #routes = new Map<string, { route: Route; steps: readonly string[] }[]>()
  readonly #inFlight = new Set<string>()
  readonly #limiter: Limiter
  #requests = 0

  constructor(world: World) {
    this.#world = world
    this.#limiter = new Limiter(() => world.limits)
    for (const route of world.modules.flatMap((module) => module.routes ?? [])) {
      const steps = route.path.split('/').slice(1)
      const key = `${route.method} ${steps.length}`
      const others = this.#routes.get(key) ?? []
      if (others.some((other) => other.route.path === route.path))
        throw new Bug(`${key} ${route.path} is declared twice`)
      // Literal steps come before `:id`, so that `/v1/prices/search` is not a price with the id
      // `search`.
      this.#routes.set(
        key,
        [...others, { route, steps }].toSorted(
          (a, b) => Number(a.steps.at(-1)?.startsWith(':')) - Number(b.steps.at(-1)?.startsWith(':')),
        ),
      )
    }
  }

  /** Answers one Stripe request. Never throws for an error that a client can cause. */
  async answer(request: HttpRequest, delay?: () => Promise<void>): Promise<HttpAnswer> {
    const answer = await this.#answerOrRefuse(request, delay)
    return { ...answer, headers: { ...answer.headers, ...versionNote(request.headers) } }
  }

  /** Answers a request synchronously, without faults or delays. */
  answerNow(request: HttpRequest): HttpAnswer {
    const id = idFor(this.#world.seed, `late ${request.url.pathname} ${request.body}`, 'req', ++this.#requests)
    const key = request.headers.get('idempotency-key')
    try {
      return this.#answer(request, { id, key })
    } catch (error) {
      if (!(error instanceof StripeError)) throw error
      return this.#respond(error.status, { ...errorBody(error, id), id, key, headers: error.headers })
    }
  }

  async #answerOrRefuse(request: HttpRequest, delay?: () => Promise<void>): Promise<HttpAnswer> {
    // The request is part of the id, because a world that was loaded counts its requests from one
    // again.
    const asked = `${this.#world.now} ${request.method} ${request.url.pathname} ${request.body} ${request.headers.get('idempotency-key')}`
    const id = idFor(this.#world.seed, asked, 'req', ++this.#requests)
    const key = request.headers.get('idempotency-key')
    const busy =
      key === null || request.method !== 'POST' ? undefined : `${request.headers.get('authorization')} ${key}`
    try {
      if (busy !== undefined && this.#inFlight.has(busy)) throw inUse()
      if (busy !== undefined && delay !== undefined) this.#inFlight.add(busy)
      try {
        await delay?.()
        return this.#answer(request, { id, key })
      } finally {
        if (busy !== undefined && delay !== undefined) this.#inFlight.delete(busy)
      }
    } catch (error) {
      if (error instanceof StripeError)
        return this.#respond(error.status, { ...errorBody(error, id), id, key, headers: error.headers })
      throw error
    }
  }

  #answer(request: HttpRequest, about: { id: string; key: string | null }): HttpAnswer {
    const account = this.#authenticate(request.headers)
    checkVersion(this.#world, request.headers)
    this.#limiter.check(account.name, request)
    const { route, path } = this.#find(request)
    const key = bearer(request.headers) ?? ''
    const restricted = key === account.key || key === account.longKey ? undefined : key
    if (restricted !== undefined) checkPermission(account, restricted, route)
    const form = readParameters(request)
    const post = request.method === 'POST' && about.key !== null
    const context = new Context(this.#world, account, {
      path,
      restricted,
      clock: clockIn(this.#world, account, `${request.url.pathname} ${request.url.search} ${request.body}`),
      request: { id: about.id, idempotency_key: post ? about.key : null },
    })
    if (!post || about.key === null) return this.#execute(context, { route, form, request })
    if (about.key.length > 255) throw invalid('Idempotency keys can be at most 255 characters long.')
    const fingerprint = `${request.method} ${request.url.pathname}\n${request.body}`
    const saved = replay(context, about.key, fingerprint)
    if (saved === undefined)
      return this.#execute(context, { route, form, request, save: { key: about.key, fingerprint } })
    return this.#respond(saved.status, {
      body: saved.body,
      id: about.id,
      key: about.key,
      headers: {
        ...(this.#world.unsure.replays_say_so ? { 'idempotent-replayed': 'true' } : {}),
        'original-request': saved.request,
      },
    })
  }

  /**
   * Parameters that do not parse are refused before execution, and that refusal is not saved under
   * the idempotency key.
   */
  #execute(
    context: Context,
    work: { route: Route; form: RawFields; request: HttpRequest; save?: { key: string; fingerprint: string } },
  ): HttpAnswer {
    const { route, form, save } = work
    const given = form.get('expand')
    const expand: Parsed<typeof expandSchema> = given === undefined ? [] : expandSchema.parse(given, 'expand')
    form.delete('expand')
    const params = route.params.parse(form, '')
    const id = context.request.id ?? ''
    const finish = (status: number, body: string) => {
      if (save !== undefined)
        saveAnswer(context, save.key, { fingerprint: save.fingerprint, status, body, request: id })
    }
    const answer = { id, key: save?.key ?? null }
    try {
      const body = this.#world.transact(() => {
        try {
          const object = route.handle(context, params as never)
          const text = JSON.stringify(this.#world.expander.shape(context, object, expand))
          finish(200, text)
          return text
        } catch (error) {
          // When the writes of a refused request stay, they are saved together with the refusal, or
          // neither is.
          if (error instanceof StripeError && error.keeps) finish(error.status, errorBody(error, id).body)
          throw error
        }
      })
      return this.#respond(200, { body, ...answer })
    } catch (error) {
      if (!(error instanceof StripeError)) throw error
      const { body } = errorBody(error, id)
      if (!error.keeps) this.#world.transact(() => finish(error.status, body))
      return this.#respond(error.status, { body, ...answer, headers: error.headers })
    }
  }

  #authenticate(headers: Headers): Account {
    const key = bearer(headers)
    if (key === undefined)
      throw new StripeError(401, {
        type: 'invalid_request_error',
        message:
          "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See https://stripe.com/docs/api#authentication for details, or we can help at https://support.stripe.com/.",
      })
    const account = accountOf(this.#world, key)
    if (account === undefined)
      throw new StripeError(401, {
        type: 'invalid_request_error',
        message: `Invalid API Key provided: ${key.slice(0, 8)}${'*'.repeat(12)}${key.slice(-4)}`,
      })
    const named = headers.get('stripe-account')
    if (named !== null && named !== account.accountId)
      throw new StripeError(403, {
        type: 'invalid_request_error',
        code: 'account_invalid',
        message: `The provided key '${key.slice(0, 8)}${'*'.repeat(12)}${key.slice(-4)}' does not have access to account '${named}' (or that account does not exist). Application access may have been revoked.`,
      })
    return account
  }

  #find(request: HttpRequest): Found {
    const steps = request.url.pathname.split('/').slice(1).map(decoded)
    for (const candidate of this.#routes.get(`${request.method} ${steps.length}`) ?? []) {
      const path = match(candidate.steps, steps)
      if (path !== undefined) return { route: candidate.route, path }
    }
    const known = [...this.#routes.values()].flatMap((routes) =>
      routes.map(({ route, steps }) => ({ method: route.method, steps })),
    )
    throw unknownRoute(request.method, request.url.pathname, known)
  }

  #respond(
    status: number,
    about: { body: string; id: string; key: string | null; headers?: Readonly<Record<string, string>> },
  ): HttpAnswer {
    return {
      status,
      body: about.body,
      headers: {
        'content-type': 'application/json',
        date: new Date(this.#world.now * 1_000).toUTCString(),
        'request-id': about.id,
        'stripe-version': apiVersion,
        ...(about.key === null ? {} : { 'idempotency-key': about.key }),
        ...about.headers,
      },
    }
  }
}

/** The second version of the API takes JSON; it is read by the same schemas. */
function readParameters({ url, body }: HttpRequest): RawFields {
  if (body === '') return decodeForm(url.searchParams)
  if (!url.pathname.startsWith('/v2/')) return decodeForm(new URLSearchParams(body))
  try {
    return decodeForm(new URLSearchParams(pairsOf(JSON.parse(body) as unknown, '')))
  } catch {
    throw invalid('The request body is not valid JSON.')
  }
}

/** `{"a": {"b": [1]}}` as `a[b][0]=1`; null empties a parameter as `''` does. */
function pairsOf(value: unknown, at: string): [string, string][] {
  if (typeof value !== 'object' || value === null)
    return [[at, value === null ? '' : String(value as string | number | boolean)]]
  return Object.entries(value).flatMap(([name, one]) => pairsOf(one, at === '' ? name : `${at}[${name}]`))
}

function match(pattern: readonly string[], steps: readonly string[]): Record<string, string> | undefined {
  const path: Record<string, string> = {}
  for (const [index, step] of pattern.entries()) {
    const given = steps[index] ?? ''
    // An empty id is an unknown address in Stripe, never a missing object.
    if (step.startsWith(':') && given !== '') path[step.slice(1)] = given
    else if (step !== given) return undefined
  }
  return path
}

/** A path step with a wrong encoding is kept as it is, and matches nothing. */
function decoded(step: string): string {
  try {
    return decodeURIComponent(step)
  } catch {
    return step
  }
}

function bearer(headers: Headers): string | undefined {
  const given = headers.get('authorization') ?? ''
  const [, scheme, credentials] = /^(Bearer|Basic) (.+)$/.exec(given) ?? []
  if (credentials === undefined) return undefined
  return scheme === 'Basic' ? Buffer.from(credentials, 'base64').toString('utf8').split(':')[0] : credentials
}

/**
 * Requests with another version are answered in the sandbox's version, with a warning header; a
 * strict world refuses them.
 */
function checkVersion(world: World, headers: Headers): void {
  const version = headers.get('stripe-version')
  if (version === null || version === apiVersion) return
  if (!isVersion(version)) throw invalid(`Invalid Stripe API version: ${version}`)
  if (world.strictVersion)
    throw invalid(
      `Stripe-Version ${version}: this sandbox was started with --strict-version, so it answers only version ${apiVersion}. Start it without --strict-version to answer requests with other versions in ${apiVersion}.`,
    )
}

/** The warning for a client that named another version: its answers have the shape of this one. */
function versionNote(headers: Headers): Readonly<Record<string, string>> {
  const version = headers.get('stripe-version')
  if (version === null || version === apiVersion) return {}
  return { 'crossbill-sandbox-warning': `asked for ${printable(version)}, answered in ${apiVersion}` }
}

function printable(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 60)
}

function errorBody(error: StripeError, request: string): { body: string } {
  const { code } = error.body
  const about = {
    ...(code === undefined ? {} : { doc_url: `https://stripe.com/docs/error-codes/${code.replaceAll('_', '-')}` }),
    request_log_url: `https://dashboard.stripe.com/test/logs/${request}`,
  }
  return { body: JSON.stringify({ error: { ...error.body, ...about } }, undefined, 2) }
}

function inUse(): StripeError {
  return new StripeError(409, {
    type: 'invalid_request_error',
    code: 'idempotency_key_in_use',
    message:
      'There is currently another in-progress request using this Idempotent Key (that probably means you submitted twice, and the other request is still going through).',
  })
}
