import { setTimeout as wait } from 'node:timers/promises'
import { isJsonObject, type JsonObject } from '../core/json.ts'
import { CommandError, failed, success, type Failure, type Outcome } from '../core/outcome.ts'
import { Pace, type Pacing } from './pace.ts'

type Fetch = typeof globalThis.fetch

export interface KajabiHttp extends Pacing {
  readonly base: URL
  readonly fetch: Fetch
  readonly timeout: number
  /** Monotonic milliseconds. */
  readonly clock: () => number
  /** Called for every answer with the route without ids and the status; 0 when there was none. */
  readonly answered?: (route: string, status: number) => void
}

export interface KajabiRequest {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** Path below the base, with query: `/v1/contacts?filter[search]=…`. */
  readonly path: string
  readonly body?: JsonObject
  readonly form?: Readonly<Record<string, string>>
  readonly token?: string
  /**
   * For URLs with undocumented answers: any 2xx is success, and a refusal may be plain text.
   */
  readonly plain?: true
}

const jsonApi = 'application/vnd.api+json'

/**
 * Spaces requests and turns every kind of answer (JSON:API, flat errors, HTML pages, no answer)
 * into an outcome.
 */
export class KajabiTransport {
  private readonly pace: Pace
  private readonly http: KajabiHttp
  constructor(http: KajabiHttp) {
    this.http = http
    this.pace = new Pace(http)
  }

  async send(request: KajabiRequest): Promise<Outcome<JsonObject>> {
    await this.turn()
    let response: Response
    try {
      response = await this.http.fetch(new URL(this.http.base.href.replace(/\/$/, '') + request.path), {
        method: request.method,
        headers: headersOf(request),
        ...(request.form === undefined ? {} : { body: new URLSearchParams(request.form).toString() }),
        ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
        // A redirect could carry the token to another host.
        redirect: 'error',
        signal: AbortSignal.timeout(this.http.timeout),
      })
      this.http.answered?.(routeOf(request), response.status)
      if (response.status === 429) this.pace.refused(this.http.clock())
      else if (response.ok) this.pace.accepted()
      return outcomeOf(request, response, await response.text())
    } catch (error) {
      // An embedded sandbox that cannot store its world is our own fault, not an answer of Kajabi.
      if (error instanceof CommandError) throw error
      this.http.answered?.(routeOf(request), 0)
      return failed(cut(request.method, error))
    }
  }

  private async turn(): Promise<void> {
    const now = this.http.clock()
    const start = this.pace.start(now)
    if (start > now) await wait(start - now)
  }
}

/**
 * `/v1/contacts/:id/relationships/offers`. It never holds an id, a query or an offer URL, which is
 * a secret.
 */
function routeOf({ path, plain }: KajabiRequest): string {
  if (plain === true) return 'offer_url'
  return (path.split('?')[0] ?? '').replaceAll(/\/\d+(?=\/|$)/g, '/:id')
}

/** The part before the `@` for a blank name: Kajabi refuses blank names, and Stripe allows them. */
export function nameOf({ name, email }: { readonly name: string; readonly email: string }): string {
  return name.trim() === '' ? (email.trim().split('@')[0] ?? '') : name
}

function headersOf(request: KajabiRequest): Record<string, string> {
  return {
    accept: request.plain === true ? '*/*' : jsonApi,
    ...(request.token === undefined ? {} : { authorization: `Bearer ${request.token}` }),
    ...(request.body === undefined ? {} : { 'content-type': request.plain === true ? 'application/json' : jsonApi }),
    ...(request.form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
  }
}

/**
 * Kajabi answers unknown paths and its own outages with HTML pages. The status of such a page means
 * nothing: a 404 page does not prove that an object is gone.
 */
function outcomeOf({ method, plain }: KajabiRequest, response: Response, text: string): Outcome<JsonObject> {
  const { status } = response
  const body = parse(text)
  if (response.ok) {
    if (text.trim() === '') return success({})
    if (body !== undefined) return success(body)
    return plain === true && !isPage(response) ? success({}) : failed(notJson(method, status))
  }
  const words = plain === true && !isPage(response) ? (textOf(body) ?? text) : textOf(body)
  const silent = body === undefined && plain !== true && status < 500 && status !== 429
  const retryAfter = secondsOf(response.headers)
  return failed({
    ...(silent ? notJson(method, status) : refused(method, status, words)),
    ...(retryAfter > 0 ? { retryAfter } : {}),
  })
}

function refused(method: string, status: number, words: string | undefined): Failure {
  const message =
    words === undefined || words === '' ? `Kajabi answered ${status} without a reason` : withoutPeople(words)
  return { kind: kindOf(method, status), code: codeOf(status, words), message, status }
}

function isPage(response: Response): boolean {
  return response.headers.get('content-type')?.includes('html') === true
}

/**
 * `Retry-After` in seconds; 0 when it is absent. The header holds seconds or a date (RFC 9110,
 * 10.2.3), and a date is measured by the sender's own `Date` header.
 */
function secondsOf(headers: Headers): number {
  const text = headers.get('retry-after') ?? ''
  const seconds = /^\d+$/.test(text) ? Number(text) : (Date.parse(text) - Date.parse(headers.get('date') ?? '')) / 1_000
  return Number.isFinite(seconds) ? Math.max(0, Math.ceil(seconds)) : 0
}

function kindOf(method: string, status: number): Failure['kind'] {
  if (status === 429 || status === 503) return 'retryable'
  if (status >= 500) return method === 'GET' ? 'retryable' : 'unknown'
  return status === 409 || status === 422 ? 'conflict' : 'rejected'
}

function codeOf(status: number, words: string | undefined): string {
  if (status === 422 && /already been taken/i.test(words ?? '')) return 'taken'
  const named: Readonly<Record<number, string>> = {
    401: 'credentials_refused',
    403: 'permission_missing',
    404: 'not_found',
    422: 'unprocessable',
    429: 'rate_limited',
  }
  return named[status] ?? `http_${status}`
}

/** JSON:API errors, or the flat `{ "error": … }` of the token route. */
function textOf(body: JsonObject | undefined): string | undefined {
  if (body === undefined) return undefined
  const { error, errors } = body as { error?: unknown; errors?: unknown }
  const first: unknown = Array.isArray(errors) ? errors[0] : undefined
  const text = typeof error === 'string' ? error : isJsonObject(first) ? (first['detail'] ?? first['title']) : undefined
  return typeof text === 'string' ? text : undefined
}

/** A text that quotes an e-mail address is not passed on. */
function withoutPeople(text: string): string {
  return text.includes('@')
    ? 'Kajabi refused the request (its message names a person and is left out)'
    : text.slice(0, 200)
}

function notJson(method: string, status: number): Failure {
  return {
    kind: method === 'GET' ? 'retryable' : 'unknown',
    code: 'not_an_answer',
    message: `Kajabi answered ${status} with a body that is not JSON`,
    status,
  }
}

function cut(method: string, error: unknown): Failure {
  const timedOut = error instanceof Error && error.name === 'TimeoutError'
  return {
    kind: method === 'GET' ? 'retryable' : 'unknown',
    code: timedOut ? 'timeout' : 'connection_cut',
    message: timedOut ? 'Kajabi did not answer in time' : 'the connection to Kajabi broke',
    status: 0,
  }
}

function parse(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isJsonObject(value) ? value : undefined
  } catch {
    return undefined
  }
}
