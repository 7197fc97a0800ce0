import { addAll } from '../core/lists.ts'
import { backoff } from '../core/backoff.ts'
import { type Json, type JsonObject, objectsIn } from '../core/json.ts'
import { CommandError } from '../core/outcome.ts'

export interface Requests {
  readonly get: (path: string) => Promise<Json>
  /** Every row of a list, page by page. */
  readonly list: (path: string, rowsOf?: (page: Json) => Json) => Promise<readonly JsonObject[]>
  /** Undefined when there is no such file. */
  readonly file: (path: string) => Promise<Uint8Array | undefined>
  readonly send: (method: 'POST' | 'PATCH' | 'PUT', path: string, body: JsonObject) => Promise<Json>
}

export interface Site {
  readonly name: string
  readonly base: string
  readonly headers: Readonly<Record<string, string>>
  readonly wait: (seconds: number) => Promise<void>
}

const tries = 4
const rowsPerPage = 100
const pagesMost = 50
const longest = 64 * 1_024 * 1_024

/**
 * Requests to the forge's API. Reads and idempotent writes are repeated when the forge does not
 * answer; a creation only after a 429, which proves that it did not happen.
 */
export function openRequests(site: Site): Requests {
  const send = async (method: string, path: string, body?: JsonObject): Promise<Response> => {
    for (let turn = 1; ; turn++) {
      const answer = await attempt(site, method, path, body)
      const again = answer === undefined || answer.status === 429 || answer.status >= 500
      const isSafe = method !== 'POST' || answer?.status === 429
      if (!again) return answer
      if (turn === tries || !isSafe)
        throw new CommandError(
          'forge_unreachable',
          `${site.name} does not answer ${method} ${path}${answer === undefined ? '' : ` (${answer.status})`}`,
          { fix: 'Run the job again.' },
        )
      const asked = Number(answer?.headers.get('retry-after') ?? Number.NaN)
      await site.wait(backoff(turn, Number.isFinite(asked) ? Math.min(asked, 60) : undefined))
    }
  }
  const read = async (method: string, path: string, body?: JsonObject): Promise<Json> => {
    const answer = await send(method, path, body)
    if (answer.ok) return JSON.parse(await answer.text()) as Json
    throw refused(site, method, path, answer.status)
  }
  return {
    get: (path) => read('GET', path),
    send: (method, path, body) => read(method, path, body),
    async list(path, rowsOf = (page) => page) {
      const rows: JsonObject[] = []
      for (let page = 1; page <= pagesMost; page++) {
        const found = rowsOf(
          await read('GET', `${path}${path.includes('?') ? '&' : '?'}per_page=${rowsPerPage}&page=${page}`),
        )
        const some = objectsIn(found)
        addAll(rows, some)
        if (some.length < rowsPerPage) return rows
      }
      throw new CommandError('forge_list_too_long', `${site.name} lists more than ${rows.length} rows for ${path}`)
    },
    async file(path) {
      const answer = await send('GET', path)
      if (answer.status === 404 || answer.status === 410) return undefined
      if (!answer.ok) throw refused(site, 'GET', path, answer.status)
      const bytes = new Uint8Array(await answer.arrayBuffer())
      if (bytes.length > longest) throw new CommandError('plan_unreadable', `the plan file of ${path} is too large`)
      return bytes
    },
  }
}

async function attempt(site: Site, method: string, path: string, body?: JsonObject): Promise<Response | undefined> {
  try {
    return await fetch(`${site.base}${path}`, {
      method,
      headers: { ...site.headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(60_000),
    })
  } catch {
    return undefined
  }
}

function refused({ name }: Site, method: string, path: string, status: number): CommandError {
  return new CommandError('forge_refused', `${name} answers ${method} ${path} with ${status}`, {
    fix:
      status === 404
        ? 'Check the address. A token without the permission also gets this answer.'
        : 'Check the permissions of the job; docs/ci.md lists them.',
  })
}
