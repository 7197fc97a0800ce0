import { expect } from 'vitest'
import type { JsonObject } from '../../../src/core/json.ts'
import { strangers } from './description.ts'
import { type Sandbox, createSandbox } from '../../../src/sandbox/sandbox.ts'

/** A hook delivery as received. */
interface Arrival {
  method: string
  url: string
  headers: Headers
  body: string
}

export interface Caller {
  sandbox: Sandbox
  site: string
  arrivals: Arrival[]
  /** The listener's answer to each method; 200 unless changed. */
  listener: { status: number }
  call(method: string, path: string, body?: object): Promise<{ status: number; type: string; body: JsonObject }>
  /** What the act created: ids and counts. */
  act(order: JsonObject): Promise<Record<string, string>>
  settle(): Promise<void>
}

/** A sandbox whose Kajabi site is called with a new token, and whose hooks arrive in `arrivals`. */
export async function openCaller(): Promise<Caller> {
  const arrivals: Arrival[] = []
  const listener = { status: 200 }
  const sandbox = createSandbox({
    deliver: async (input, init) => {
      const request = new Request(input, init)
      const body = await request.text()
      arrivals.push({ method: request.method, url: request.url, headers: request.headers, body })
      return new Response('', { status: listener.status })
    },
  })
  const { client_id, client_secret, site } = sandbox.ready.kajabi
  const minted = await sandbox.fetch('http://sandbox/kajabi/v1/oauth/token', {
    method: 'POST',
    body: new URLSearchParams({ client_id, client_secret, grant_type: 'client_credentials' }),
  })
  const { access_token } = (await minted.json()) as { access_token: string }
  return {
    sandbox,
    site,
    arrivals,
    listener,
    async call(method, path, body) {
      const response = await sandbox.fetch(`http://sandbox/kajabi${path}`, {
        method,
        headers: { authorization: `Bearer ${access_token}`, 'content-type': 'application/vnd.api+json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      const text = await response.text()
      const type = response.headers.get('content-type') ?? ''
      const answer = {
        status: response.status,
        type,
        body: type.includes('json') && text !== '' ? JSON.parse(text) : {},
      }
      if (!type.includes('html')) expect(strangers(method, path, answer)).toEqual([])
      return answer
    },
    async act(order) {
      const response = await sandbox.fetch('http://sandbox/_sandbox/kajabi', {
        method: 'POST',
        body: JSON.stringify(order),
      })
      const done = (await response.json()) as Record<string, string>
      expect({ status: response.status, done }).toMatchObject({ status: 200 })
      return done
    },
    async settle() {
      await Promise.all(sandbox.world.deliveries)
    },
  }
}

export const offers = (...ids: string[]): object => ({ data: ids.map((id) => ({ type: 'offers', id })) })

export const contactBody = (site: string, email: string, name = 'Ada Lind'): object => ({
  data: {
    type: 'contacts',
    attributes: { name, email },
    relationships: { site: { data: { type: 'sites', id: site } } },
  },
})

export const hookBody = (site: string, attributes: JsonObject): object => ({
  data: { type: 'hooks', attributes, relationships: { site: { data: { type: 'sites', id: site } } } },
})

/** The ids in a list answer. */
export function ids(body: JsonObject): string[] {
  return (body['data'] as { id: string }[]).map((row) => row.id)
}

export function idOf(body: JsonObject): string {
  return (body['data'] as { id: string }).id
}
