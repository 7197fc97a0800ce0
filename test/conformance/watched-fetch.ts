import type { JsonObject } from '../../src/core/json.ts'
import { strangers } from '../sandbox/kajabi/description.ts'
import { Checker, checkExchange, type Difference, isObject } from './check.ts'
import type { Description } from './description.ts'

/**
 * A fetch that passes everything on and compares each exchange with `/v1/` with the description,
 * and each answer of the Kajabi site with its own. Differences are collected by text with their
 * count, so that one fault in a common answer is one line.
 */
export function watchedFetch(
  fetch: typeof globalThis.fetch,
  api: Description,
): { fetch: typeof globalThis.fetch; seen: () => number; differences: () => Map<string, number> } {
  const checkers = { request: new Checker(api, 'form'), answer: new Checker(api, 'json') }
  const found = new Map<string, number>()
  let seen = 0
  const record = (differences: readonly Difference[]): void => {
    for (const { where, problem } of differences) {
      const line = `${where.replaceAll(/\[\d+\]/g, '[]')} ${problem}`
      found.set(line, (found.get(line) ?? 0) + 1)
    }
  }
  return {
    seen: () => seen,
    differences: () => found,
    fetch: async (input, init) => {
      const request = new Request(input, init)
      const url = new URL(request.url)
      const body = await request.clone().text()
      const answer = await fetch(input, init)
      const site = url.pathname.startsWith('/kajabi/v1/')
      if (!site && !url.pathname.startsWith('/v1/')) return answer
      // The sandbox says that it lacks the address, which Stripe never does.
      if (answer.status === 501) return answer
      const text = await answer.clone().text()
      const parsed = parseJson(text)
      // An injected fault that is not JSON is neither an answer of Stripe nor of the sandbox.
      if (parsed === undefined || (site && (answer.status === 429 || answer.status >= 500))) return answer
      seen++
      if (site) {
        const path = `${url.pathname.slice('/kajabi'.length)}${url.search}`
        const body = isObject(parsed) ? (parsed as JsonObject) : {}
        const type = answer.headers.get('content-type') ?? ''
        for (const line of strangers(request.method, path, { status: answer.status, type, body }))
          found.set(line, (found.get(line) ?? 0) + 1)
        return answer
      }
      record(
        checkExchange(api, checkers, {
          method: request.method,
          path: url.pathname,
          params: readForm(request.method === 'POST' ? body : url.search.slice(1) || body),
          headers: request.headers,
          status: answer.status,
          answer: parsed,
        }),
      )
      return answer
    },
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

/**
 * `items[0][price]=x` as nested objects; lists stay objects with the index as key. Independent of
 * the sandbox's own reader, on purpose.
 */
export function readForm(text: string): Record<string, unknown> {
  const whole: Record<string, unknown> = {}
  let unnamed = 0
  for (const [name, value] of new URLSearchParams(text)) {
    const path = [/^[^[]+/.exec(name)?.[0] ?? '', ...[...name.matchAll(/\[([^\]]*)\]/g)].map((part) => part[1] ?? '')]
    let at = whole
    path.forEach((part, index) => {
      const key = part === '' ? `${unnamed++}` : part
      if (index === path.length - 1) at[key] = value
      else {
        const next = at[key]
        const inner = typeof next === 'object' && next !== null ? (next as Record<string, unknown>) : {}
        at[key] = inner
        at = inner
      }
    })
  }
  return whole
}
