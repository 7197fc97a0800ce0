// Stripe's rate limits, in real time: the rate of requests does not depend on the simulated clock.
// https://docs.stripe.com/rate-limits
import { StripeError } from './errors.ts'
import type { HttpRequest } from './module.ts'

/**
 * Requests per second and account: for all operations together, and for each operation (`POST
 * /v1/subscriptions`).
 */
export interface RateLimits {
  readonly global: number
  readonly endpoint: number
}

/** Token buckets that hold the requests of one second and fill at the permitted rate. */
export class Limiter {
  readonly #limits: () => RateLimits | undefined
  readonly #milliseconds: () => number
  readonly #buckets = new Map<string, { left: number; at: number }>()

  /** `milliseconds` is a clock that only goes forward. */
  constructor(limits: () => RateLimits | undefined, milliseconds: () => number = () => performance.now()) {
    this.#limits = limits
    this.#milliseconds = milliseconds
  }

  /** Throws 429 with the reason when the account sends too many requests. */
  check(account: string, request: Pick<HttpRequest, 'method' | 'url'>): void {
    const limits = this.#limits()
    if (limits === undefined) return
    if (!this.#take(account, limits.global)) throw refused('global-rate')
    // Paths that differ only in ids are the same operation.
    const operation = request.url.pathname.replaceAll(/\/[A-Za-z]+_[A-Za-z0-9_]+/g, '/:id')
    if (!this.#take(`${account} ${request.method} ${operation}`, limits.endpoint)) throw refused('endpoint-rate')
  }

  #take(name: string, perSecond: number): boolean {
    const now = this.#milliseconds()
    const before = this.#buckets.get(name) ?? { left: perSecond, at: now }
    const left = Math.min(perSecond, before.left + ((now - before.at) * perSecond) / 1_000)
    this.#buckets.set(name, { left: left < 1 ? left : left - 1, at: now })
    return left >= 1
  }
}

function refused(reason: 'global-rate' | 'endpoint-rate'): StripeError {
  return new StripeError(
    429,
    {
      type: 'invalid_request_error',
      code: 'rate_limit',
      message:
        'Request rate limit exceeded. You can learn more about rate limits here https://stripe.com/docs/rate-limits.',
    },
    { headers: { 'stripe-rate-limited-reason': reason } },
  )
}
