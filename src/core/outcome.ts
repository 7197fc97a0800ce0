/**
 * How a request to the outside ended. Failures are values, because the next action depends on their
 * kind:
 * - `retryable`  it was not executed (rate limit, lock, refused connection): send it again later
 * - `conflict`   the outside is in another state than assumed (e.g. already exists, key in use):
 *   re-read, then decide
 * - `rejected`   it was understood and refused: sending it again changes nothing
 * - `unknown`    it may or may not have been executed (cut connection, timeout, 5xx): look before
 *   sending again
 */
export interface Failure {
  readonly kind: 'retryable' | 'conflict' | 'rejected' | 'unknown'
  /**
   * Stripe's `error.code`, or one of Crossbill's own codes such as `connection_cut`,
   * `not_an_answer`.
   */
  readonly code: string
  readonly message: string
  /** HTTP status, 0 when there was no answer. */
  readonly status: number
  /** Stripe's `error.param`, when it named one. */
  readonly param?: string
  readonly requestId?: string
  /** Seconds that the other side asked to wait. */
  readonly retryAfter?: number
  /** Stripe said that this answer is a stored one: the request that it answered is finished. */
  readonly isReplayed?: true
}

/**
 * `requestId`: Stripe's id of the request, by which its Dashboard and its support find it.
 * `isReplayed`: Stripe said that the answer is a stored one, so an earlier request under the same
 * key did the work.
 */
export type Outcome<T> =
  | { readonly ok: true; readonly value: T; readonly requestId?: string; readonly isReplayed?: true }
  | { readonly ok: false; readonly failure: Failure }

export function success<T>(value: T, requestId?: string): Outcome<T> {
  return { ok: true, value, ...(requestId === undefined ? {} : { requestId }) }
}

export function failed(failure: Failure): Outcome<never> {
  return { ok: false, failure }
}

/**
 * A failure that stops the whole command (a list that cannot be read, a wrong account). It carries
 * what the user must know; the command line prints it without a stack trace and exits 1.
 */
export class CommandError extends Error {
  override name = 'CommandError'
  readonly code: string
  /** What was not done because of this. */
  readonly notDone: string
  /** The next command or action. */
  readonly fix: string
  constructor(code: string, message: string, options: { notDone?: string; fix?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause })
    this.code = code
    this.notDone = options.notDone ?? ''
    this.fix = options.fix ?? ''
  }
}
