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

/** The SDK takes any JSON without `error` for an answer, whatever its status. */
function refusing(fetch: Fetch, heard: (headers: Headers) => void): Fetch {
  return async (input, init) => {
    const response = await hideResets(fetch(input, init))
    heard(response.headers)
    if (response.ok) return response
    const body: unknown = await response
      .clone()
      .json()
      .catch(() => undefined)
    if (typeof body === 'object' && body !== null && 'error' in body) return response
    const error = {
      type: 'api_error',
      code: 'not_an_answer',
      message: `not an answer of Stripe (HTTP ${response.status})`,
    }
    return Response.json({ error }, { status: response.status, headers: response.headers })
  }
}

/**
 * The SDK sends a second time when it sees ECONNRESET at the top of an error, whatever its
 * settings; kept in `cause` it does not.
 */
async function hideResets(answer: Promise<Response>): Promise<Response> {
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
