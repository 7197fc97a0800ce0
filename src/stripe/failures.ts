import Stripe from 'stripe'
import { withoutAddresses } from '../core/without-addresses.ts'
import { CommandError, type Failure } from '../core/outcome.ts'
import { notAnAnswerCode } from './client.ts'

/** With these errors, the request did not reach the server. */
const neverSent = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENETUNREACH',
  'EHOSTUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

/**
 * What an error of the SDK means for the request that caused it.
 *
 * | answer                                   | GET       | POST, DELETE |
 * |------------------------------------------|-----------|--------------|
 * | none, connection never made              | retryable | retryable    |
 * | none, cut or timed out                   | retryable | unknown      |
 * | 429 with `Stripe-Rate-Limited-Reason`    | retryable | retryable    |
 * | 429 without (the object is locked)       | retryable | retryable    |
 * | 409, `idempotency_error`                 | conflict  | conflict     |
 * | other 4xx                                | rejected  | rejected     |
 * | 501: the sandbox lacks the address       | rejected  | rejected     |
 * | other 5xx, HTML, JSON that is no answer  | retryable | unknown      |
 *
 * Sources: https://docs.stripe.com/rate-limits, https://docs.stripe.com/api/errors,
 * https://docs.stripe.com/error-low-level
 */
export function readFailure(error: unknown, method: 'GET' | 'POST' | 'DELETE'): Failure {
  if (!(error instanceof Stripe.errors.StripeError)) throw error
  // An embedded sandbox that cannot store its world does not answer as Stripe.
  if (error.detail instanceof CommandError) throw error.detail
  const lost = method === 'GET' ? 'retryable' : 'unknown'
  const headers = error.headers ?? {}
  const status = error.statusCode ?? 0
  const told = {
    message: withoutPeople(error.message),
    status,
    ...(error.param === undefined ? {} : { param: error.param }),
    ...(error.requestId === undefined ? {} : { requestId: error.requestId }),
    ...retryAfter(headers['retry-after']),
    ...(headers['idempotent-replayed'] === 'true' ? { isReplayed: true as const } : {}),
  }
  if (error instanceof Stripe.errors.StripeConnectionError) {
    const cause = causeCode(error.detail)
    if (neverSent.has(cause))
      return { ...told, kind: 'retryable', code: 'not_reached', message: `${told.message} (${cause})` }
    return { ...told, kind: lost, code: cause === 'ETIMEDOUT' ? 'timeout' : 'connection_cut' }
  }
  // The page of a proxy does not show whether the request was executed, whatever its status.
  if (error.code === notAnAnswerCode) return { ...told, kind: lost, code: notAnAnswerCode }
  if (status === 429) {
    const reason = headers['stripe-rate-limited-reason']
    const code = reason === undefined ? (error.code ?? 'lock_timeout') : `rate_limit_${reason}`
    return { ...told, kind: 'retryable', code }
  }
  if (status === 409 || error.rawType === 'idempotency_error')
    return { ...told, kind: 'conflict', code: error.code ?? 'idempotency_error' }
  if ((status >= 400 && status < 500) || status === 501)
    return { ...told, kind: 'rejected', code: error.code ?? error.rawType ?? `http_${status}` }
  return { ...told, kind: lost, code: error.code ?? (status === 0 ? 'not_an_answer' : `http_${status}`) }
}

/** The longest wait in seconds; a longer wait that Stripe asks for is cut to it. */
const longestWait = 120

function retryAfter(header: string | undefined): { retryAfter?: number } {
  const seconds = Number(header)
  return header !== undefined && header !== '' && Number.isFinite(seconds) && seconds >= 0
    ? { retryAfter: Math.min(seconds, longestWait) }
    : {}
}

/** The system's error code, from anywhere in the chain of causes. */
function causeCode(error: unknown): string {
  for (let one: unknown = error, depth = 0; one instanceof Error && depth < 6; depth++) {
    if ('code' in one && typeof one.code === 'string') return one.code
    one = one instanceof AggregateError ? one.errors[0] : one.cause
  }
  return 'unknown'
}

/** Messages are written to journals, logs and screens; Stripe's messages may quote the request. */
function withoutPeople(message: string): string {
  return withoutAddresses(message, '(an e-mail address)').replace(/\b(?:sk|rk)_(?:test|live)_\w+/g, '(a key)')
}
