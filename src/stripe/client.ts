import Stripe from 'stripe'

export type Fetch = typeof globalThis.fetch

export interface ClientOptions {
  readonly key: string
  /** The network, or a sandbox in this process. */
  readonly fetch: Fetch
  /** Any server with Stripe's API; Stripe's own when absent. */
  readonly base?: URL
  /** The time limit of a whole request, in seconds. */
  readonly timeoutSeconds?: number
  /** How often the SDK repeats a request that Stripe did not answer; never by default. */
  readonly retries?: number
  /** Receives the headers of every answer, also of refusals. */
  readonly heard: (headers: Headers) => void
}

/** A cancel of a large customer takes several seconds. */
const longestSeconds = 60

/**
 * The official client as Crossbill uses it: each request is sent once, and a refusal stays a
 * refusal. The caller retries, except where it asks for `retries`.
 */
export function stripeClient({
  key,
  fetch,
  base,
  heard,
  timeoutSeconds = longestSeconds,
  retries = 0,
}: ClientOptions): Stripe {
  return new Stripe(key, {
    // The SDK's Node client repeats a request whose connection was cut, even with retries disabled;
    // its fetch client does not.
    httpClient: Stripe.createFetchHttpClient(refusing(fetch, heard)),
    maxNetworkRetries: retries,
    timeout: timeoutSeconds * 1_000,
    telemetry: false,
    appInfo: { name: 'crossbill' },
    ...(base === undefined ? {} : address(base)),
  })
}

/**
 * The SDK takes any JSON without `error` for an answer, whatever its status, and throws on JSON
 * that is not an object. It therefore receives only answers in Stripe's form: an object with its
 * `object` field, or an error whose parts have their types.
 */
function refusing(fetch: Fetch, heard: (headers: Headers) => void): Fetch {
  return async (input, init) => {
    const response = await hideResets(fetch(input, init))
    heard(response.headers)
    const text = await hideResets(response.text())
    // A list may be large and the SDK parses it as well, so it is parsed here only when it may be
    // an error.
    if (response.ok && /^\s*\{/.test(text) && !text.includes('"error"')) return said(response, text)
    const body = parsed(text)
    if (response.ok && isRecord(body) && body['error'] === undefined) return said(response, text)
    const error = isRecord(body) && isRecord(body['error']) ? plainError(body['error']) : undefined
    return said(response, JSON.stringify(error === undefined || response.ok ? notAnAnswer(response) : { error }))
  }
}

/** Undefined for text that is not JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const errorTexts = ['type', 'code', 'message', 'param', 'decline_code', 'doc_url', 'request_log_url', 'charge'] as const

/**
 * The parts that Crossbill reads, where each is text; undefined for an error without any of them.
 */
function plainError(error: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> | undefined {
  const texts = errorTexts.flatMap((name) => (typeof error[name] === 'string' ? [[name, error[name]] as const] : []))
  if (texts.length === 0) return undefined
  return { message: 'Stripe gave no reason', ...Object.fromEntries(texts) }
}

function notAnAnswer({ status }: Response): object {
  const message = `not a Stripe answer (HTTP ${status})`
  return { error: { type: 'api_error', code: notAnAnswerCode, message } }
}

export const notAnAnswerCode = 'not_an_answer'

/** The same answer, with the body that was already read. */
function said({ status, headers }: Response, text: string): Response {
  const answer = new Response(null, { status: status < 200 || status > 599 ? 502 : status, headers })
  return Object.defineProperty(answer, 'text', { value: () => Promise.resolve(text) })
}

/**
 * The SDK repeats a request when it finds ECONNRESET at the top of an error, whatever its settings;
 * it does not look into `cause`.
 */
async function hideResets<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code !== 'ECONNRESET' && code !== 'EPIPE') throw error
    throw new Error('the connection was cut', { cause: error })
  }
}

function address(base: URL): { host: string; port: number; protocol: 'http' | 'https' } {
  const secure = base.protocol === 'https:'
  return { host: base.hostname, port: Number(base.port) || (secure ? 443 : 80), protocol: secure ? 'https' : 'http' }
}
