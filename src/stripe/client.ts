import Stripe from 'stripe'

export type Fetch = typeof globalThis.fetch

export interface ClientOptions {
  readonly key: string
  /** The network, or a sandbox in this process. */
  readonly fetch: Fetch
  /** Any Stripe-compatible server; Stripe's own when absent. */
  readonly base?: URL
  /** Seconds a request may take altogether. */
  readonly timeoutSeconds?: number
  /** Sees every answer's headers, also those of refusals. */
  readonly heard: (headers: Headers) => void
}

/** A cancel of a large customer takes several seconds. */
const longestSeconds = 60

/**
 * The official client as this program uses it: one request is sent once, and a refusal stays a
 * refusal. Retries belong to the caller.
 */
export function stripeClient({ key, fetch, base, heard, timeoutSeconds = longestSeconds }: ClientOptions): Stripe {
  return new Stripe(key, {
    // The SDK's Node client sends a cut request once more even with retries off; its fetch client
    // does not.
    httpClient: Stripe.createFetchHttpClient(refusing(fetch, heard)),
    maxNetworkRetries: 0,
    timeout: timeoutSeconds * 1_000,
    telemetry: false,
    appInfo: { name: 'crossbill' },
    ...(base === undefined ? {} : address(base)),
  })
}

/**
 * The SDK takes any JSON without `error` for an answer, whatever its status, and stumbles over JSON
 * that is no object. It is only given answers in Stripe's form: an object that says what it is, or
 * an error whose parts have their types.
 */
function refusing(fetch: Fetch, heard: (headers: Headers) => void): Fetch {
  return async (input, init) => {
    const response = await hideResets(fetch(input, init))
    heard(response.headers)
    const text = await hideResets(response.text())
    // A list may be large: the SDK parses it, and it is parsed here only where it may be something
    // else.
    if (response.ok && /^\s*\{/.test(text) && !text.includes('"error"')) return said(response, text)
    const body = parsed(text)
    if (response.ok && isRecord(body) && body['error'] === undefined) return said(response, text)
    const error = isRecord(body) && isRecord(body['error']) ? plainError(body['error']) : undefined
    return said(response, JSON.stringify(error === undefined || response.ok ? notAnAnswer(response) : { error }))
  }
}

/** Undefined for what is not JSON. */
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
 * The parts that this program reads, where each is text; undefined for an error that says nothing.
 */
function plainError(error: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> | undefined {
  const texts = errorTexts.flatMap((name) => (typeof error[name] === 'string' ? [[name, error[name]] as const] : []))
  if (texts.length === 0) return undefined
  return { message: 'Stripe gave no reason', ...Object.fromEntries(texts) }
}

function notAnAnswer({ status }: Response): object {
  const message = `not an answer of Stripe (HTTP ${status})`
  return { error: { type: 'api_error', code: notAnAnswerCode, message } }
}

export const notAnAnswerCode = 'not_an_answer'

/** The same answer, whose body has been read. */
function said({ status, headers }: Response, text: string): Response {
  const answer = new Response(null, { status: status < 200 || status > 599 ? 502 : status, headers })
  return Object.defineProperty(answer, 'text', { value: () => Promise.resolve(text) })
}

/**
 * The SDK sends a second time when it sees ECONNRESET at the top of an error, whatever its
 * settings; kept in `cause` it does not.
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
