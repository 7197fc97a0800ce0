// Stripe's error answers. Shapes and codes: https://docs.stripe.com/api/errors and
// https://docs.stripe.com/error-codes

type ErrorType = 'invalid_request_error' | 'api_error' | 'card_error' | 'idempotency_error' | 'rate_limit_error'

export interface ErrorBody {
  readonly type: ErrorType
  readonly message: string
  readonly code?: string
  readonly param?: string
  readonly decline_code?: string
  readonly [extra: string]: unknown
}

/**
 * An error answer. What the handler wrote before the throw is undone, unless `keeps` is true (as
 * for a declined payment).
 */
export class StripeError extends Error {
  override name = 'StripeError'
  readonly status: number
  readonly body: ErrorBody
  readonly headers: Readonly<Record<string, string>>
  /** True: what the handler wrote before the throw is committed nevertheless. */
  readonly keeps: boolean

  constructor(
    status: number,
    body: ErrorBody,
    options: { headers?: Readonly<Record<string, string>>; keeps?: boolean } = {},
  ) {
    super(body.message)
    this.status = status
    this.body = body
    this.headers = options.headers ?? {}
    this.keeps = options.keeps ?? false
  }
}

/** 400 `invalid_request_error`. */
export function invalid(message: string, about: { param?: string; code?: string } = {}): StripeError {
  return new StripeError(400, { type: 'invalid_request_error', message, ...about })
}

/**
 * 404 for an object named in the path; 400 for an object named by a parameter, whose name is
 * `param`. Code `resource_missing`.
 */
export function missing(noun: string, id: string, param?: string): StripeError {
  return new StripeError(param === undefined ? 404 : 400, {
    type: 'invalid_request_error',
    code: 'resource_missing',
    message: `No such ${noun}: '${id}'`,
    param: param ?? 'id',
  })
}

/** 402 `card_error`; the handler's writes stay unless `undone`. */
export function declined(
  message: string,
  about: { code: string; decline_code?: string; [extra: string]: unknown },
  options: { undone?: boolean } = {},
): StripeError {
  return new StripeError(402, { type: 'card_error', message, ...about }, { keeps: options.undone !== true })
}
