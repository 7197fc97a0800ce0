import fc from 'fast-check'
import { isJsonObject, type Json } from '../../src/core/json.ts'
import { edited, edits, type Edit } from './mutate.ts'

/** What happens to the answer of one request; the request itself is carried out, except `cut`. */
export type Fault =
  | { readonly fault: 'edited'; readonly edits: readonly Edit[] }
  | { readonly fault: 'body'; readonly body: string; readonly status: number; readonly type: string }
  /** The answer to an earlier request of the same kind. */
  | { readonly fault: 'mixed_up' }
  | { readonly fault: 'cut' | 'cut_after' | 'truncated' }

const pages = [
  '<html><body>Bad gateway</body></html>',
  '',
  '{',
  'null',
  '[]',
  '"OK"',
  '{}',
  '{"error":{}}',
  '{"error":"no"}',
  '{"errors":[null]}',
  '{"object":"list","data":[],"has_more":true,"url":"/"}',
  '{"object":"list","data":[{"object":"subscription","id":"sub_x"}],"has_more":true,"next_page_url":"https://["}',
  '{"data":[{"id":"1","type":"offers"}],"links":{"next":"?page=2"}}',
  '{"data":null}',
  '{"object":"subscription"}',
  '{"object":"subscription","id":"sub_x","deleted":true}',
  `[${'['.repeat(50_000)}`,
  `{"object":"subscription","id":"sub_x","a":${'['.repeat(50_000)}${']'.repeat(50_000)}}`,
  `{"data":${'['.repeat(50_000)}${']'.repeat(50_000)}}`,
]

export const fault: fc.Arbitrary<Fault> = fc.oneof(
  { weight: 6, arbitrary: edits.map((list): Fault => ({ fault: 'edited', edits: list })) },
  {
    weight: 3,
    arbitrary: fc.record<Fault & { fault: 'body' }>({
      fault: fc.constant('body'),
      body: fc.constantFrom(...pages),
      status: fc.constantFrom(200, 200, 200, 204, 301, 400, 401, 402, 403, 404, 409, 418, 422, 429, 500, 502, 503, 599),
      type: fc.constantFrom('application/json', 'text/html'),
    }),
  },
  { weight: 1, arbitrary: fc.constant<Fault>({ fault: 'mixed_up' }) },
  {
    weight: 2,
    arbitrary: fc.constantFrom<Fault>({ fault: 'cut' }, { fault: 'cut_after' }, { fault: 'truncated' }),
  },
)

/** Stands between the service and both upstreams. */
export class Faults {
  requests = 0
  private active = false
  private faults: ReadonlyMap<number, Fault>
  private readonly earlier = new Map<string, string>()
  constructor(faults: readonly (readonly [number, Fault])[] = []) {
    this.faults = new Map(faults)
  }

  begin(faults?: readonly (readonly [number, Fault])[]): void {
    if (faults !== undefined) this.faults = new Map(faults)
    this.requests = 0
    this.active = true
  }

  end(): void {
    this.active = false
  }

  between(fetch: typeof globalThis.fetch): typeof globalThis.fetch {
    return async (input, init) => {
      if (!this.active) return fetch(input, init)
      const fault = this.faults.get(this.requests++)
      if (fault?.fault === 'cut') throw new TypeError('fetch failed')
      const answer = await fetch(input, init)
      const { status, headers } = answer
      const text = await answer.text()
      const kind = `${init?.method} ${new URL(input instanceof Request ? input.url : input).pathname.replaceAll(/\/(?:\d+|\w+_\w+)(?=\/|$)/g, '/:id')}`
      const before = this.earlier.get(kind)
      this.earlier.set(kind, text)
      const said = (body: string): Response => new Response(status === 204 ? null : body, { status, headers })
      switch (fault?.fault) {
        case undefined:
          return said(text)
        case 'cut_after':
          throw new TypeError('fetch failed')
        case 'truncated':
          return said(text.slice(0, text.length / 2))
        case 'mixed_up':
          return said(before ?? text)
        case 'body':
          return new Response(fault.status === 204 ? null : fault.body, {
            status: fault.status,
            headers: { 'content-type': fault.type },
          })
        case 'edited':
          return said(changed(text, fault.edits))
      }
    }
  }
}

function changed(text: string, list: readonly Edit[]): string {
  const value = JSON.parse(text === '' ? 'null' : text) as Json
  return JSON.stringify(edited(isJsonObject(value) ? value : {}, list))
}
