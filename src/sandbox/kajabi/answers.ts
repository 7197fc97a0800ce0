import type { Json, JsonObject } from '../../core/json.ts'

/** An answer of the site: status, media type and text, ready to send. */
export interface Answer {
  status: number
  type: string
  body: string
  headers?: Record<string, string>
}

/**
 * An error answer that ends a request. `pointer` names the part of the body that is wrong, as in
 * Kajabi's error schema.
 */
export class Refusal extends Error {
  readonly answer: Answer

  constructor(answer: Answer) {
    super(`kajabi refuses with ${answer.status}`)
    this.answer = answer
  }
}

const jsonApi = 'application/vnd.api+json; charset=utf-8'

export function document(body: JsonObject, status = 200): Answer {
  return { status, type: jsonApi, body: JSON.stringify(body) }
}

export function noContent(): Answer {
  return { status: 204, type: jsonApi, body: '' }
}

const titles: Record<number, string> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  422: 'Unprocessable Entity',
  429: 'Too Many Requests',
  501: 'Not Implemented',
}

/**
 * The JSON:API error envelope, as observed in real answers: `source` is null unless a part of the
 * body is wrong.
 */
export function refuse(status: number, detail: string, pointer?: string): Refusal {
  const source: Json = pointer === undefined ? null : { pointer }
  const error = { status: String(status), source, title: titles[status] ?? 'Error', detail }
  return new Refusal(document({ errors: [error] }, status))
}

/** The token routes alone answer with a flat error instead of JSON:API. */
export function refuseToken(status: 400 | 401, error: string): Refusal {
  return new Refusal({ status, type: 'application/json; charset=utf-8', body: JSON.stringify({ error }) })
}

/** Unknown paths and failing servers answer with an HTML page, not with JSON. */
export function page(status: number, title: string): Answer {
  const text = `<!DOCTYPE html>\n<html>\n<head><title>${title}</title></head>\n<body><h1>${title}</h1></body>\n</html>\n`
  return { status, type: 'text/html; charset=utf-8', body: text }
}

export const unauthorized =
  'The request is missing an Authorization token, or token is invalid/has expired. Check your Authorization header, or request a new token.'
